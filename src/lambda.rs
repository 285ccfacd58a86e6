//! The Lambda Runtime adapter: a function URL's event becomes an HTTP request, an [`Answer`] becomes a
//! streamed response, and the request's record is written when that response is delivered.
//!
//! `lambda_runtime` polls for invocations; its response side is replaced by [`Adapter`], for three reasons.
//! Its connection has no `TCP_NODELAY`, which holds the first token back by some 40 ms on Linux (the kernel
//! waits for a delayed ACK). It writes an error in mid-stream into the body, where a browser would read it.
//! And only the response side knows when a response is complete, which is the last moment to write the
//! record before Lambda may freeze the process.

mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod init_error;
mod response;

pub use init_error::report as report_init_error;

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, PooledClient, RuntimeApiClient};
use serde::de::IgnoredAny;
use tokio::time::timeout_at;
use tower::layer::layer_fn;

use self::event::{FunctionUrlEvent, NotAFunctionUrlEvent};
use crate::http::{Answer, Service};
use crate::invocation::{Invocation, Receipt, Start};
use crate::model::Model;
use crate::telemetry::{Outcome, SharedRecord, with_causes};

/// Serves invocations until the Runtime API goes away.
///
/// # Errors
/// What ended the polling.
pub async fn run<M: Model>(service: Service<M>, runtime_api: Uri) -> Result<(), BoxError> {
    let adapter = Adapter::new(service, client(runtime_api));
    // The inner service that Runtime::new wants is never called: the layer puts the adapter in its place.
    let never = tower::service_fn(|_: LambdaEvent<IgnoredAny>| async { Ok::<_, Infallible>("") });
    Runtime::new(never).layer(layer_fn(move |_| adapter.clone())).run_concurrent().await
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

/// The response side of the runtime: takes an invocation, answers it, and posts the answer itself.
///
/// As a tower service it always returns `Ok`, since an `Err` would end the polling loop.
struct Adapter<M, C>(Arc<Inner<M, C>>);

struct Inner<M, C> {
    service: Service<M>,
    client: C,
    served_before: AtomicBool,
}

impl<M, C> Clone for Adapter<M, C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M, C> Adapter<M, C> {
    fn new(service: Service<M>, client: C) -> Self {
        Self(Arc::new(Inner { service, client, served_before: AtomicBool::new(false) }))
    }
}

impl<M, C> tower::Service<LambdaInvocation> for Adapter<M, C>
where
    M: Model,
    C: RuntimeApiClient + Send + Sync + 'static,
{
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let received = Receipt::now();
        let inner = self.0.clone();
        Box::pin(async move {
            // After this Lambda may freeze the process.
            if let Some(record) = inner.serve(invocation, received).await {
                record.write();
            }
            Ok(())
        })
    }
}

impl<M: Model, C: RuntimeApiClient> Inner<M, C> {
    /// Answers one invocation. What is returned is the record of a chat request, complete and not written yet.
    async fn serve(&self, lambda: LambdaInvocation, received: Receipt) -> Option<SharedRecord> {
        let start = if self.served_before.swap(true, Ordering::Relaxed) { Start::Warm } else { Start::Cold };
        let invocation = Invocation {
            deadline: received.instant_at(lambda.context.deadline),
            request_id: lambda.context.request_id,
            trace_id: lambda.context.xray_trace_id,
            received,
            start,
        };
        let stale_guard = lambda.parts.headers.get(response::INVOCATION_ID);

        let answered = AssertUnwindSafe(self.answer(&lambda.body, &invocation)).catch_unwind().await;
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
