//! The Lambda Runtime adapter: a function URL's event becomes an HTTP request, an [`Answer`] becomes a
//! streamed response, and the request's record is written when that response is delivered.
//!
//! `lambda_runtime` polls for invocations; its response side is replaced by [`Adapter`], for three reasons.
//! Its connection has no `TCP_NODELAY`, which holds the first token back by some 40 ms on Linux (the kernel
//! waits for a delayed ACK). It writes an error in mid-stream into the body, where a browser would read it.
//! And only the response side knows when a response is complete, which is the last moment to write the
//! record before Lambda may freeze the process.

mod event;
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
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, PooledClient};
use serde::de::IgnoredAny;
use tokio::time::timeout_at;
use tower::layer::layer_fn;

use self::event::{FunctionUrlEvent, NotAFunctionUrlEvent};
use crate::http::{Answer, Service};
use crate::invocation::{Invocation, Receipt, Start};
use crate::model::Model;
use crate::telemetry::{Outcome, SharedRecord};

/// How long before the deadline a response is given up that its reader does not take: time to write the record.
const RESERVE: Duration = Duration::from_millis(250);

/// Serves invocations until the Runtime API goes away.
///
/// # Errors
/// What ended the polling.
pub async fn run<M: Model>(service: Service<M>, runtime_api: Uri) -> Result<(), BoxError> {
    let adapter = Adapter::new(service, runtime_api);
    // The inner service that Runtime::new wants is never called: the layer puts the adapter in its place.
    let never = tower::service_fn(|_: LambdaEvent<IgnoredAny>| async { Ok::<_, Infallible>("") });
    Runtime::new(never).layer(layer_fn(move |_| adapter.clone())).run_concurrent().await
}

/// A client of the Runtime API whose writes leave at once.
fn client(runtime_api: Uri) -> PooledClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    PooledClient::builder().with_connector(connector).with_endpoint(runtime_api).build()
}

/// The response side of the runtime: takes an invocation, answers it, and posts the answer itself.
///
/// As a tower service it always returns `Ok`, since an `Err` would end the polling loop.
struct Adapter<M>(Arc<Inner<M>>);

struct Inner<M> {
    service: Service<M>,
    client: PooledClient,
    served_before: AtomicBool,
}

impl<M> Clone for Adapter<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Model> Adapter<M> {
    fn new(service: Service<M>, runtime_api: Uri) -> Self {
        Self(Arc::new(Inner { service, client: client(runtime_api), served_before: AtomicBool::new(false) }))
    }
}

impl<M: Model> tower::Service<LambdaInvocation> for Adapter<M> {
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
            inner.serve(invocation, received).await;
            Ok(())
        })
    }
}

impl<M: Model> Inner<M> {
    async fn serve(&self, lambda: LambdaInvocation, received: Receipt) {
        let start = if self.served_before.swap(true, Ordering::Relaxed) { Start::Warm } else { Start::Cold };
        let invocation = Invocation {
            deadline: received.instant_at(lambda.context.deadline),
            request_id: lambda.context.request_id,
            trace_id: lambda.context.xray_trace_id,
            received,
            start,
        };
        let stale_guard = lambda.parts.headers.get(response::INVOCATION_ID);

        let (request, record) = match self.answer(&lambda.body, &invocation).await {
            Ok(Answer { response, record }) => {
                (response::streaming(&invocation.request_id, stale_guard, response), record)
            }
            Err(error) => {
                tracing::error!(request_id = invocation.request_id, error = error.to_string(), "an unknown event");
                (response::unknown_event(&invocation.request_id, stale_guard, &error), None)
            }
        };
        let delivered = self.deliver(request, &invocation).await;
        if let Err(error) = &delivered {
            tracing::error!(request_id = invocation.request_id, error, "the response was not delivered");
        }
        if let Some(record) = record {
            write(record, delivered.is_ok());
        }
    }

    async fn answer(&self, event: &[u8], invocation: &Invocation) -> Result<Answer, NotAFunctionUrlEvent> {
        let event = FunctionUrlEvent::parse(event)?;
        let edge_received = event.received_at();
        let request: Request<Bytes> = event.into_request()?;
        Ok(self.service.answer(request, invocation, edge_received).await)
    }

    /// Posts a response and waits until the platform has all of it; the body is dropped at once if it cannot have it.
    async fn deliver(
        &self,
        request: Result<Request<Body>, http::Error>,
        invocation: &Invocation,
    ) -> Result<(), String> {
        let request = request.map_err(|error| error.to_string())?;
        let exchange = async {
            let response = self.client.call(request).await.map_err(|error| chain(&*error))?;
            let status = response.status();
            // Only a response that was read to its end leaves the connection open for the next one.
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("the Runtime API answered {status}: {}", String::from_utf8_lossy(&body)))
            }
        };
        let give_up = invocation.deadline.checked_sub(RESERVE).unwrap_or(invocation.deadline);
        match AssertUnwindSafe(timeout_at(give_up, exchange)).catch_unwind().await {
            Ok(Ok(delivered)) => delivered,
            Ok(Err(_)) => Err("its reader did not take it before the deadline".to_owned()),
            Err(_) => Err("a panic while it was sent".to_owned()),
        }
    }
}

fn write(record: SharedRecord, delivered: bool) {
    if !delivered {
        record.lock().outcome = Some(Outcome::Cut);
    }
    record.write();
}

/// An error with its causes, since hyper's own words ("client error (SendRequest)") say little.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
