//! The table of faults: name, what may follow the name, and a sentence for people.

use std::time::Duration;

use super::{Breakage, Fault, Insertion, Portion, Side, Speech, StreamException};
use crate::ErrorKind;

/// Tokens sent before a fault whose name does not say `@TOKENS`.
const DEFAULT_AFTER: u32 = 3;
/// A late head that does not say how late: longer than a client's patience with a status line, shorter than most
/// clients' time-outs.
const DEFAULT_HEAD_DELAY_MS: u32 = 3_000;
/// Ten minutes: no wait here is without a bound.
const MAX_HEAD_DELAY_MS: u32 = 600_000;
/// One MiB, far above any reader's buffer.
const DEFAULT_HUGE_KIB: u32 = 1_024;
/// A frame has room for 16 MiB, and JSON needs some of it to escape the text.
const MAX_HUGE_KIB: u32 = 8_192;

/// Faults that act in the same place.
#[derive(Debug)]
pub struct FaultGroup {
    title: &'static str,
    entries: &'static [FaultEntry],
}

/// A fault as it is listed to people.
#[derive(Debug)]
pub struct FaultEntry {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    about: &'static str,
}

/// What may follow a name, and the fault that comes of it.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nothing.
    Bare(Fault),
    /// `[@TOKENS]`, a break.
    Break(Breakage),
    /// `[:KIND][@TOKENS]`
    Exception,
    /// `[@TOKENS]`, something besides text.
    Insert(Insertion),
    /// `[:MS]`
    HeadDelay,
    /// `[:KIB]`
    Size,
    /// `[:SIDE]`
    Side,
}

const fn entry(name: &'static str, shape: Shape, about: &'static str) -> FaultEntry {
    FaultEntry { name, shape, about }
}

const fn refusal(name: &'static str, kind: ErrorKind, about: &'static str) -> FaultEntry {
    entry(name, Shape::Bare(Fault::Refuse(kind)), about)
}

impl FaultGroup {
    /// Every fault there is.
    pub const ALL: &'static [Self] = &[
        Self {
            title: "Refusals, in place of a reply",
            entries: &[
                refusal("throttle", ErrorKind::Throttling, "429 ThrottlingException."),
                refusal("not-ready", ErrorKind::ModelNotReady, "429 ModelNotReadyException."),
                refusal("500", ErrorKind::InternalServer, "500 InternalServerException."),
                refusal("503", ErrorKind::ServiceUnavailable, "503 ServiceUnavailableException."),
                refusal("model-error", ErrorKind::ModelError, "424 ModelErrorException."),
                refusal("model-timeout", ErrorKind::ModelTimeout, "408 ModelTimeoutException."),
                refusal("validation", ErrorKind::Validation, "400 ValidationException."),
                refusal("access-denied", ErrorKind::AccessDenied, "403 AccessDeniedException."),
                refusal("not-found", ErrorKind::ResourceNotFound, "404 ResourceNotFoundException."),
            ],
        },
        Self {
            title: "Breaks in the stream",
            entries: &[
                entry("slow-head", Shape::HeadDelay, "The response head comes MS late, 3000 if not said."),
                entry("exception", Shape::Exception, "An exception event, modelStreamErrorException if not said."),
                entry("stall", Shape::Break(Breakage::Stall), "Silence on an open stream, until the client goes."),
                entry("drop", Shape::Break(Breakage::Drop), "The connection closes (FIN) within the body."),
                entry("reset", Shape::Break(Breakage::Reset), "The connection is reset (RST)."),
                entry(
                    "truncate",
                    Shape::Break(Breakage::Truncate),
                    "The body ends early, in due form, between frames.",
                ),
                entry(
                    "truncate-frame",
                    Shape::Break(Breakage::TruncateFrame),
                    "The body ends early, in due form, within a frame.",
                ),
                entry("corrupt", Shape::Break(Breakage::CorruptMessage), "A frame with a wrong message checksum."),
                entry(
                    "corrupt-prelude",
                    Shape::Break(Breakage::CorruptPrelude),
                    "A frame with a wrong prelude checksum.",
                ),
            ],
        },
        Self {
            title: "Unusual replies",
            entries: &[
                entry("unknown-event", Shape::Insert(Insertion::UnknownEvent), "An event of a new type amid the text."),
                entry("reasoning", Shape::Insert(Insertion::Reasoning), "A block of reasoning deltas amid the text."),
                entry("tool-use", Shape::Insert(Insertion::ToolUse), "A block of tool deltas amid the text."),
                entry("empty", Shape::Bare(Fault::Say(Speech::Empty)), "No delta at all, and end_turn."),
                entry("no-metadata", Shape::Bare(Fault::NoMetadata), "The stream ends with messageStop."),
                entry("huge-delta", Shape::Size, "The reply repeated into one delta of KIB KiB, 1024 if not said."),
                entry(
                    "hostile",
                    Shape::Bare(Fault::Say(Speech::Hostile)),
                    "Split emoji, CJK, bidi, CR, LF, `data:` lines, control characters.",
                ),
            ],
        },
        Self {
            title: "Portions of bytes",
            entries: &[
                entry("coalesced", Shape::Bare(Fault::Portion(Portion::Whole)), "The whole reply in one write."),
                entry("bytewise", Shape::Bare(Fault::Portion(Portion::Byte)), "Every byte in a write of its own."),
            ],
        },
        Self {
            title: "Guardrail",
            entries: &[entry("guardrail", Shape::Side, "A guardrail blocks input or output, input if not said.")],
        },
    ];

    /// What the group's faults have in common.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// The faults of the group.
    pub fn entries(&self) -> &'static [FaultEntry] {
        self.entries
    }
}

