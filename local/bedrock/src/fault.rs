//! Failing on purpose: the faults, their names, and the switch that tests hold.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::ErrorKind;

/// A way in which a request fails.
///
/// `after` counts output tokens. At 0 the fault comes before the stream's first event, right behind the
/// response head; a reply shorter than `after` fails where its last token was.
///
/// Names (`FromStr`): `throttle`, `not-ready`, `500`, `503`, `model-error`, `model-timeout`, `validation`,
/// `access-denied`, `not-found`, `exception[:KIND][@TOKENS]`, `drop[@TOKENS]`, `stall[@TOKENS]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An HTTP error in place of a reply.
    Refuse(ErrorKind),
    /// An exception event in mid-stream; the stream then ends.
    Exception {
        /// Which exception.
        kind: StreamException,
        /// Output tokens sent before.
        after: u32,
    },
    /// The connection (with HTTP/2: the stream) is dropped without an ending.
    Drop {
        /// Output tokens sent before.
        after: u32,
    },
    /// The stream falls silent and stays open until the client goes away.
    Stall {
        /// Output tokens sent before.
        after: u32,
    },
}

/// Tokens sent before a mid-stream fault whose name does not say `@TOKENS`.
const DEFAULT_AFTER: u32 = 3;

const REFUSALS: [(&str, ErrorKind); 9] = [
    ("throttle", ErrorKind::Throttling),
    ("not-ready", ErrorKind::ModelNotReady),
    ("500", ErrorKind::InternalServer),
    ("503", ErrorKind::ServiceUnavailable),
    ("model-error", ErrorKind::ModelError),
    ("model-timeout", ErrorKind::ModelTimeout),
    ("validation", ErrorKind::Validation),
    ("access-denied", ErrorKind::AccessDenied),
    ("not-found", ErrorKind::ResourceNotFound),
];

/// The exceptions that can come as an event (`:exception-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamException {
    /// `internalServerException`
    InternalServer,
    /// `modelStreamErrorException`
    ModelStreamError,
    /// `validationException`
    Validation,
    /// `throttlingException`
    Throttling,
    /// `serviceUnavailableException`
    ServiceUnavailable,
}

impl StreamException {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::InternalServer, Self::ModelStreamError, Self::Validation, Self::Throttling, Self::ServiceUnavailable];

    /// The name on the wire, as in `:exception-type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalServer => "internalServerException",
            Self::ModelStreamError => "modelStreamErrorException",
            Self::Validation => "validationException",
            Self::Throttling => "throttlingException",
            Self::ServiceUnavailable => "serviceUnavailableException",
        }
    }

    pub(crate) fn usual_message(self) -> &'static str {
        match self {
            Self::InternalServer => ErrorKind::InternalServer.usual_message(),
            Self::ModelStreamError => ErrorKind::ModelError.usual_message(),
            Self::Validation => ErrorKind::Validation.usual_message(),
            Self::Throttling => ErrorKind::Throttling.usual_message(),
            Self::ServiceUnavailable => ErrorKind::ServiceUnavailable.usual_message(),
        }
    }
}

/// A string that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault; the faults are {refusals}, exception[:KIND][@TOKENS], drop[@TOKENS] and stall[@TOKENS], where KIND is one of {kinds}",
    refusals = REFUSALS.map(|(name, _)| name).join(", "),
    kinds = StreamException::ALL.map(StreamException::name).join(", "),
)]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        if let Some((_, kind)) = REFUSALS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Refuse(*kind));
        }
        let unknown = || UnknownFault(text.to_owned());
        let (name, after) = match text.split_once('@') {
            Some((name, tokens)) => (name, tokens.parse().map_err(|_| unknown())?),
            None => (text, DEFAULT_AFTER),
        };
        match name.split_once(':') {
            None if name == "drop" => Ok(Self::Drop { after }),
            None if name == "stall" => Ok(Self::Stall { after }),
            None if name == "exception" => Ok(Self::Exception { kind: StreamException::ModelStreamError, after }),
            Some(("exception", kind)) => {
                let kind = StreamException::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(unknown)?;
                Ok(Self::Exception { kind, after })
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(kind) => {
                let name = REFUSALS.iter().find(|(_, known)| known == kind).map_or(kind.name(), |(name, _)| name);
                formatter.write_str(name)
            }
            Self::Exception { kind, after } => write!(formatter, "exception:{}@{after}", kind.name()),
            Self::Drop { after } => write!(formatter, "drop@{after}"),
            Self::Stall { after } => write!(formatter, "stall@{after}"),
        }
    }
}

/// Switches faults while a stand-in runs. Clones share one switch.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Switch>>);

#[derive(Debug, Default)]
struct Switch {
    standing: Option<Fault>,
    once: VecDeque<Fault>,
}

impl Faults {
    /// From now on every request fails with `fault`, or with none. Faults queued by [`once`](Self::once) come first.
    pub fn set(&self, fault: Option<Fault>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).standing = fault;
    }

    /// The next request for a reply fails with `fault`, and only that one. Called again, it queues: first in, first out.
    pub fn once(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).once.push_back(fault);
    }

    pub(crate) fn take(&self) -> Option<Fault> {
        let mut switch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        switch.once.pop_front().or(switch.standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_back_from_its_own_name() {
        let mid_stream = StreamException::ALL.map(|kind| Fault::Exception { kind, after: 7 });
        let others = [Fault::Drop { after: 0 }, Fault::Stall { after: 12 }];
        let refusals = REFUSALS.map(|(_, kind)| Fault::Refuse(kind));
        for fault in mid_stream.into_iter().chain(others).chain(refusals) {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn kind_and_tokens_may_be_left_out() {
        let kind = StreamException::ModelStreamError;
        assert_eq!("exception".parse(), Ok(Fault::Exception { kind, after: 3 }));
        assert_eq!("drop".parse(), Ok(Fault::Drop { after: 3 }));
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_list() {
        for text in ["", "throttled", "exception:oops@3", "drop@", "drop@-1", "stall:x", "throttle@2"] {
            let refused = text.parse::<Fault>().unwrap_err().to_string();
            assert!(refused.contains("throttle, not-ready, 500"), "{refused}");
            assert!(refused.contains("modelStreamErrorException"), "{refused}");
        }
    }

    #[test]
    fn a_fault_for_once_comes_before_the_standing_one() {
        let faults = Faults::default();
        faults.set(Some(Fault::Drop { after: 1 }));
        faults.once(Fault::Stall { after: 2 });
        faults.once(Fault::Stall { after: 3 });
        let taken = [faults.take(), faults.take(), faults.take()];
        assert_eq!(
            taken,
            [Some(Fault::Stall { after: 2 }), Some(Fault::Stall { after: 3 }), Some(Fault::Drop { after: 1 })]
        );
    }
}
