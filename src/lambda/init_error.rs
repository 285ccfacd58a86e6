//! Telling the platform why the function does not start.
//!
//! A process that exits without a word would be started once more, for the same end.

use std::time::Duration;

use http::Uri;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, build_request};
use tokio::time::timeout;

use crate::telemetry::with_causes;

/// The process is about to exit: better untold than late.
const PATIENCE: Duration = Duration::from_secs(1);

/// Posts to `/runtime/init/error`. Failing to is logged and nothing more, since the start has failed anyway.
pub async fn report(runtime_api: &Uri, error_type: &str, message: &str) {
    let told = timeout(PATIENCE, post(runtime_api, error_type, message)).await;
    match told {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = with_causes(&*error), "the platform could not be told"),
        Err(_) => tracing::warn!("the platform could not be told in time"),
    }
}

async fn post(runtime_api: &Uri, error_type: &str, message: &str) -> Result<(), BoxError> {
    let body = serde_json::json!({ "errorType": error_type, "errorMessage": message, "stackTrace": [] });
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", error_type)
        .body(Body::from(body.to_string()))?;
    let status = super::client(runtime_api.clone()).call(request).await?.status();
    if status.is_success() { Ok(()) } else { Err(format!("the Runtime API answered {status}").into()) }
}
