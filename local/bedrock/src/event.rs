//! The events of a reply and their JSON, with the keys and the padding seen from Bedrock. Frames are in `frames`.

use serde::Serialize;
use serde_json::Value;

use crate::{StopReason, StreamException};

/// One event of a reply's stream. `index` numbers the content blocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    MessageStart,
    /// Text blocks have none; one that calls a tool starts with the call's name.
    ToolUseStart {
        index: u32,
    },
    Delta {
        index: u32,
        delta: Delta,
    },
    BlockStop {
        index: u32,
    },
    MessageStop(StopReason),
    Metadata(Metadata),
    /// The last event of its stream.
    Exception {
        kind: StreamException,
        message: String,
    },
    /// Of a type that no client knows yet.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Delta {
    Text(String),
    ReasoningContent(Reasoning),
    ToolUse { input: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reasoning {
    Text(String),
    Signature(String),
}

/// How a reply went.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metadata {
    /// From the acceptance of the request to the end of the reply.
    pub(crate) latency_ms: u64,
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
    /// What the guardrail saw, where the request asks to be told.
    pub(crate) trace: Option<Value>,
}

impl Event {
    /// `:event-type`, or `:exception-type`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::MessageStart => "messageStart",
            Self::ToolUseStart { .. } => "contentBlockStart",
            Self::Delta { .. } => "contentBlockDelta",
            Self::BlockStop { .. } => "contentBlockStop",
            Self::MessageStop(_) => "messageStop",
            Self::Metadata(_) => "metadata",
            Self::Exception { kind, .. } => kind.name(),
            Self::Unknown => "fromTheFuture",
        }
    }

    /// The JSON. `p` is padding, which exceptions do not have.
    pub(crate) fn payload(&self, p: &str) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Payload::new(self, p))
    }
}

/// An event's JSON. Keys are in Bedrock's order, which is alphabetic.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Payload<'a> {
    MessageStart { p: &'a str, role: &'static str },
    ContentBlockStart { content_block_index: u32, p: &'a str, start: BlockStart },
    ContentBlockDelta { content_block_index: u32, delta: &'a Delta, p: &'a str },
    ContentBlockStop { content_block_index: u32, p: &'a str },
    MessageStop { p: &'a str, stop_reason: StopReason },
    Metadata(MetadataPayload<'a>),
    Exception { message: &'a str },
    Unknown { p: &'a str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum BlockStart {
    #[serde(rename_all = "camelCase")]
    ToolUse { name: &'static str, tool_use_id: &'static str },
}

#[derive(Serialize)]
struct MetadataPayload<'a> {
    metrics: Metrics,
    p: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Value>,
    usage: Usage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
}

/// Token counts. A real reply has keys that the service's published model lacks, and readers must skip them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
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

impl<'a> Payload<'a> {
    fn new(event: &'a Event, p: &'a str) -> Self {
        match event {
            Event::MessageStart => Self::MessageStart { p, role: "assistant" },
            Event::ToolUseStart { index } => Self::ContentBlockStart {
                content_block_index: *index,
                p,
                start: BlockStart::ToolUse { name: "get_weather", tool_use_id: "tooluse_1a2B3c4D5e6F7g8H9i0J1k" },
            },
            Event::Delta { index, delta } => Self::ContentBlockDelta { content_block_index: *index, delta, p },
            Event::BlockStop { index } => Self::ContentBlockStop { content_block_index: *index, p },
            Event::MessageStop(stop_reason) => Self::MessageStop { p, stop_reason: *stop_reason },
            Event::Metadata(metadata) => Self::Metadata(MetadataPayload {
                metrics: Metrics { latency_ms: metadata.latency_ms },
                p,
                trace: metadata.trace.as_ref(),
                usage: Usage {
                    cache_read_input_token_count: 0,
                    cache_read_input_tokens: 0,
                    cache_write_input_token_count: 0,
                    cache_write_input_tokens: 0,
                    input_tokens: metadata.input_tokens,
                    output_tokens: metadata.output_tokens,
                    server_tool_usage: ServerToolUsage {},
                    total_tokens: metadata.input_tokens.saturating_add(metadata.output_tokens),
                },
            }),
            Event::Exception { message, .. } => Self::Exception { message },
            Event::Unknown => Self::Unknown { p },
        }
    }
}
