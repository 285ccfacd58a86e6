//! Amazon Bedrock's `ConverseStream` behind [`Model`]: the only module that names the Bedrock SDK.
//!
//! [`connection`] holds the one connection pool and warms it during init, [`resending`] copes with connections that
//! died in it, [`trust`] says whose certificates it accepts, and [`error`] turns every failure of the SDK into a
//! [`ModelError`]. The SDK goes as far as the response's head; [`reply`] reads the stream, out of [`frames`] that hold an
//! [`event`] each.

mod connection;
mod error;
mod event;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod reply;
mod resending;
mod trust;

use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, GuardrailStreamConfiguration, GuardrailStreamProcessingMode,
    InferenceConfiguration, Message, SystemContentBlock,
};

pub use self::connection::ConnectionTimeouts;
pub use self::reply::Reply;

use self::connection::Connection;
use self::reply::TakesBody;
use super::{Model, ModelError, ModelErrorKind, Prompt};
use crate::chat::Role;
use crate::config::{Config, Guardrail, GuardrailStream};

/// Attempts before the stream, the first included. Only throttling, not-ready, 5xx and I/O errors are tried
/// again, and never once the response head is there.
const ATTEMPTS: u32 = 3;

/// The SDK's own back-off (1 s, doubled) would keep a person waiting for seconds to be told of a throttle.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Also bounds an `x-amz-retry-after` that the service may send.
const LONGEST_BACKOFF: Duration = Duration::from_millis(300);

/// A client of one inference profile.
pub struct Bedrock {
    client: Client,
    connection: Connection,
    model_id: String,
    guardrail: Option<GuardrailStreamConfiguration>,
}

impl Bedrock {
    /// Builds the client and starts to open its connection in the background, so that TLS is done by the
    /// time the first request comes.
    ///
    /// Must be called within a Tokio runtime.
    pub fn connect(config: &Config, timeouts: ConnectionTimeouts) -> Self {
        let profile = config.model();
        let endpoint = config.endpoint().map(|endpoint| endpoint.as_str().to_owned());
        let url = connection::probe_url(endpoint.as_deref(), profile);
        let connection = Connection::warm_up(url, trust::roots(endpoint.as_deref(), profile), timeouts);
        let credentials = Credentials::new(
            config.credentials().access_key_id(),
            config.credentials().secret_access_key(),
            config.credentials().session_token().map(ToOwned::to_owned),
            None,
            "Environment",
        );
        let mut client_config = aws_sdk_bedrockruntime::Config::builder();
        client_config.set_endpoint_url(endpoint);
        let client = Client::from_conf(
            client_config
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new(profile.region().to_owned()))
                .credentials_provider(credentials)
                .http_client(connection.http_client())
                .retry_config(
                    RetryConfig::standard()
                        .with_max_attempts(ATTEMPTS)
                        .with_initial_backoff(FIRST_BACKOFF)
                        .with_max_backoff(LONGEST_BACKOFF),
                )
                // The turn bounds every wait; a second clock in the SDK would only add work per call.
                .timeout_config(TimeoutConfig::disabled())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .build(),
        );
        Self {
            client,
            connection,
            model_id: profile.arn().to_owned(),
            guardrail: config.guardrail().map(guardrail_configuration),
        }
    }
}

impl Model for Bedrock {
    type Reply = Reply;

    async fn converse(&self, prompt: Prompt) -> Result<Self::Reply, ModelError> {
        let messages = prompt
            .conversation
            .into_messages()
            .into_iter()
            .map(|message| {
                let role = match message.role {
                    Role::User => ConversationRole::User,
                    Role::Assistant => ConversationRole::Assistant,
                };
                Message::builder().role(role).content(ContentBlock::Text(message.content)).build()
            })
            .collect::<Result<_, _>>()
            .map_err(|error| ModelError::new(ModelErrorKind::Internal, error.to_string()))?;

        self.connection.ready().await;
        let body = TakesBody::default();
        self.client
            .converse_stream()
            .model_id(&self.model_id)
            .system(SystemContentBlock::Text(prompt.boundary))
            .system(SystemContentBlock::Text(prompt.tone))
            .set_messages(Some(messages))
            .inference_config(
                InferenceConfiguration::builder()
                    .max_tokens(i32::try_from(prompt.limits.max_tokens()).unwrap_or(i32::MAX))
                    .temperature(prompt.limits.temperature())
                    .build(),
            )
            .set_guardrail_config(self.guardrail.clone())
            .customize()
            .interceptor(body.clone())
            .send()
            .await
            .map_err(|error| error::before_the_stream(&error))?;

        let body = body.take();
        body.map(Reply::new).ok_or_else(|| ModelError::new(ModelErrorKind::Internal, "a response without a body"))
    }
}

fn guardrail_configuration(guardrail: &Guardrail) -> GuardrailStreamConfiguration {
    GuardrailStreamConfiguration::builder()
        .guardrail_identifier(guardrail.id())
        .guardrail_version(guardrail.version())
        .stream_processing_mode(match guardrail.stream() {
            GuardrailStream::Sync => GuardrailStreamProcessingMode::Sync,
            GuardrailStream::Async => GuardrailStreamProcessingMode::Async,
        })
        .build()
}
