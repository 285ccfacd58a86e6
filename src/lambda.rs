//! The Lambda Runtime adapter: a function URL's event becomes an HTTP request, an [`Answer`] becomes a
//! streamed response, and the request's record is written when that response is delivered.
//!
//! It talks to the Runtime API itself, over the HTTP client that AWS publishes for it, and not through
//! `lambda_runtime`. That one opens its connection without `TCP_NODELAY`, which holds the first token back by some
//! 40 ms on Linux (the kernel waits for a delayed ACK); writes an error in mid-stream into the body, where a browser
//! would read it; and sets an environment variable for each invocation, whose values glibc keeps for ever. And only
//! the side that sends a response knows when it is complete, which is the last moment to write the record before Lambda
//! may freeze the process.

mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod init_error;
mod polling;
mod response;

pub use init_error::report as report_init_error;
pub use polling::PollError;

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, RuntimeApiClient};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use self::event::{FunctionUrlEvent, NotAFunctionUrlEvent};
use self::polling::NextInvocation;
use crate::http::{Answer, Service};
use crate::invocation::{Invocation, Receipt, Start};
use crate::model::Model;
use crate::telemetry::{Outcome, SharedRecord, with_causes};

/// Serves invocations, up to `concurrency` at a time, until no more can be asked for, and says why.
///
/// It ends with the first poll that fails for good: a sandbox that asked for fewer invocations than it is believed to take
/// would go on like that unseen. The platform starts another.
pub async fn run<M: Model>(service: Service<M>, runtime_api: Uri, concurrency: NonZeroUsize) -> PollError {
    let adapter = Arc::new(Adapter::new(service, client(runtime_api)));
    let mut pollers: JoinSet<PollError> = (0..concurrency.get())
        .map(|_| Arc::clone(&adapter))
        .map(|adapter| async move { adapter.poll().await })
        .collect();
    match pollers.join_next().await {
        Some(Ok(error)) => error,
        // Its words may quote what it failed on; the panic itself is logged by its place.
        Some(Err(_)) | None => PollError::Panicked,
    }
}

/// A client of the Runtime API whose writes leave at once.
fn client(runtime_api: Uri) -> PooledClient {
    PooledClient::builder().with_connector(connector()).with_endpoint(runtime_api).build()
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

/// Takes invocations, answers them, and posts the answers.
struct Adapter<M, C> {
    service: Service<M>,
    client: C,
    served_before: AtomicBool,
}

impl<M: Model, C: RuntimeApiClient> Adapter<M, C> {
    fn new(service: Service<M>, client: C) -> Self {
        Self { service, client, served_before: AtomicBool::new(false) }
    }

    /// One invocation after the other, until a poll fails.
    async fn poll(&self) -> PollError {
        loop {
            let invocation = match polling::next(&self.client).await {
                Ok(invocation) => invocation,
                Err(error) => return error,
            };
            // After this Lambda may freeze the process.
            if let Some(record) = self.serve(invocation, Receipt::now()).await {
                record.write();
            }
        }
    }

    /// Answers one invocation. What is returned is the record of a chat request, complete and not written yet.
    async fn serve(&self, next: NextInvocation, received: Receipt) -> Option<SharedRecord> {
        let start = if self.served_before.swap(true, Ordering::Relaxed) { Start::Warm } else { Start::Cold };
        let invocation = Invocation {
            deadline: received.instant_at(next.deadline_epoch_ms),
            request_id: next.request_id,
            trace_id: next.trace_id,
            received,
            start,
        };
        let stale_guard = next.invocation_id.as_ref();

        let answered = AssertUnwindSafe(self.answer(&next.event, &invocation)).catch_unwind().await;
        let (request, payload, record) = match answered.unwrap_or_else(|_| Ok(Answer::internal(&invocation.request_id)))
        {
            Ok(Answer { response, record }) => {
                let (request, payload) = response::streaming(&invocation.request_id, stale_guard, response);
                (request, Some(payload), record)
            }
            Err(error) => {
                tracing::error!(request_id = invocation.request_id, error = error.to_string(), "an unknown event");
                (response::unknown_event(&invocation.request_id, stale_guard, &error), None, None)
            }
        };
        let delivered = self.deliver(request, &invocation).await;
        if let Err(error) = &delivered {
            tracing::error!(request_id = invocation.request_id, error, "the response was not delivered");
        }
        // Whatever the connection still does with the body: its reply ends here, and so do Bedrock's tokens.
        if let Some(payload) = payload {
            payload.give_up();
        }
        if let Some(record) = record.as_ref().filter(|_| delivered.is_err()) {
            record.lock().outcome = Some(Outcome::Cut);
        }
        record
    }

    async fn answer(&self, event: &[u8], invocation: &Invocation) -> Result<Answer, NotAFunctionUrlEvent> {
        let event = FunctionUrlEvent::parse(event)?;
        let edge_received = event.received_at();
        let request: Request<Bytes> = event.into_request()?;
        Ok(self.service.answer(request, invocation, edge_received).await)
    }

    /// Posts a response and waits until the platform says that it has all of it.
    async fn deliver(
        &self,
        request: Result<Request<Body>, http::Error>,
        invocation: &Invocation,
    ) -> Result<(), String> {
        let request = request.map_err(|error| error.to_string())?;
        let exchange = async {
            let response = self.client.call(request).await.map_err(|error| with_causes(&*error))?;
            let status = response.status();
            // Only a response that was read to its end leaves the connection open for the next one.
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("the Runtime API answered {status}: {}", String::from_utf8_lossy(&body)))
            }
        };
        let margin = self.service.timeouts().delivery_margin;
        let give_up = invocation.deadline.checked_sub(margin).unwrap_or(invocation.deadline);
        match AssertUnwindSafe(timeout_at(give_up, exchange)).catch_unwind().await {
            Ok(Ok(delivered)) => delivered,
            Ok(Err(_)) => Err("it was not acknowledged before the deadline".to_owned()),
            Err(_) => Err("a panic while it was sent".to_owned()),
        }
    }
}

#[cfg(test)]
mod exactly_once;

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;

    /// Without it Linux holds every write after the first back until the one before is acknowledged, some 40 ms.
    #[tokio::test]
    async fn connections_to_the_runtime_api_do_not_wait_for_acknowledgements() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let uri: Uri = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URI");
        let connection = connector().oneshot(uri).await.expect("a connection");
        assert!(connection.inner().nodelay().expect("an option"));
    }
}
