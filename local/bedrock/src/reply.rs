//! A reply's event stream: the generator's steps under their limits, with the fault that was asked for.

use std::time::Duration;

use async_stream::try_stream;
use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use tokio::time::Instant;

use crate::{
    Failure, Fault, Generation, Step, StopReason, StreamException,
    frames::{self, Encoder},
    limits::Limits,
};

/// Why a response body broke off. It never reaches the client: the connection is closed instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cut {
    #[error("dropped by a fault")]
    Fault,
    #[error("an event could not be encoded: {0}")]
    Encoding(#[from] aws_smithy_eventstream::error::Error),
}

/// How the events after the text go on.
enum Ending {
    Stop(StopReason),
    Exception(StreamException, String),
    Drop,
    Stall,
}

/// A fault of the stream, as opposed to one in its place.
struct MidStream {
    after: u32,
    ending: Ending,
}

/// The frames of one reply, each at the moment it exists. `accepted` is when the request came in.
pub(crate) fn frames(
    generation: Generation,
    mut limits: Limits,
    fault: Option<Fault>,
    accepted: Instant,
) -> impl Stream<Item = Result<Bytes, Cut>> + Send + 'static {
    let Generation { input_tokens, mut steps } = generation;
    let mut fault = fault.and_then(MidStream::of);
    try_stream! {
        let mut encoder = Encoder::default();
        let mut started = false;
        let mut ending = loop {
            if let Some(due) = fault.take_if(|fault| limits.output_tokens() >= fault.after) {
                break due.ending;
            }
            let step = steps.next().await;
            if !started && matches!(step, Some(Ok(_))) {
                started = true;
                yield encoder.message_start()?;
            }
            let (text, ending) = match step {
                Some(Ok(Step::Piece(piece))) => {
                    let admitted = limits.admit(&piece);
                    (admitted.text, admitted.end.map(Ending::Stop))
                }
                Some(Ok(Step::Finish(reason))) => (limits.release(), Some(Ending::Stop(reason))),
                Some(Err(Failure(message))) => (String::new(), Some(Ending::Exception(StreamException::ModelStreamError, message))),
                None => (String::new(), Some(Ending::Exception(StreamException::ModelStreamError, UNFINISHED.to_owned()))),
            };
            if !text.is_empty() {
                yield encoder.delta(&text)?;
            }
            if let Some(ending) = ending {
                break ending;
            }
        };
        // Before anything else is awaited: whatever the generator holds for this reply is free now.
        drop(steps);
        if let Some(overdue) = fault {
            ending = overdue.ending;
        }
        match ending {
            Ending::Stop(reason) => {
                yield encoder.block_stop()?;
                yield encoder.message_stop(reason)?;
                yield encoder.metadata(milliseconds(accepted.elapsed()), input_tokens, limits.output_tokens())?;
            }
            Ending::Exception(kind, message) => yield frames::exception(kind, &message)?,
            Ending::Drop => {
                // hyper throws away what it has not flushed when a body fails; it flushes when one is pending.
                tokio::task::yield_now().await;
                Err(Cut::Fault)?;
            }
            Ending::Stall => std::future::pending().await,
        }
    }
}

const UNFINISHED: &str = "The model's output ended unexpectedly.";

impl MidStream {
    fn of(fault: Fault) -> Option<Self> {
        match fault {
            Fault::Refuse(_) => None,
            Fault::Exception { kind, after } => {
                Some(Self { after, ending: Ending::Exception(kind, kind.usual_message().to_owned()) })
            }
            Fault::Drop { after } => Some(Self { after, ending: Ending::Drop }),
            Fault::Stall { after } => Some(Self { after, ending: Ending::Stall }),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod fixtures;
