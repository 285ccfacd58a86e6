//! Makes a plan's requests: what they look like, and on which connections they go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;

use crate::auth::{AuthError, Authorizer, CONTENT_SHA256, content_sha256};
use crate::bodies::Bodies;
use crate::connection::{Connection, Dialer, NoDialer, Pool, TlsUnavailable};
use crate::endpoint::Endpoint;
use crate::format::Format;
use crate::plan::{Connections, Plan};
use crate::progress::Progress;

/// Signed requests that have waited longer are signed anew: a signature holds for five minutes.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// Everything that an exchange needs.
pub(crate) struct Client {
    endpoint: Endpoint,
    bodies: Bodies,
    headers: HeaderMap,
    authorizer: Option<Arc<Authorizer>>,
    connections: Connections,
    pool: Pool,
    pub(crate) format: Format,
    pub(crate) dialer: Dialer,
    pub(crate) progress: Progress,
}

/// A request that only has to be sent.
pub(crate) struct Prepared {
    pub(crate) request: Request<Full<Bytes>>,
    at: Instant,
}

/// Why an endpoint cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsUnavailable),
    /// The address names no host that HTTP could ask for.
    #[error("the address's host cannot be used: {0}")]
    Host(String),
}

impl From<NoDialer> for NoClient {
    fn from(error: NoDialer) -> Self {
        match error {
            NoDialer::Tls(error) => Self::Tls(error),
            NoDialer::Name(error) => Self::Host(error.to_string()),
        }
    }
}

impl Prepared {
    /// Whether it may be sent now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.at.elapsed() < SIGNED_FOR
    }
}

impl Client {
    pub(crate) fn new(plan: &Plan, progress: Progress) -> Result<Self, NoClient> {
        let dialer = Dialer::new(&plan.endpoint, plan.limits.connect)?;
        let mut headers = HeaderMap::new();
        let host =
            HeaderValue::from_str(plan.endpoint.authority()).map_err(|error| NoClient::Host(error.to_string()))?;
        headers.insert(HOST, host);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("bro-load/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in &plan.headers {
            headers.insert(name, value.clone());
        }
        Ok(Self {
            endpoint: plan.endpoint.clone(),
            bodies: plan.bodies.clone(),
            headers,
            authorizer: plan.authorizer.clone(),
            connections: plan.connections,
            pool: Pool::default(),
            format: plan.format.clone(),
            dialer,
            progress,
        })
    }

    /// The `index`-th request, hashed and signed. This takes time, and so it comes before the intended start.
    pub(crate) async fn prepare(&self, index: u64) -> Result<Prepared, AuthError> {
        let body = self.bodies.turn(index);
        let mut headers = self.headers.clone();
        if let Some(authorizer) = &self.authorizer {
            let signed = authorizer.headers(&Method::POST, self.endpoint.uri(), &headers, &body).await?;
            for (name, value) in &signed {
                headers.insert(name, value.clone());
            }
        } else if matches!(self.format, Format::BroBuddy { .. }) {
            headers.insert(CONTENT_SHA256, content_sha256(&body));
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.path().clone().into();
        *request.headers_mut() = headers;
        Ok(Prepared { request, at: Instant::now() })
    }

    /// A connection that another request has left.
    pub(crate) async fn kept_connection(&self) -> Option<Connection> {
        self.pool.take().await
    }

    /// Keeps a connection for another request, where the plan keeps any.
    pub(crate) async fn keep(&self, connection: Connection) {
        match self.connections {
            Connections::Kept => self.pool.put(connection).await,
            Connections::Fresh => drop(connection),
        }
    }
}
