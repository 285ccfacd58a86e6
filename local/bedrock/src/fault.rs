//! Failing on purpose: what can be made to go wrong with a request.
//!
//! `catalogue` is the one table of faults; their names are read and written from it (`name`), and so are the
//! command's help and the control port's list. `switch` is the handle that sets them while a stand-in runs. What a
//! fault does is in the place it acts on: `service` for refusals and the head, `reply` for the stream, `guardrail`.
//! Faults of the network, which act on whole connections, are [`NetworkFault`](crate::NetworkFault)s.

mod catalogue;
mod name;
mod stream_exception;
mod switch;

use std::time::Duration;

pub use catalogue::{FaultEntry, FaultGroup};
pub use name::UnknownFault;
pub use stream_exception::StreamException;
pub use switch::Faults;

use crate::ErrorKind;

/// A way in which a request fails, or in which its reply is out of the ordinary.
///
/// `after` counts output tokens. A break at 0 comes before the stream's first event, right behind the response head;
/// a reply shorter than `after` breaks where its last token was.
///
/// Each has a name, which `FromStr` reads and `Display` writes: [`FaultGroup::ALL`] lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An HTTP error in place of a reply.
    Refuse(ErrorKind),
    /// The response head comes late by this time.
    SlowHead(Duration),
    /// The stream ends, or is damaged, in its middle.
    Break {
        /// How.
        how: Breakage,
        /// Output tokens sent before.
        after: u32,
    },
    /// The stream holds more than text.
    Insert {
        /// What else.
        what: Insertion,
        /// Output tokens sent before, at least.
        after: u32,
    },
    /// No `metadata` follows `messageStop`: no usage and no latency.
    NoMetadata,
    /// The model says something else.
    Say(Speech),
    /// The reply's bytes reach the socket in other portions than one frame each.
    Portion(Portion),
    /// A guardrail blocks, whatever was said and whether or not the request names one.
    Guardrail(Side),
}

/// How a stream breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// An exception event; the stream then ends.
    Exception(StreamException),
    /// The stream falls silent and stays open until the client goes away.
    Stall,
    /// The connection is closed (FIN), and the body is not ended.
    Drop,
    /// The connection is reset (RST).
    Reset,
    /// The body is ended in due form, between two frames.
    Truncate,
    /// The body is ended in due form, within a frame.
    TruncateFrame,
    /// One frame's message checksum is wrong; the stream goes on.
    CorruptMessage,
    /// One frame's prelude checksum is wrong; the stream goes on.
    CorruptPrelude,
}

/// What a stream can hold besides text. The text goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insertion {
    /// An event of a type that no client knows yet.
    UnknownEvent,
    /// A content block of reasoning, with its signature.
    Reasoning,
    /// A content block that calls a tool.
    ToolUse,
}

/// What is said in place of the generator's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// Nothing: `end_turn` without a delta.
    Empty,
    /// The whole reply in one delta, repeated up to this many KiB.
    Huge {
        /// Size of the delta's text, in KiB.
        kibibytes: u32,
    },
    /// Text that is hard on whoever cuts, escapes or shows it.
    Hostile,
}

impl Speech {
    /// The pieces of [`Hostile`](Self::Hostile) text, a delta each.
    pub const HOSTILE: &'static [&'static str] = &crate::reply::speech::hostile::PIECES;
}

/// In which portions the reply's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// The whole reply in one write, once it is complete.
    Whole,
    /// Every byte in a write of its own.
    Byte,
}

/// What a guardrail looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The conversation, before the model runs.
    Input,
    /// The model's reply.
    Output,
}

impl Side {
    const ALL: [Self; 2] = [Self::Input, Self::Output];

    /// As in a fault's name.
    fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl Fault {
    /// Output tokens before it, where that is its to say.
    fn after(self) -> Option<u32> {
        match self {
            Self::Break { after, .. } | Self::Insert { after, .. } => Some(after),
            _ => None,
        }
    }
}
