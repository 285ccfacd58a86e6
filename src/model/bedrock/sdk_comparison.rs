//! What the reader here makes of a stream, against what AWS's SDK for Rust makes of the same bytes: recorded replies, and
//! generated ones whose members are there, absent, `null` or something else.
//!
//! What the SDK reads the reader here must read alike.

use std::path::Path;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError as Exception;
use aws_sdk_bedrockruntime::types::{ContentBlockDelta, ConverseStreamOutput as Event, TokenUsage};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use futures::StreamExt;
use proptest::prelude::*;

use super::Reply;
use super::fuzzing::message;
use crate::chat::Usage;
use crate::model::{ModelErrorKind, ModelEvent};

type Read = Vec<Result<ModelEvent, ModelErrorKind>>;

async fn ours(bytes: &[u8]) -> Read {
    let events: Vec<_> = Reply::new(SdkBody::from(bytes)).collect().await;
    events.into_iter().map(|event| event.map(zeros).map_err(|error| error.kind())).collect()
}

/// Of what did not come with the metadata the SDK says zero.
fn zeros(event: ModelEvent) -> ModelEvent {
    match event {
        ModelEvent::Metadata { usage, latency_ms } => {
            let none = Usage { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
            ModelEvent::Metadata { usage: usage.or(Some(none)), latency_ms: latency_ms.or(Some(0)) }
        }
        other => other,
    }
}

/// Answers every request with these bytes.
#[derive(Debug)]
struct Recorded(Vec<u8>);

impl HttpConnector for Recorded {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.0.as_slice()))))
    }
}

async fn the_sdks(bytes: &[u8]) -> Read {
    let recorded = SharedHttpConnector::new(Recorded(bytes.to_vec()));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "secret", None, None, "test"))
        .http_client(http_client_fn(move |_, _| recorded.clone()))
        .build();
    let mut events = Vec::new();
    // The SDK reads the first frame before it hands the stream over.
    let mut stream = match Client::from_conf(config).converse_stream().model_id("a").send().await {
        Ok(response) => response.stream,
        Err(error) => {
            return vec![Err(error
                .as_service_error()
                .map_or(ModelErrorKind::Interrupted, |_| ModelErrorKind::Unavailable))];
        }
    };
    loop {
        match stream.recv().await {
            Ok(Some(event)) => events.push(Ok(zeros(event_of(event)))),
            Ok(None) => return events,
            Err(error) => {
                events.push(Err(match error {
                    SdkError::ServiceError(error) => match error.err() {
                        Exception::ThrottlingException(_) => ModelErrorKind::Throttled,
                        Exception::ValidationException(_) => ModelErrorKind::Rejected,
                        _ => ModelErrorKind::Unavailable,
                    },
                    _ => ModelErrorKind::Interrupted,
                }));
                return events;
            }
        }
    }
}

fn event_of(event: Event) -> ModelEvent {
    match event {
        Event::ContentBlockDelta(event) => match event.delta {
            Some(ContentBlockDelta::Text(text)) if !text.is_empty() => ModelEvent::Text(text),
            _ => ModelEvent::Progress,
        },
        Event::MessageStop(event) => ModelEvent::Stop(event.stop_reason.as_str().to_owned()),
        Event::Metadata(event) => ModelEvent::Metadata {
            usage: event.usage.as_ref().map(usage),
            latency_ms: event.metrics.and_then(|metrics| metrics.latency_ms.try_into().ok()),
        },
        _ => ModelEvent::Progress,
    }
}

fn usage(counted: &TokenUsage) -> Usage {
    let count = |tokens: i32| tokens.try_into().unwrap_or(0);
    Usage {
        input_tokens: count(counted.input_tokens),
        output_tokens: count(counted.output_tokens),
        total_tokens: count(counted.total_tokens),
    }
}

#[tokio::test]
async fn recorded_replies_are_read_as_the_sdk_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/bedrock");
    let mut compared = 0;
    for file in std::fs::read_dir(folder).expect("recordings") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let bytes = std::fs::read(&path).expect("a recording");
            assert_eq!(ours(&bytes).await, the_sdks(&bytes).await, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared} recordings");
}

/// A member of an object: not there, `null`, as it should be, or of another type.
fn member(name: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Option<String>> {
    let value = prop_oneof![4 => value, 1 => Just("null".to_owned()), 1 => Just("true".to_owned())];
    prop::option::weighted(0.8, value.prop_map(move |value| format!(r#""{name}":{value}"#))).boxed()
}

fn object(members: Vec<BoxedStrategy<Option<String>>>) -> BoxedStrategy<String> {
    members.prop_map(|members| format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(","))).boxed()
}

fn text() -> BoxedStrategy<String> {
    any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a string")).boxed()
}

fn count() -> BoxedStrategy<String> {
    (-2_i32..200).prop_map(|count| count.to_string()).boxed()
}

/// Kind, name and payload of a frame.
fn frame() -> impl Strategy<Value = (&'static str, &'static str, String)> {
    const EXCEPTIONS: [&str; 4] =
        ["throttlingException", "validationException", "internalServerException", "newException"];
    let delta = object(vec![member("text", text())]);
    let delta = object(vec![member("contentBlockIndex", count()), member("delta", delta), member("p", text())]);
    // Without its reason the SDK invents one ("no value was set"), and the reader here refuses the frame.
    let stop = text().prop_map(|reason| format!(r#"{{"stopReason":{reason}}}"#));
    let usage = object(["inputTokens", "outputTokens", "totalTokens"].map(|name| member(name, count())).into());
    let metrics = object(vec![member("latencyMs", count())]);
    let metadata = object(vec![member("usage", usage), member("metrics", metrics)]);
    let exception = object(vec![member("message", text()), member("originalMessage", text())]);
    prop_oneof![
        delta.prop_map(|payload| ("event", "contentBlockDelta", payload)),
        stop.prop_map(|payload| ("event", "messageStop", payload)),
        metadata.prop_map(|payload| ("event", "metadata", payload)),
        Just(("event", "somethingNew", "{}".into())),
        (prop::sample::select(&EXCEPTIONS[..]), exception).prop_map(|(name, payload)| ("exception", name, payload)),
    ]
}

proptest! {
    #[test]
    fn generated_replies_are_read_as_the_sdk_reads_them(frames in prop::collection::vec(frame(), 1..6)) {
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(kind, name, payload)| message(kind, name, payload.as_bytes())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (ours, the_sdks) = runtime.block_on(async { (ours(&bytes).await, the_sdks(&bytes).await) });
        // It may make something of an event that the SDK refuses for a member that nothing is asked of.
        let refused = the_sdks.iter().position(|event| *event == Err(ModelErrorKind::Interrupted));
        let compared = refused.unwrap_or(the_sdks.len().max(ours.len()));
        prop_assert_eq!(ours.get(..compared).unwrap_or(&ours), the_sdks.get(..compared).unwrap_or(&the_sdks));
    }
}
