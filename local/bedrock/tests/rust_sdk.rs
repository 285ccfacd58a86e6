//! The AWS SDK for Rust as it comes, with its own retries and time-outs, as a client: its signatures are verified,
//! and it makes of every answer what its documentation says.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::sync::Arc;

use aws_sdk_bedrockruntime::{
    Client,
    config::{BehaviorVersion, Builder, Credentials, Region, Token},
    error::{ProvideErrorMetadata, SdkError},
    operation::converse_stream::{ConverseStreamError, ConverseStreamOutput as Response},
    types::{
        ContentBlock, ConversationRole, ConverseStreamOutput as Event, InferenceConfiguration, Message, StopReason,
        error::ConverseStreamOutputError,
    },
};
use local_bedrock::{Config, Faults, Journal, Scripted, StreamException};
use support::{Bedrock, soon};

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";

fn credentials() -> Credentials {
    Credentials::new("ASIACLIENT", "s3cr3t/+=", Some("t0ken//+==".to_owned()), None, "test")
}

/// A stand-in that knows these credentials and one API key, its faults, and what it was asked.
struct StandIn {
    bedrock: Bedrock,
    faults: Faults,
    journal: Journal,
}

impl StandIn {
    async fn start() -> Self {
        let (faults, journal) = (Faults::default(), Journal::default());
        let config = Config::new(Arc::new(Scripted::default().tokens(5)))
            .with_credentials(credentials())
            .with_bearer_token("bedrock-api-key-1")
            .with_faults(faults.clone())
            .with_journal(journal.clone());
        Self { bedrock: Bedrock::start(config).await, faults, journal }
    }

    fn fails(&self, fault: &str) {
        self.faults.set(Some(fault.parse().unwrap()));
    }

    /// The SDK's own configuration but for where Bedrock is.
    fn configuration(&self) -> Builder {
        aws_sdk_bedrockruntime::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(format!("http://{}", self.bedrock.address))
            .region(Region::from_static("us-east-1"))
    }

    fn client(&self) -> Client {
        Client::from_conf(self.configuration().credentials_provider(credentials()).build())
    }
}

async fn ask(client: &Client) -> Result<Response, SdkError<ConverseStreamError>> {
    let content = ContentBlock::Text("Yo, three colours?".to_owned());
    let question = Message::builder().role(ConversationRole::User).content(content).build().unwrap();
    let settings = InferenceConfiguration::builder().max_tokens(150).temperature(0.3).build();
    soon(client.converse_stream().model_id(PROFILE).messages(question).inference_config(settings).send()).await
}

