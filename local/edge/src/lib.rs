//! An edge in front of a Lambda function URL with `AuthType: AWS_IAM`, as Amazon CloudFront with origin access control
//! is one.
//!
//! The way of one request:
//!
//! 1. [`viewer_request`] runs the distribution's CloudFront function, which may change the request or answer it.
//! 2. [`origin_request`] makes it a request to the origin: the host is the origin's, and CloudFront's own signature takes
//!    the place of the viewer's `authorization`. CloudFront does not read a body before it signs: what it signs is the hash
//!    that the viewer declared in `x-amz-content-sha256`, and without one, that of an empty body. So a POST without the
//!    right hash is what the function URL finds forged, and its answer is a 403.
//! 3. [`forward`] sends it, and passes on what comes back as it comes.
//!
//! Sources: "Restrict access to an AWS Lambda function URL origin" and "CloudFront Functions event structure" in the
//! CloudFront developer guide.
//!
//! # What is not here
//!
//! TLS, HTTP/2, caches, compression, response headers policies, geography, the web application firewall: a request goes
//! through to the origin as under the managed policies `CachingDisabled` and `AllViewerExceptHostHeader`. Of CloudFront
//! Functions, the modules `crypto` and `cloudfront`, changes of the query string, and what they write by `console.log`.

mod event;
mod forward;
mod hop_by_hop;
mod origin_request;
mod reserved_headers;
mod verdict;
mod viewer_request;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use local_signature::Credentials;
use tokio::net::TcpListener;

pub use viewer_request::{InvalidFunction, ViewerRequest};

use crate::forward::Forwarder;

/// CloudFront's default for an origin's response timeout.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The set-up of one edge, in builder style.
pub struct Config {
    origin: SocketAddr,
    region: String,
    credentials: Credentials,
    viewer_request: Option<ViewerRequest>,
    response_timeout: Duration,
}

impl Config {
    /// An edge in front of the function URL at `origin`, of a function in `region`, that signs with `credentials`.
    #[must_use]
    pub fn new(origin: SocketAddr, region: impl Into<String>, credentials: Credentials) -> Self {
        Self { origin, region: region.into(), credentials, viewer_request: None, response_timeout: RESPONSE_TIMEOUT }
    }

    /// The function that sees each request first. Without this call there is none.
    #[must_use]
    pub fn viewer_request(mut self, function: ViewerRequest) -> Self {
        self.viewer_request = Some(function);
        self
    }

    /// How long the origin may take for the head of its response, and for each piece of it: 30 s without this call.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }
}

/// Serves viewers on `listener` until `shutdown` completes, then cuts the connections that are left.
///
/// # Errors
/// None but for what a later version may find: what befalls a single connection or request is answered.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    Arc::new(Forwarder::new(config)).serve(listener, shutdown).await;
    Ok(())
}
