//! The function URL: an HTTP server whose every request is one invocation.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. A function behind a URL
//! is not told when its client goes away, so an invocation always runs to its end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, Throttled};
use crate::invocation::{Framing, Reply};

mod answer;
mod buffered;
mod event;
mod prelude;

use answer::Answer;
use event::{Endpoints, Ids};

/// Lambda's limit for an invocation's payload, which here is the event with the body in it.
const MAX_EVENT: usize = 6 * 1024 * 1024;
/// How long a client may take for the head of a request, a connection's idle time included.
const HEAD_LIMIT: Duration = Duration::from_secs(300);
/// How long a client may take for the body of a request.
const BODY_LIMIT: Duration = Duration::from_secs(60);
/// The pause after a failed accept: out of file descriptors, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `shutdown` completes, then cuts those that are left.
pub(crate) async fn serve(
    listener: TcpListener,
    fleet: Arc<Fleet>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let mut shutdown = pin!(shutdown);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((connection, client)) => {
                    let endpoints = Endpoints { client, local };
                    connections.spawn(serve_connection(connection, endpoints, Arc::clone(&fleet)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(connection: TcpStream, endpoints: Endpoints, fleet: Arc<Fleet>) {
    // Without it every token after the first waits for the client's delayed ACK, some 40 ms.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| {
        let fleet = Arc::clone(&fleet);
        async move { Ok::<_, Infallible>(answer(request, endpoints, &fleet).await) }
    });
    // Both a client that goes away and an answer that is cut on purpose end here as errors.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

async fn answer(request: Request<Incoming>, endpoints: Endpoints, fleet: &Fleet) -> http::Response<Answer> {
    let ids = Ids::generate();
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY_LIMIT, Limited::new(body, MAX_EVENT).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return answer::too_large(&ids),
        Ok(Err(_)) => return answer::bad_request(&ids),
        Err(_) => return answer::request_timeout(&ids),
    };
    let Ok(invocation) = event::invocation(&head, &body, endpoints, &ids) else {
        return answer::bad_request(&ids);
    };
    if invocation.event.len() > MAX_EVENT {
        return answer::too_large(&ids);
    }
    let replied = match fleet.invoke(invocation).await {
        Ok(replied) => replied,
        Err(Throttled) => {
            fleet.logs().throttled(&ids.request_id);
            return answer::throttled(&ids);
        }
    };
    // A failure has been shown where it was found.
    let Ok(reply) = replied else { return answer::bad_gateway(&ids) };
    let answered = match reply {
        Reply::Buffered(document) => buffered::read(&document),
        Reply::Streamed { framing: Framing::Raw, body } => Ok(answer::raw(body)),
        Reply::Streamed { framing: Framing::HttpIntegration, mut body } => {
            prelude::take(&mut body).await.and_then(|prelude| answer::streamed(&prelude, body))
        }
    };
    match answered {
        Ok(response) => answer::identified(response, &ids),
        Err(failure) => {
            fleet.logs().failed(&ids.request_id, &failure);
            answer::bad_gateway(&ids)
        }
    }
}
