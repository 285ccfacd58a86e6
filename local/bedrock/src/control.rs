//! The control port: faults listed, set and lifted over HTTP while a stand-in runs.
//!
//! A port of its own, since every path of Bedrock's port is Bedrock's. JSON in and out:
//!
//! | | body | |
//! |---|---|---|
//! | `GET /faults` | | the standing fault, those queued, and every fault there is |
//! | `PUT /faults` | `{"fault": "stall@3"}` | every request from now on |
//! | `POST /faults/once` | `{"fault": "throttle"}` | the next request; called again, it queues |
//! | `DELETE /faults` | | lifts and forgets them |
//! | `GET /network` | | the faults that act on connections, and every one there is |
//! | `PUT /network` | `{"faults": ["latency:latency=100"]}` | these and no others, on open connections too |
//! | `DELETE /network` | | lifts them |
//!
//! Whatever was changed, the answer is what `GET` would then say. `answer` has the JSON.

mod answer;

use std::{convert::Infallible, io, pin::pin, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

use self::answer::Refused;
use crate::{Fault, Faults, Network, NetworkFault};

/// Far above any list of faults.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a client may take for a request's head, and for its body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves the control routes on `listener` until `shutdown` is ready.
///
/// # Errors
/// Where the listener has no address, that is, is no longer open.
pub async fn run_control(
    listener: TcpListener,
    faults: Faults,
    network: Network,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.local_addr()?;
    let control = Control { faults, network };
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            next = listener.accept() => match next {
                Ok((socket, _)) => _ = connections.spawn(control.clone().serve(TokioIo::new(socket))),
                // A connection that is gone already, or no file descriptor left: neither is the listener's end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

#[derive(Clone)]
struct Control {
    faults: Faults,
    network: Network,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneFault {
    fault: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFaults {
    faults: Vec<String>,
}

impl Control {
    async fn serve(self, socket: TokioIo<tokio::net::TcpStream>) {
        let service = service_fn(move |request| {
            let control = self.clone();
            async move { Ok::<_, Infallible>(control.answer(request).await) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT);
        // A client that goes away has had its say.
        let _broken = builder.serve_connection(socket, service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.act(request).await {
            Ok(state) => answer::json(http::StatusCode::OK, &state),
            Err(refused) => refused.into_response(),
        }
    }

    async fn act(&self, request: Request<Incoming>) -> Result<serde_json::Value, Refused> {
        let (head, body) = request.into_parts();
        match (head.uri.path(), &head.method) {
            ("/faults", &Method::GET) => {}
            ("/faults", &Method::PUT) => self.faults.set(Some(fault(body).await?)),
            ("/faults", &Method::DELETE) => self.faults.clear(),
            ("/faults/once", &Method::POST) => self.faults.once(fault(body).await?),
            ("/network", &Method::GET) => {}
            ("/network", &Method::PUT) => self.network.set(network_faults(body).await?),
            ("/network", &Method::DELETE) => self.network.set([]),
            ("/faults" | "/network", _) => return Err(Refused::Method("GET, PUT, DELETE")),
            ("/faults/once", _) => return Err(Refused::Method("POST")),
            _ => return Err(Refused::Path),
        }
        Ok(match head.uri.path() {
            "/network" => answer::network(&self.network),
            _ => answer::faults(&self.faults),
        })
    }
}

async fn fault(body: Incoming) -> Result<Fault, Refused> {
    let OneFault { fault } = read(body, r#"{"fault": "stall@3"}"#).await?;
    fault.parse().map_err(|unknown: crate::UnknownFault| Refused::Body(unknown.to_string()))
}

async fn network_faults(body: Incoming) -> Result<Vec<NetworkFault>, Refused> {
    let NetworkFaults { faults } = read(body, r#"{"faults": ["latency:latency=100,jitter=20"]}"#).await?;
    let parsed = faults.iter().map(|fault| fault.parse());
    parsed.collect::<Result<_, crate::UnknownNetworkFault>>().map_err(|unknown| Refused::Body(unknown.to_string()))
}

async fn read<T: for<'a> Deserialize<'a>>(body: Incoming, example: &str) -> Result<T, Refused> {
    let body = match timeout(READ_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Refused::TooLarge(MAX_BODY_BYTES));
        }
        Ok(Err(error)) => return Err(Refused::Body(format!("The body could not be read: {error}"))),
        Err(_elapsed) => return Err(Refused::Body(format!("The body did not arrive within {READ_TIMEOUT:?}"))),
    };
    serde_json::from_slice(&body)
        .map_err(|error| Refused::Body(format!("The body must be JSON such as {example}: {error}")))
}
