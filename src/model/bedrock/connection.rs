//! The connection pool to Bedrock, and its warm-up during init: the connection opened then is the one that serves the
//! first request.

use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use http_body_util::BodyExt;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::resending::Resending;
use crate::config::InferenceProfile;
use crate::telemetry::with_causes;

/// The bounds on opening a connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionTimeouts {
    /// TCP and TLS together.
    pub connect: Duration,
    /// The whole warm-up, the answer to its probe included.
    pub warm_up: Duration,
    /// How long a first request waits for the warm-up before it opens a connection of its own.
    pub first_request: Duration,
}

impl Default for ConnectionTimeouts {
    fn default() -> Self {
        Self {
            // As AWS's SDKs have it.
            connect: Duration::from_millis(3_100),
            warm_up: Duration::from_secs(5),
            first_request: Duration::from_millis(300),
        }
    }
}

/// One pool of connections to one host.
pub(super) struct Connection {
    connector: SharedHttpConnector,
    warm_up: std::sync::Mutex<Option<JoinHandle<()>>>,
    waited: OnceCell<()>,
    first_request: Duration,
}

impl Connection {
    /// Starts to open a connection to `url`, whose certificate `roots` vouch for, and returns at once.
    ///
    /// The probe is an unsigned GET, which the service answers with some 4xx: it costs nothing, needs no
    /// permission, and leaves the connection open.
    pub(super) fn warm_up(url: String, roots: TrustStore, timeouts: ConnectionTimeouts) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(timeouts.connect).build();
        // Cannot fail as of today; if it ever does, the system's roots serve.
        let tls_context = TlsContext::builder().with_trust_store(roots).build().unwrap_or_default();
        let pool = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls_context)
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .build();
        let connector = SharedHttpConnector::new(Resending::new(SharedHttpConnector::new(pool)));
        let probe = probe(connector.clone(), url, timeouts.warm_up);
        Self {
            connector,
            warm_up: std::sync::Mutex::new(Some(tokio::spawn(probe))),
            waited: OnceCell::new(),
            first_request: timeouts.first_request,
        }
    }

    /// Sends a request over a connection of the pool.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.connector.call(request).await
    }

    /// Waits for the warm-up, on the first call only and not for long.
    pub(super) async fn ready(&self) {
        self.waited
            .get_or_init(|| async {
                let warm_up = self.warm_up.lock().ok().and_then(|mut handle| handle.take());
                if let Some(warm_up) = warm_up {
                    // Late or failed, the request goes its own way, and tells its own error.
                    let _ = timeout(self.first_request, warm_up).await;
                }
            })
            .await;
    }
}

/// Where the profile's requests go, without a path of ours.
pub(super) fn base_url(endpoint: Option<&str>, profile: &InferenceProfile) -> String {
    match endpoint {
        Some(endpoint) => endpoint.to_owned(),
        None => format!("https://bedrock-runtime.{}.{}/", profile.region(), dns_suffix(profile.partition())),
    }
}

async fn probe(connector: SharedHttpConnector, url: String, limit: Duration) {
    let exchange = async {
        let request = HttpRequest::get(url).map_err(|error| error.to_string())?;
        let response = connector.call(request).await.map_err(|error| with_causes(&error))?;
        // Only a response that was read to its end gives its connection back to the pool.
        response.into_body().collect().await.map_err(|error| error.to_string())
    };
    match timeout(limit, exchange).await {
        Ok(Ok(_)) => tracing::debug!("the connection to Bedrock is warm"),
        Ok(Err(error)) => tracing::warn!(error, "the connection to Bedrock could not be warmed"),
        Err(_) => tracing::warn!("the connection to Bedrock could not be warmed in time"),
    }
}

/// The DNS suffix of a partition. Source: the partitions of AWS's endpoint rules (`partitions.json` of the SDKs).
fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    /// A connection whose warm-up never ends.
    fn hanging() -> Connection {
        let connector = SharedHttpConnector::new(Connector::builder().build_http());
        Connection {
            connector,
            warm_up: std::sync::Mutex::new(Some(tokio::spawn(pending()))),
            waited: OnceCell::new(),
            first_request: ConnectionTimeouts::default().first_request,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_first_request_waits_for_the_warm_up_and_not_for_long() {
        let connection = hanging();
        let start = Instant::now();
        tokio::join!(connection.ready(), connection.ready());
        assert_eq!(start.elapsed(), Duration::from_millis(300), "two first requests wait together");
        connection.ready().await;
        assert_eq!(start.elapsed(), Duration::from_millis(300), "a later one does not wait");
    }
}
