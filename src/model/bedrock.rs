//! Amazon Bedrock's `ConverseStream` behind [`Model`]: the only module that knows Bedrock.
//!
//! [`connection`] holds the one connection pool and warms it during init, [`resending`] copes with connections that
//! died in it, and [`trust`] says whose certificates it accepts. A request's body comes from [`request`], its signature from
//! [`signing`]; [`error`] says what a failed attempt means. [`reply`] reads the stream, out of [`frames`] that hold an
//! [`event`] each.
//!
//! AWS's own crates sign and connect; its SDK does not do the rest. On its way through the SDK a request met some three
//! thousand cache lines of code that serve every operation of every service, cold after each token's sleep: 0.38 ms
//! from the receipt of an invocation to Bedrock's head, against 0.23 ms (medians of 160 replies of 8 tokens, 5 ms apart, in turn).

mod connection;
mod error;
mod event;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod reply;
mod request;
mod resending;
#[cfg(test)]
mod sdk_comparison;
mod signing;
mod trust;

use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::sleep;

pub use self::connection::ConnectionTimeouts;
pub use self::reply::Reply;

use self::connection::Connection;
use self::error::{Failure, Retry};
use self::signing::{Attempt, Signer};
use super::{Model, ModelError, ModelErrorKind, Prompt};
use crate::config::{Config, Endpoint, Guardrail};
use crate::telemetry::with_causes;

/// Attempts before the stream, the first included. Only throttling, not-ready, 5xx and I/O errors are tried
/// again, and never once the response head is there.
const ATTEMPTS: u32 = 3;

/// AWS's own back-off (1 s, doubled) would keep a person waiting for seconds to be told of a throttle.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Also bounds an `x-amz-retry-after` that the service may send.
const LONGEST_BACKOFF: Duration = Duration::from_millis(300);

/// What stands in a segment of a path as it is (RFC 3986, "unreserved").
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A client of one inference profile.
pub struct Bedrock {
    connection: Connection,
    signer: Signer,
    guardrail: Option<Guardrail>,
}

impl Bedrock {
    /// Builds the client and starts to open its connection in the background, so that TLS is done by the
    /// time the first request comes.
    ///
    /// Must be called within a Tokio runtime.
    pub fn connect(config: &Config, timeouts: ConnectionTimeouts) -> Self {
        let profile = config.model();
        let endpoint = config.endpoint().map(Endpoint::as_str);
        let base = connection::base_url(endpoint, profile);
        // The ARN is one segment of the path.
        let arn = utf8_percent_encode(profile.arn(), ESCAPED);
        let url = format!("{}/model/{arn}/converse-stream", base.trim_end_matches('/'));
        Self {
            connection: Connection::warm_up(base, trust::roots(endpoint, profile), timeouts),
            signer: Signer::new(url, profile.region(), config.credentials()),
            guardrail: config.guardrail().cloned(),
        }
    }

    async fn send(&self, attempt: &Attempt<'_>) -> Result<Reply, Failure> {
        let request = self.signer.post(attempt, SystemTime::now()).map_err(|error| Failure {
            error: ModelError::new(ModelErrorKind::Internal, with_causes(&*error)),
            retry: Retry::Never,
        })?;
        let mut response = self.connection.send(request).await.map_err(|error| error::unsent(&error))?;
        if response.status().is_success() {
            Ok(Reply::new(response.take_body()))
        } else {
            Err(error::refused(response).await)
        }
    }
}

impl Model for Bedrock {
    type Reply = Reply;

    async fn converse(&self, prompt: Prompt) -> Result<Reply, ModelError> {
        let body = request::body(&prompt, self.guardrail.as_ref())?;
        self.connection.ready().await;
        let mut attempt = Attempt { body: &body, trace_id: prompt.trace_id.as_deref(), number: 1, at_most: ATTEMPTS };
        loop {
            let failure = match self.send(&attempt).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let pause = match failure.retry {
                _ if attempt.number == attempt.at_most => return Err(failure.error),
                Retry::Never => return Err(failure.error),
                Retry::Backoff => backoff(attempt.number),
                Retry::After(asked_for) => asked_for.min(LONGEST_BACKOFF),
            };
            tracing::debug!(attempt.number, error = failure.error.to_string(), "Bedrock is asked again");
            sleep(pause).await;
            attempt.number += 1;
        }
    }
}

/// Doubled with each attempt, and then a random share of that: many sandboxes that were throttled together do not come
/// back together.
fn backoff(attempt: u32) -> Duration {
    let longest = FIRST_BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(8)).min(LONGEST_BACKOFF);
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_short_and_spread() {
        for (attempt, longest) in [(1, 100), (2, 200), (3, 300), (40, 300)] {
            let pauses: Vec<_> = (0..1_000).map(|_| backoff(attempt)).collect();
            let longest = Duration::from_millis(longest);
            assert!(pauses.iter().all(|pause| *pause <= longest), "{attempt}");
            assert!(
                pauses.iter().any(|pause| *pause < longest / 4) && pauses.iter().any(|pause| *pause > longest * 3 / 4)
            );
        }
    }
}
