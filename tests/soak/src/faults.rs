//! Every fault that the stand-in for Bedrock lists, and what a client must see of each.

use local_bedrock::{Breakage, ErrorKind, Fault, FaultEntry, FaultGroup, Side, Speech, StreamException};

use crate::script::{Said, TOKENS};

/// Output tokens before a break: none, a few, all but one.
const AFTER: [&str; 3] = ["@0", "@3", "@59"];
/// How late a response head is: within the second for which the function holds the status line, and beyond.
const HEAD_DELAYS: [&str; 2] = [":300", ":1500"];
const SIDES: [&str; 2] = [":input", ":output"];

/// What a request for a reply must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A whole reply, and `done`.
    Done(Done),
    /// An error in place of a reply: an HTTP status with this code, or, where Bedrock took longer than the function
    /// holds the status line, an `error` event.
    Refused(Code),
    /// So many tokens of the reply, and then an `error` event.
    Broken {
        /// Tokens before.
        tokens: usize,
        /// What the event says.
        code: Code,
    },
    /// Bedrock's connection was reset. What was on its way may be lost with it: with the response head all of the
    /// stream, and the request is then refused.
    Reset {
        /// Tokens before, at most.
        tokens: usize,
    },
}

/// A reply's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) said: Said,
    pub(crate) stop_reason: &'static str,
    /// Output tokens as Bedrock counts them. None where it does not tell.
    pub(crate) output_tokens: Option<usize>,
}

/// An error of the HTTP contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
}

const THROTTLED: Code = Code { name: "throttled", status: 429, retry_after: Some(2) };
pub(crate) const UNAVAILABLE: Code = Code { name: "model_unavailable", status: 503, retry_after: Some(5) };
const TIMED_OUT: Code = Code { name: "model_timeout", status: 504, retry_after: None };
const REJECTED: Code = Code { name: "model_rejected", status: 502, retry_after: None };
const ACCESS_DENIED: Code = Code { name: "model_access_denied", status: 502, retry_after: None };
const NOT_FOUND: Code = Code { name: "model_not_found", status: 502, retry_after: None };
pub(crate) const INTERRUPTED: Code = Code { name: "stream_interrupted", status: 502, retry_after: None };
const STALLED: Code = Code { name: "stream_stalled", status: 504, retry_after: None };

const USUAL: Done = Done { said: Said::Script, stop_reason: "end_turn", output_tokens: Some(TOKENS) };

/// Every fault there is, those with parameters several times.
pub(crate) fn all() -> Vec<Fault> {
    let entries = FaultGroup::ALL.iter().flat_map(FaultGroup::entries);
    let names =
        entries.flat_map(|entry| parameters(entry).into_iter().map(|written| format!("{}{written}", entry.name())));
    names.filter_map(|name| name.parse().ok()).collect()
}

/// What to write behind a fault's name. A parameter of a kind that is not known here is left to its default.
fn parameters(entry: &FaultEntry) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    match entry.parameters() {
        "[@TOKENS]" => texts(&AFTER),
        "[:KIND][@TOKENS]" => {
            let kinds = StreamException::ALL.into_iter();
            kinds.flat_map(|kind| AFTER.map(|after| format!(":{}{after}", kind.name()))).collect()
        }
        "[:MS]" => texts(&HEAD_DELAYS),
        "[:SIDE]" => texts(&SIDES),
        _ => texts(&[""]),
    }
}

/// Whether the function finds out only by its time-out for a silent stream.
pub(crate) fn is_silent(fault: &Fault) -> bool {
    matches!(fault, Fault::Break { how: Breakage::Stall, .. })
}

/// Whether the reply is one huge delta.
pub(crate) fn is_huge(fault: &Fault) -> bool {
    matches!(fault, Fault::Say(Speech::Huge { .. }))
}

/// What must come of a request that fails in this way, or not at all.
pub(crate) fn expected(fault: Option<Fault>) -> Expected {
    let Some(fault) = fault else { return Expected::Done(USUAL) };
    match fault {
        Fault::Refuse(kind) => Expected::Refused(refusal(kind)),
        Fault::Break { how, after } => {
            let tokens = TOKENS.min(after as usize);
            match how {
                Breakage::Exception(kind) => Expected::Broken { tokens, code: exception(kind) },
                Breakage::Stall => Expected::Broken { tokens, code: STALLED },
                Breakage::Reset => Expected::Reset { tokens },
                Breakage::Drop
                | Breakage::Truncate
                | Breakage::TruncateFrame
                | Breakage::CorruptMessage
                | Breakage::CorruptPrelude => Expected::Broken { tokens, code: INTERRUPTED },
            }
        }
        Fault::SlowHead(_) | Fault::Insert { .. } | Fault::Portion(_) => Expected::Done(USUAL),
        Fault::NoMetadata => Expected::Done(Done { output_tokens: None, ..USUAL }),
        Fault::Say(speech) => {
            let (said, output_tokens) = match speech {
                Speech::Empty => (Said::Nothing, 0),
                Speech::Huge { kibibytes } => (Said::Repeated { kibibytes }, TOKENS),
                Speech::Hostile => (Said::Hostile, Speech::HOSTILE.len()),
            };
            Expected::Done(Done { said, output_tokens: Some(output_tokens), ..USUAL })
        }
        Fault::Guardrail(side) => {
            let output_tokens = Some(match side {
                Side::Input => 0,
                Side::Output => TOKENS,
            });
            Expected::Done(Done { said: Said::Blocked, stop_reason: "guardrail_intervened", output_tokens })
        }
    }
}

fn refusal(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Throttling => THROTTLED,
        ErrorKind::ModelTimeout => TIMED_OUT,
        ErrorKind::AccessDenied => ACCESS_DENIED,
        ErrorKind::ResourceNotFound => NOT_FOUND,
        ErrorKind::ModelNotReady
        | ErrorKind::InternalServer
        | ErrorKind::ServiceUnavailable
        | ErrorKind::ModelError => UNAVAILABLE,
        // Validation, and what the front end says of a request that it does not understand.
        _ => REJECTED,
    }
}

fn exception(kind: StreamException) -> Code {
    match kind {
        StreamException::Throttling => THROTTLED,
        StreamException::Validation => REJECTED,
        StreamException::InternalServer | StreamException::ModelStreamError | StreamException::ServiceUnavailable => {
            UNAVAILABLE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_fault_is_drawn_by_its_own_name() {
        let drawn: Vec<_> = all().iter().map(ToString::to_string).collect();
        for entry in FaultGroup::ALL.iter().flat_map(FaultGroup::entries) {
            let named = |fault: &String| fault.split([':', '@']).next() == Some(entry.name());
            assert!(drawn.iter().any(named), "{} is never drawn", entry.name());
        }
    }
}
