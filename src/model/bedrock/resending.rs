//! Requests that meet a dead connection.
//!
//! While Lambda freezes a sandbox, Bedrock closes the connections that lie idle. Where the close has reached the
//! sandbox, hyper sees it before it sends. Where it has not, since the whole machine stood still, the request goes out
//! on a connection that is gone and meets a reset; the next attempt would come, but only after the back-off.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use hyper_util::client::legacy;

/// Sends a request once more, at once, when its connection breaks under it and the exchange before went well: then the
/// connection may have lain in the pool, and died there.
///
/// Only then: a service that breaks every connection gets the usual attempts and one more, not twice as many.
#[derive(Debug)]
pub(super) struct Resending {
    connector: SharedHttpConnector,
    /// The last exchange went well.
    went_well: Arc<AtomicBool>,
}

impl Resending {
    pub(super) fn new(connector: SharedHttpConnector) -> Self {
        Self { connector, went_well: Arc::default() }
    }
}

impl HttpConnector for Resending {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, went_well) = (self.connector.clone(), self.went_well.clone());
        // Read before the request goes out: where several break with one connection, each is sent again.
        let may_be_stale = went_well.load(Ordering::Relaxed);
        // A conversation's body lies in memory, so that it can always be had again.
        let again = request.try_clone();
        HttpConnectorFuture::new(async move {
            let mut sent = connector.call(request).await;
            if let Err(error) = &sent
                && may_be_stale
                && broke(error)
                && let Some(again) = again
            {
                tracing::debug!("a connection to Bedrock was dead; the request is sent again");
                sent = connector.call(again).await;
            }
            went_well.store(sent.is_ok(), Ordering::Relaxed);
            sent
        })
    }
}

/// Whether there was a connection, and it broke before a response came.
fn broke(error: &ConnectorError) -> bool {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<legacy::Error>() {
            return !error.is_connect();
        }
        cause = error.source();
    }
    false
}
