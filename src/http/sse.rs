//! The wire form of server-sent events: four kinds of event, each one line of JSON.
//!
//! Source: WHATWG HTML, "Server-sent events". JSON escapes every line break within a text, so that one
//! `data:` line always holds it all.

use std::io;

use bytes::{BufMut, BytesMut};
use http::HeaderName;
use serde::Serialize;

use super::error::Telling;
use crate::chat::Usage;
use crate::config::UsDollars;
use crate::policy::Limits;
use crate::telemetry::Phases;

/// Lambda's request id.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A comment, which every client ignores: it keeps proxies and people from taking silence for death.
pub(super) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// The first event: what the reply is made with.
#[derive(Serialize)]
pub(super) struct Start<'a> {
    pub(super) id: &'a str,
    pub(super) model: &'a str,
    pub(super) mode: &'a str,
    pub(super) policy: &'a str,
    pub(super) limits: Limits,
}

/// A piece of the reply.
#[derive(Serialize)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
}

/// The terminal event of a complete reply.
#[derive(Serialize)]
pub(super) struct Done<'a> {
    pub(super) stop_reason: &'a str,
    pub(super) usage: Option<Usage>,
    pub(super) timing: Timing,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_usd: Option<UsDollars>,
}

/// All in milliseconds from the receipt of the invocation, but `bedrock_ms`, which is Bedrock's own.
#[derive(Serialize)]
pub(super) struct Timing {
    pub(super) ttft_ms: Option<f64>,
    pub(super) total_ms: f64,
    pub(super) bedrock_ms: Option<u64>,
    pub(super) phases: Phases,
}

/// The terminal event of a failed reply.
#[derive(Serialize)]
pub(super) struct Error<'a> {
    code: &'static str,
    message: &'static str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    request_id: &'a str,
    usage: Option<Usage>,
}

impl<'a> Error<'a> {
    pub(super) fn new(telling: Telling, request_id: &'a str, usage: Option<Usage>) -> Self {
        let Telling { code, message, retryable, retry_after, .. } = telling;
        Self { code, message, retryable, retry_after, request_id, usage }
    }
}

/// Appends an `id:` field, which belongs to the event that follows.
pub(super) fn write_id(buffer: &mut BytesMut, id: &str) {
    buffer.put_slice(b"id: ");
    buffer.put_slice(id.as_bytes());
    buffer.put_u8(b'\n');
}

/// Appends one event.
pub(super) fn write_event(buffer: &mut BytesMut, name: &str, data: &impl Serialize) {
    buffer.put_slice(b"event: ");
    buffer.put_slice(name.as_bytes());
    buffer.put_slice(b"\ndata: ");
    // Neither can fail: the types hold nothing that JSON cannot say, and a buffer always takes more.
    let _ = serde_json::to_writer(Appender(buffer), data);
    buffer.put_slice(b"\n\n");
}

/// `BytesMut` as a writer, without `BufMut::writer`'s cap on what is left.
struct Appender<'a>(&'a mut BytesMut);

impl io::Write for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::Value;

    use super::super::error::telling;
    use super::*;
    use crate::chat::ChatError;

    #[test]
    fn one_event_is_one_line_of_data_whatever_the_text() {
        for text in ["Yo", "a\nb", "a\r\nb", "\r", "data: x\n\n", "\u{2028}", "🎨", "\u{0}\u{1b}"] {
            let mut buffer = BytesMut::new();
            write_event(&mut buffer, "token", &Token { text });
            let event = std::str::from_utf8(&buffer).expect("UTF-8");
            let data = event.strip_prefix("event: token\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
            let data = data.unwrap_or_else(|| panic!("{event:?}"));
            assert!(!data.contains(['\n', '\r']), "{event:?}");
            assert_eq!(serde_json::from_str::<Value>(data).expect("JSON")["text"], text);
        }
    }

    /// The page's tests read the same files.
    #[test]
    fn the_shared_fixtures_are_what_is_written() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/sse");
        for name in [
            "error",
            "error-first",
            "get",
            "guardrail",
            "hostile-text",
            "max-tokens",
            "no-token",
            "no-usage",
            "plain",
            "unicode",
        ] {
            let read = |ending: &str| std::fs::read_to_string(fixtures.join(format!("{name}.{ending}"))).expect(name);
            let events: Vec<Value> = serde_json::from_str(&read("json")).expect("JSON");
            let mut buffer = BytesMut::new();
            for event in &events {
                if let Some(id) = event["id"].as_str() {
                    write_id(&mut buffer, id);
                }
                write(&mut buffer, event["event"].as_str().expect("a name"), &event["data"]);
            }
            assert_eq!(std::str::from_utf8(&buffer).expect("UTF-8"), read("sse"), "{name}");
        }
    }

    /// Writes an event from its decoded data, by the types that the service writes it with.
    fn write(buffer: &mut BytesMut, name: &str, data: &Value) {
        let text = |field: &str| data[field].as_str().unwrap_or_else(|| panic!("no {field} in {data}"));
        let usage: Option<Usage> = serde_json::from_value(data["usage"].clone()).expect("usage");
        match name {
            "start" => {
                let limits = serde_json::from_value(data["limits"].clone()).expect("limits");
                let (id, model, mode, policy) = (text("id"), text("model"), text("mode"), text("policy"));
                write_event(buffer, name, &Start { id, model, mode, policy, limits });
            }
            "token" => write_event(buffer, name, &Token { text: text("text") }),
            "done" => {
                let timing = &data["timing"];
                let phase = |name: &str| timing["phases"][name].as_f64().map(|ms| Duration::from_secs_f64(ms / 1e3));
                let timing = Timing {
                    ttft_ms: timing["ttft_ms"].as_f64(),
                    total_ms: timing["total_ms"].as_f64().expect("total_ms"),
                    bedrock_ms: timing["bedrock_ms"].as_u64(),
                    phases: Phases {
                        parse: phase("parse_ms"),
                        govern: phase("govern_ms"),
                        bedrock_head: phase("bedrock_head_ms"),
                        first_delta: phase("first_delta_ms"),
                        first_token_write: phase("first_token_write_ms"),
                    },
                };
                let cost_usd = data["cost_usd"].as_f64();
                write_event(buffer, name, &Done { stop_reason: text("stop_reason"), usage, timing, cost_usd });
            }
            "error" => {
                let error = ChatError::ALL.into_iter().map(telling).find(|telling| telling.code == text("code"));
                write_event(buffer, name, &Error::new(error.expect("a known code"), text("request_id"), usage));
            }
            other => panic!("no event of ours: {other}"),
        }
    }
}
