//! Bro-Buddy's events. Other servers may speak them with less: `done` need not hold any timing.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{End, Meaning, Text};
use crate::sample::{Phases, ServerTiming};
use crate::sse::Event;

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
}

pub(super) fn body(prompt: &str, mode: Option<&str>) -> Bytes {
    // Cannot fail: the type holds nothing that JSON cannot say.
    serde_json::to_vec(&Body { message: prompt, mode }).unwrap_or_default().into()
}

#[derive(Deserialize)]
struct Token<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Done {
    usage: Option<Usage>,
    timing: Option<Timing>,
}

#[derive(Deserialize)]
struct Usage {
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Timing {
    ttft_ms: Option<f64>,
    total_ms: Option<f64>,
    phases: Option<PhasesMs>,
}

#[derive(Deserialize)]
struct PhasesMs {
    parse_ms: Option<f64>,
    govern_ms: Option<f64>,
    bedrock_head_ms: Option<f64>,
    first_delta_ms: Option<f64>,
    first_token_write_ms: Option<f64>,
}

#[derive(Deserialize)]
struct Error<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

pub(super) fn meaning(event: Event<'_>) -> Result<Meaning, serde_json::Error> {
    match event.name {
        "token" => {
            let token: Token<'_> = serde_json::from_slice(event.data)?;
            let text = if token.text.is_empty() { Text::None } else { Text::Some };
            Ok(Meaning { text, ..Meaning::default() })
        }
        "done" => {
            let done: Done = serde_json::from_slice(event.data)?;
            Ok(Meaning {
                output_tokens: done.usage.and_then(|usage| usage.output_tokens),
                end: Some(End::Done(done.timing.map(Into::into))),
                ..Meaning::default()
            })
        }
        "error" => {
            let error: Error<'_> = serde_json::from_slice(event.data)?;
            Ok(Meaning { end: Some(End::Error(error.code.into_owned())), ..Meaning::default() })
        }
        _ => Ok(Meaning::default()),
    }
}

impl From<Timing> for ServerTiming {
    fn from(timing: Timing) -> Self {
        Self {
            ttft: duration(timing.ttft_ms),
            total: duration(timing.total_ms),
            phases: timing.phases.and_then(|phases| phases.all()),
        }
    }
}

impl PhasesMs {
    /// A waterfall needs them all.
    fn all(&self) -> Option<Phases> {
        Some(Phases {
            parse: duration(self.parse_ms)?,
            govern: duration(self.govern_ms)?,
            bedrock_head: duration(self.bedrock_head_ms)?,
            first_delta: duration(self.first_delta_ms)?,
            first_token_write: duration(self.first_token_write_ms)?,
        })
    }
}

/// Nothing for what is no duration.
fn duration(millis: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(millis? / 1e3).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, data: &str) -> Meaning {
        meaning(Event { name, data: data.as_bytes() }).unwrap()
    }

    #[test]
    fn a_done_event_tells_the_servers_own_account() {
        let data = r#"{"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":42,"total_tokens":51},
            "timing":{"ttft_ms":5.25,"total_ms":90.5,"bedrock_ms":80,"phases":{"parse_ms":0.1,"govern_ms":0.2,
            "bedrock_head_ms":4,"first_delta_ms":5,"first_token_write_ms":5.25}}}"#;
        let micros = Duration::from_micros;
        let phases = Phases {
            parse: micros(100),
            govern: micros(200),
            bedrock_head: micros(4_000),
            first_delta: micros(5_000),
            first_token_write: micros(5_250),
        };
        let timing = ServerTiming { ttft: Some(micros(5_250)), total: Some(micros(90_500)), phases: Some(phases) };
        let expected = Meaning { output_tokens: Some(42), end: Some(End::Done(Some(timing))), ..Meaning::default() };
        assert_eq!(read("done", data), expected);
    }

    #[test]
    fn a_done_event_may_tell_less() {
        let done = |timing| Meaning { end: Some(End::Done(timing)), ..Meaning::default() };
        assert_eq!(read("done", "{}"), done(None));
        assert_eq!(read("done", r#"{"usage":null,"timing":null}"#), done(None));
        let timing = r#"{"timing":{"ttft_ms":null,"total_ms":-1,"phases":{"parse_ms":1,"govern_ms":null}}}"#;
        assert_eq!(read("done", timing), done(Some(ServerTiming::default())));
    }

    #[test]
    fn a_token_is_one_with_a_text_and_unknown_events_mean_nothing() {
        assert_eq!(read("token", r#"{"text":" \"yo\" "}"#).text, Text::Some);
        assert_eq!(read("token", r#"{"text":""}"#).text, Text::None);
        assert_eq!(read("start", "{}"), Meaning::default());
        assert_eq!(read("ping", "not JSON"), Meaning::default());
        assert!(meaning(Event { name: "token", data: b"{}" }).is_err());
    }

    #[test]
    fn an_error_event_has_a_code() {
        let error = read("error", r#"{"code":"throttled","message":"…","retryable":true}"#);
        assert_eq!(error.end, Some(End::Error("throttled".to_owned())));
    }
}
