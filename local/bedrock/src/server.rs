//! Connections: accepting them, both versions of HTTP, and the end of them all.

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Config, service::Service};

/// How long a connection may be idle, or take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Serves on `listener` until `shutdown` is ready. Open replies then have the configured grace to end, and whatever
/// is left is cut.
///
/// # Errors
/// Where the listener has no address, that is, is no longer open.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    listener.local_addr()?;
    let grace = config.shutdown_grace;
    let config = Arc::new(config);
    let graceful = GracefulShutdown::new();
    // Dropped at the end, and every connection with it.
    let mut connections = JoinSet::new();
    let mut accepted = 0;
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            next = listener.accept() => match next {
                Ok((stream, peer)) => {
                    accepted += 1;
                    let service = Service { config: Arc::clone(&config), connection: accepted, peer };
                    connections.spawn(serve(stream, service, graceful.watcher()));
                }
                // A connection that is gone already, or no file descriptor left: neither is the listener's end.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    // An elapsed grace is no error: what is left is cut, as announced.
    let _cut = timeout(grace, graceful.shutdown()).await;
    Ok(())
}

async fn serve(stream: TcpStream, service: Service, watcher: Watcher) {
    // A frame is a few hundred bytes and must leave at once. Where this fails the connection is broken anyway.
    let _unset = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let service = Arc::new(service);
    let service = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away in mid-stream, or a dropped connection asked for by a fault: part of the day's work.
    let _broken = watcher.watch(connection.into_owned()).await;
}