impl FaultEntry {
    /// The name, without what may follow it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What may follow the name, such as `[@TOKENS]`.
    pub fn parameters(&self) -> &'static str {
        match self.shape {
            Shape::Bare(_) => "",
            Shape::Break(_) | Shape::Insert(_) => "[@TOKENS]",
            Shape::Exception => "[:KIND][@TOKENS]",
            Shape::HeadDelay => "[:MS]",
            Shape::Size => "[:KIB]",
            Shape::Side => "[:SIDE]",
        }
    }

    /// One sentence on what it does.
    pub fn about(&self) -> &'static str {
        self.about
    }
}

impl Shape {
    /// The fault of a name that is followed by `:argument` and `@tokens`.
    pub(super) fn fault(&self, argument: Option<&str>, tokens: Option<u32>) -> Option<Fault> {
        let after = tokens.unwrap_or(DEFAULT_AFTER);
        match (self, argument, tokens) {
            (Self::Bare(fault), None, None) => Some(*fault),
            (Self::Break(how), None, _) => Some(Fault::Break { how: *how, after }),
            (Self::Insert(what), None, _) => Some(Fault::Insert { what: *what, after }),
            (Self::Exception, kind, _) => {
                let kind = match kind {
                    None => StreamException::ModelStreamError,
                    Some(name) => StreamException::ALL.into_iter().find(|known| known.name() == name)?,
                };
                Some(Fault::Break { how: Breakage::Exception(kind), after })
            }
            (Self::HeadDelay, delay, None) => {
                let ms = number(delay, DEFAULT_HEAD_DELAY_MS, MAX_HEAD_DELAY_MS)?;
                Some(Fault::SlowHead(Duration::from_millis(ms.into())))
            }
            (Self::Size, size, None) => {
                let kibibytes = number(size, DEFAULT_HUGE_KIB, MAX_HUGE_KIB)?;
                Some(Fault::Say(Speech::Huge { kibibytes }))
            }
            (Self::Side, side, None) => {
                let side = match side {
                    None => Side::Input,
                    Some(name) => Side::ALL.into_iter().find(|known| known.name() == name)?,
                };
                Some(Fault::Guardrail(side))
            }
            _ => None,
        }
    }

    /// What follows the name where `fault` is written; `None` where `fault` goes by another name.
    pub(super) fn suffix(&self, fault: Fault) -> Option<String> {
        let argument = match (self, fault) {
            (Self::Exception, Fault::Break { how: Breakage::Exception(kind), .. }) => Some(kind.name().to_owned()),
            (Self::HeadDelay, Fault::SlowHead(delay)) => Some(delay.as_millis().to_string()),
            (Self::Size, Fault::Say(Speech::Huge { kibibytes })) => Some(kibibytes.to_string()),
            (Self::Side, Fault::Guardrail(side)) => Some(side.name().to_owned()),
            _ => None,
        };
        let after = fault.after();
        if self.fault(argument.as_deref(), after) != Some(fault) {
            return None;
        }
        let argument = argument.map(|argument| format!(":{argument}")).unwrap_or_default();
        let after = after.map(|after| format!("@{after}")).unwrap_or_default();
        Some(argument + &after)
    }
}

fn number(text: Option<&str>, default: u32, max: u32) -> Option<u32> {
    let number = text.map_or(Some(default), |text| text.parse().ok())?;
    (1..=max).contains(&number).then_some(number)
}
