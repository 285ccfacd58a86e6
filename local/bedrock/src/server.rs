//! Connections: accepting them, both versions of HTTP, and the end of them all.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Config, network::Link, service::Service};

/// How long an HTTP/1 connection may lie idle between requests, or take to send the head of one. One that has sent
/// nothing at all, and one of HTTP/2, may lie idle until its client or the shutdown ends it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// Connections that may wait to be accepted: as many as Tokio's own listeners take.
const BACKLOG: u32 = 1024;
/// How soon a server that cannot accept tries again.
const RETRY: Duration = Duration::from_millis(10);

/// Serves on `listener` until `shutdown` is ready. Open replies then have the configured grace to end, and whatever
/// is left is cut.
///
/// # Errors
/// Where the listener has no address, that is, is no longer open.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let address = listener.local_addr()?;
    let grace = config.shutdown_grace;
    let mut network = config.network.subscribe();
    let config = Arc::new(config);
    let graceful = GracefulShutdown::new();
    // Dropped at the end, and every connection with it.
    let mut connections = JoinSet::new();
    let mut accepted = 0;
    let mut shutdown = pin!(shutdown);
    let mut door = Door::Open(listener);
    loop {
        let down = network.borrow_and_update().is_down();
        // Of what was accepted before it went down, the links take care.
        door = door.turned(address, down);
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            Ok(()) = network.changed() => {}
            arrival = door.accept() => {
                let Some((socket, peer)) = arrival else { continue };
                accepted += 1;
                let link = Link::new(socket, network.clone());
                let closer = link.closer();
                let service = Service { config: Arc::clone(&config), connection: accepted, peer, closer };
                connections.spawn(serve(link, service, graceful.watcher()));
            },
        }
    }
    drop(door);
    // An elapsed grace is no error: what is left is cut, as announced.
    let _cut = timeout(grace, graceful.shutdown()).await;
    Ok(())
}

/// Whether new connections come in.
enum Door {
    Open(TcpListener),
    /// The network is down: no one listens, and the system refuses connections. The address is kept, if it can be.
    Shut(Option<TcpSocket>),
}

impl Door {
    /// Open or shut, as the network is. While the address cannot be had it stays shut, and is tried again.
    fn turned(self, address: SocketAddr, down: bool) -> Self {
        match self {
            Self::Open(listener) if down => {
                // No address is had twice while one listens on it.
                drop(listener);
                Self::Shut(bound(address).ok())
            }
            Self::Shut(kept) if !down => {
                let socket = kept.map_or_else(|| bound(address), Ok);
                socket.and_then(|socket| socket.listen(BACKLOG)).map_or(Self::Shut(None), Self::Open)
            }
            unchanged => unchanged,
        }
    }

    /// `None` where there is none yet and it is time to look again.
    async fn accept(&self) -> Option<(TcpStream, SocketAddr)> {
        if let Self::Open(listener) = self
            && let Ok(accepted) = listener.accept().await
        {
            return Some(accepted);
        }
        // Shut, a connection that is gone already, or no file descriptor left: none is the server's end.
        sleep(RETRY).await;
        None
    }
}

/// A socket that has `address` and does not listen.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections from before may still be closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve(link: Link, service: Service, watcher: Watcher) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let service = Arc::new(service);
    let service = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(link.stream()), service).into_owned();
    link.serve(watcher.watch(connection)).await;
}
