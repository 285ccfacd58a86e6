//! What a generator says, under the request's limits.

use async_stream::stream;
use futures::stream::{BoxStream, Stream, StreamExt};
use serde_json::Value;

use crate::{Failure, Step, StopReason, limits::Limits};

/// Text that may be sent, or the end of it. `output_tokens` counts all generated up to there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// May be empty, where a token has no text or its text is still held back.
    Text {
        text: String,
        output_tokens: u32,
    },
    End(Ending),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Stop {
        reason: StopReason,
        output_tokens: u32,
        /// What a guardrail has to tell.
        trace: Option<Value>,
    },
    /// The model broke, with the reason.
    Failure(String),
}

impl Said {
    /// Empty at the end.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::End(_) => "",
        }
    }

    pub(crate) fn output_tokens(&self) -> u32 {
        match self {
            Self::Text { output_tokens, .. } | Self::End(Ending::Stop { output_tokens, .. }) => *output_tokens,
            Self::End(Ending::Failure(_)) => 0,
        }
    }
}

const UNFINISHED: &str = "The model's output ended unexpectedly.";

/// Always ends with [`Said::End`], before which the generator is dropped: whatever it holds for this reply is free.
pub(super) fn under_limits(
    mut steps: BoxStream<'static, Result<Step, Failure>>,
    mut limits: Limits,
) -> impl Stream<Item = Said> + Send + 'static {
    stream! {
        let ending = loop {
            let (text, end) = match steps.next().await {
                Some(Ok(Step::Piece(piece))) => {
                    let admitted = limits.admit(&piece);
                    (admitted.text, admitted.end)
                }
                Some(Ok(Step::Finish(reason))) => (limits.release(), Some(reason)),
                Some(Err(Failure(message))) => break Ending::Failure(message),
                None => break Ending::Failure(UNFINISHED.to_owned()),
            };
            let output_tokens = limits.output_tokens();
            yield Said::Text { text, output_tokens };
            if let Some(reason) = end {
                break Ending::Stop { reason, output_tokens, trace: None };
            }
        };
        drop(steps);
        yield Said::End(ending);
    }
}
