//! What is said, as the events that Bedrock sends for it.

use std::time::Duration;

use async_stream::stream;
use futures::stream::{Stream, StreamExt};

use super::{Ending, Reply, Said};
use crate::{
    StreamException,
    event::{Delta, Event, Metadata},
};

/// An event, and the output tokens that are on their way once it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Progress {
    pub(super) event: Event,
    pub(super) output_tokens: u32,
}

pub(super) fn events(reply: Reply) -> impl Stream<Item = Progress> + Send + 'static {
    let Reply { mut said, input_tokens, accepted } = reply;
    stream! {
        let mut started = false;
        let mut output_tokens = 0;
        // The one content block of a reply that is text. A reply without text has it too, empty.
        let index = 0;
        while let Some(next) = said.next().await {
            let broke = matches!(next, Said::End(Ending::Failure(_)));
            if !started && !broke {
                started = true;
                yield Progress { event: Event::MessageStart, output_tokens };
            }
            match next {
                Said::Text { text, output_tokens: tokens } => {
                    output_tokens = tokens;
                    if !text.is_empty() {
                        yield Progress { event: Event::Delta { index, delta: Delta::Text(text) }, output_tokens };
                    }
                }
                Said::End(Ending::Stop { reason, output_tokens, trace }) => {
                    yield Progress { event: Event::BlockStop { index }, output_tokens };
                    yield Progress { event: Event::MessageStop(reason), output_tokens };
                    let latency_ms = milliseconds(accepted.elapsed());
                    let metadata = Metadata { latency_ms, input_tokens, output_tokens, trace };
                    yield Progress { event: Event::Metadata(metadata), output_tokens };
                }
                Said::End(Ending::Failure(message)) => {
                    let kind = StreamException::ModelStreamError;
                    yield Progress { event: Event::Exception { kind, message }, output_tokens };
                }
            }
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
