//! Events as bytes: `application/vnd.amazon.eventstream`, in the order and with the padding seen from Bedrock.

use aws_smithy_eventstream::{error::Error, frame::write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use serde::Serialize;

use crate::{StopReason, StreamException};

/// The payload of one event. Keys are in Bedrock's order, which is alphabetic; `p` is padding.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum Event<'a> {
    MessageStart { p: &'a str, role: &'static str },
    ContentBlockDelta { content_block_index: u32, delta: Delta<'a>, p: &'a str },
    ContentBlockStop { content_block_index: u32, p: &'a str },
    MessageStop { p: &'a str, stop_reason: StopReason },
    Metadata { metrics: Metrics, p: &'a str, usage: Usage },
}

#[derive(Serialize)]
pub(crate) struct Delta<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metrics {
    latency_ms: u64,
}

/// Token counts. A real reply has keys that the service's published model lacks, and readers must skip them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    cache_read_input_token_count: u32,
    cache_read_input_tokens: u32,
    cache_write_input_token_count: u32,
    cache_write_input_tokens: u32,
    input_tokens: u32,
    output_tokens: u32,
    server_tool_usage: ServerToolUsage,
    total_tokens: u32,
}

#[derive(Serialize)]
struct ServerToolUsage {}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "messageStart",
            Self::ContentBlockDelta { .. } => "contentBlockDelta",
            Self::ContentBlockStop { .. } => "contentBlockStop",
            Self::MessageStop { .. } => "messageStop",
            Self::Metadata { .. } => "metadata",
        }
    }
}

/// Encodes one reply's events, each as one frame.
#[derive(Default)]
pub(crate) struct Encoder {
    events: usize,
}

impl Encoder {
    pub(crate) fn message_start(&mut self) -> Result<Bytes, Error> {
        event(&Event::MessageStart { p: self.padding(), role: "assistant" })
    }

    pub(crate) fn delta(&mut self, text: &str) -> Result<Bytes, Error> {
        event(&Event::ContentBlockDelta { content_block_index: 0, delta: Delta { text }, p: self.padding() })
    }

    pub(crate) fn block_stop(&mut self) -> Result<Bytes, Error> {
        event(&Event::ContentBlockStop { content_block_index: 0, p: self.padding() })
    }

    pub(crate) fn message_stop(&mut self, stop_reason: StopReason) -> Result<Bytes, Error> {
        event(&Event::MessageStop { p: self.padding(), stop_reason })
    }

    /// `latency_ms`: from the acceptance of the request to the end of the reply.
    pub(crate) fn metadata(&mut self, latency_ms: u64, input_tokens: u32, output_tokens: u32) -> Result<Bytes, Error> {
        let usage = Usage {
            cache_read_input_token_count: 0,
            cache_read_input_tokens: 0,
            cache_write_input_token_count: 0,
            cache_write_input_tokens: 0,
            input_tokens,
            output_tokens,
            server_tool_usage: ServerToolUsage {},
            total_tokens: input_tokens.saturating_add(output_tokens),
        };
        event(&Event::Metadata { metrics: Metrics { latency_ms }, p: self.padding(), usage })
    }

    /// 4 to 60 characters, as Bedrock's. There they hide a token's length from who reads the traffic; here it is
    /// enough that lengths vary, and good that fixtures are the same each time.
    fn padding(&mut self) -> &'static str {
        const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        self.events += 1;
        ALPHABET.get(..4 + self.events * 23 % 57).unwrap_or(ALPHABET)
    }
}

/// The frame of an exception, after which a stream ends.
pub(crate) fn exception(kind: StreamException, message: &str) -> Result<Bytes, Error> {
    let payload = serde_json::json!({ "message": message }).to_string();
    frame(
        [(":exception-type", kind.name()), (":content-type", "application/json"), (":message-type", "exception")],
        payload,
    )
}

fn event(event: &Event<'_>) -> Result<Bytes, Error> {
    // Strings and numbers under string keys always serialize.
    let payload = serde_json::to_vec(event).unwrap_or_default();
    frame([(":event-type", event.name()), (":content-type", "application/json"), (":message-type", "event")], payload)
}

fn frame(headers: [(&'static str, &'static str); 3], payload: impl Into<Bytes>) -> Result<Bytes, Error> {
    let headers = headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.into()))).into();
    let mut bytes = BytesMut::new();
    write_message_to(&Message::new_from_parts(headers, payload), &mut bytes)?;
    Ok(bytes.freeze())
}

/// An event that no client knows yet, for the fixtures.
#[cfg(test)]
pub(crate) fn frame_of_unknown_event() -> Result<Bytes, Error> {
    let headers = [(":event-type", "fromTheFuture"), (":content-type", "application/json"), (":message-type", "event")];
    frame(headers, r#"{"p":"abcd"}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Laid out by hand from the format's description; the checksums are zlib's `crc32`.
    #[test]
    fn a_frame_has_this_layout() {
        let headers = [(":event-type", "x"), (":content-type", "application/json"), (":message-type", "event")];
        let mut expected = b"\x00\x00\x00\x59\x00\x00\x00\x47".to_vec();
        expected.extend(0xb899_a6e0_u32.to_be_bytes());
        expected.extend(b"\x0b:event-type\x07\x00\x01x");
        expected.extend(b"\x0d:content-type\x07\x00\x10application/json");
        expected.extend(b"\x0d:message-type\x07\x00\x05event");
        expected.extend(b"{}");
        expected.extend(0xbd22_06c9_u32.to_be_bytes());
        assert_eq!(frame(headers, "{}").unwrap().escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}