/// What came of a reply, and the error that ended it.
async fn read(mut reply: Response) -> (Vec<Event>, Option<SdkError<ConverseStreamOutputError, impl std::fmt::Debug>>) {
    let mut events = Vec::new();
    loop {
        match soon(reply.stream.recv()).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

fn text(events: &[Event]) -> String {
    let delta = |event: &Event| Some(event.as_content_block_delta().ok()?.delta()?.as_text().ok()?.clone());
    events.iter().filter_map(delta).collect()
}

#[tokio::test]
async fn a_reply_is_read_to_its_end() {
    let stand_in = StandIn::start().await;
    let (events, error) = read(ask(&stand_in.client()).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(text(&events), "This reply is scripted: there ");
    let stop = events.iter().find_map(|event| event.as_message_stop().ok()).unwrap();
    assert_eq!(stop.stop_reason(), &StopReason::EndTurn);
    let usage = events.last().unwrap().as_metadata().unwrap().usage().unwrap();
    assert_eq!((usage.output_tokens(), usage.total_tokens()), (5, usage.input_tokens() + 5));
}

#[tokio::test]
async fn a_throttle_is_tried_three_times_and_has_its_code() {
    let stand_in = StandIn::start().await;
    stand_in.fails("throttle");
    let error = ask(&stand_in.client()).await.unwrap_err().into_service_error();
    assert!(error.is_throttling_exception());
    assert_eq!(error.code(), Some("ThrottlingException"));
    assert_eq!(stand_in.journal.conversations().len(), 3, "attempts");
}

#[tokio::test]
async fn a_throttle_that_passes_is_never_seen() {
    let stand_in = StandIn::start().await;
    stand_in.faults.once("throttle".parse().unwrap());
    let (events, _) = read(ask(&stand_in.client()).await.unwrap()).await;
    assert!(events.last().unwrap().is_metadata());
    assert_eq!(stand_in.journal.conversations().len(), 2, "attempts");
}

#[tokio::test]
async fn each_refusal_is_its_own_variant_and_tried_again_only_where_that_may_help() {
    let stand_in = StandIn::start().await;
    type Is = fn(&ConverseStreamError) -> bool;
    let cases: [(&str, Is, usize); 8] = [
        ("not-ready", ConverseStreamError::is_model_not_ready_exception, 3),
        ("500", ConverseStreamError::is_internal_server_exception, 3),
        ("503", ConverseStreamError::is_service_unavailable_exception, 3),
        ("model-error", ConverseStreamError::is_model_error_exception, 1),
        ("model-timeout", ConverseStreamError::is_model_timeout_exception, 1),
        ("validation", ConverseStreamError::is_validation_exception, 1),
        ("access-denied", ConverseStreamError::is_access_denied_exception, 1),
        ("not-found", ConverseStreamError::is_resource_not_found_exception, 1),
    ];
    for (fault, is, attempts) in cases {
        stand_in.fails(fault);
        let asked = stand_in.journal.conversations().len();
        // A client of its own: the retry quota of one would be used up.
        let error = ask(&stand_in.client()).await.unwrap_err().into_service_error();
        assert!(is(&error), "{fault}: {error:?}");
        assert_eq!(stand_in.journal.conversations().len() - asked, attempts, "{fault}: attempts");
    }
}

#[tokio::test]
async fn each_exception_in_mid_stream_is_its_own_variant_after_the_tokens_before_it() {
    let stand_in = StandIn::start().await;
    for exception in StreamException::ALL {
        stand_in.fails(&format!("exception:{}@3", exception.name()));
        let (events, error) = read(ask(&stand_in.client()).await.unwrap()).await;
        assert_eq!(text(&events), "This reply is ", "{}", exception.name());
        let Some(SdkError::ServiceError(error)) = error else { panic!("{}: {error:?}", exception.name()) };
        let error = error.into_err();
        let is = match exception {
            StreamException::InternalServer => error.is_internal_server_exception(),
            StreamException::ModelStreamError => error.is_model_stream_error_exception(),
            StreamException::Validation => error.is_validation_exception(),
            StreamException::Throttling => error.is_throttling_exception(),
            StreamException::ServiceUnavailable => error.is_service_unavailable_exception(),
        };
        assert!(is, "{}: {error:?}", exception.name());
    }
}

#[tokio::test]
async fn a_reply_that_breaks_is_an_error() {
    let stand_in = StandIn::start().await;
    for fault in ["drop@3", "reset@3", "truncate-frame@3", "corrupt@3", "corrupt-prelude@3"] {
        stand_in.fails(fault);
        let (events, error) = read(ask(&stand_in.client()).await.unwrap()).await;
        assert_eq!(text(&events), "This reply is ", "{fault}");
        assert!(error.is_some(), "{fault}");
    }
}

#[tokio::test]
async fn a_body_that_ends_early_in_due_form_is_told_by_the_missing_message_stop_alone() {
    let stand_in = StandIn::start().await;
    stand_in.fails("truncate@3");
    let (events, error) = read(ask(&stand_in.client()).await.unwrap()).await;
    assert_eq!((text(&events).as_str(), error.is_none()), ("This reply is ", true));
    assert!(!events.iter().any(Event::is_message_stop));
}

#[tokio::test]
async fn an_unusual_reply_has_the_same_text() {
    let stand_in = StandIn::start().await;
    for fault in ["unknown-event@2", "reasoning@2", "tool-use@2", "bytewise", "coalesced"] {
        stand_in.fails(fault);
        let (events, error) = read(ask(&stand_in.client()).await.unwrap()).await;
        assert!(error.is_none(), "{fault}: {error:?}");
        assert_eq!(text(&events), "This reply is scripted: there ", "{fault}");
        assert!(events.last().unwrap().is_metadata(), "{fault}");
    }
}

#[tokio::test]
async fn who_is_not_known_is_refused_once() {
    let stand_in = StandIn::start().await;
    let with = |id: &str, secret: &str, token: Option<&str>| {
        let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        stand_in.configuration().credentials_provider(credentials)
    };
    let token = Some("t0ken//+==");
    let elsewhere = Region::from_static("eu-west-1");
    let cases = [
        (with("ASIACLIENT", "guess", token), "InvalidSignatureException"),
        (with("AKIASOMEONE", "s3cr3t/+=", token), "UnrecognizedClientException"),
        (with("ASIACLIENT", "s3cr3t/+=", Some("stale")), "UnrecognizedClientException"),
        (with("ASIACLIENT", "s3cr3t/+=", None), "UnrecognizedClientException"),
        (with("ASIACLIENT", "s3cr3t/+=", token).region(elsewhere), "InvalidSignatureException"),
        (stand_in.configuration().bearer_token(Token::new("bedrock-api-key-2", None)), "AccessDeniedException"),
    ];
    let count = cases.len();
    for (configuration, code) in cases {
        let error = ask(&Client::from_conf(configuration.build())).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
        assert_eq!(error.code(), Some(code));
    }
    assert_eq!(stand_in.journal.conversations().len(), count, "attempts");
}

#[tokio::test]
async fn an_api_key_is_a_bearer_token() {
    let stand_in = StandIn::start().await;
    let configuration = stand_in.configuration().bearer_token(Token::new("bedrock-api-key-1", None));
    let (events, _) = read(ask(&Client::from_conf(configuration.build())).await.unwrap()).await;
    assert!(events.last().unwrap().is_metadata());
}
