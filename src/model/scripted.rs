//! A model whose replies are written down beforehand, for tests in paused time.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::sleep;

use super::{Model, ModelError, ModelEvent, Prompt};
use crate::chat::Usage;

/// One event of a reply, or a failure in its place.
pub(crate) type Step = Result<ModelEvent, ModelError>;

/// The same reply to every prompt.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    /// How long the model takes over the request, and what it says to it.
    pub(crate) head: (Duration, Head),
    /// Each event with the time before it.
    pub(crate) steps: Vec<(Duration, Step)>,
    /// What happens after the last event.
    pub(crate) ending: Ending,
    /// Held by every reply, so that a test sees when the last of them is dropped.
    pub(crate) held: Arc<()>,
}

/// How a model takes a request.
#[derive(Debug, Clone)]
pub(crate) enum Head {
    Accepts,
    Refuses(ModelError),
    Panics,
}

/// What a stream does after its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Ends,
    Hangs,
    Panics,
}

impl Model for Scripted {
    type Reply = BoxStream<'static, Step>;

    async fn converse(&self, _: Prompt) -> Result<Self::Reply, ModelError> {
        let Self { head: (delay, head), steps, ending, held } = self.clone();
        sleep(delay).await;
        match head {
            Head::Accepts => {}
            Head::Refuses(error) => return Err(error),
            Head::Panics => panic!("a bug in the adapter"),
        }
        // As the adapter's own: to poll it after its end is a panic.
        let steps = stream::unfold((steps.into_iter(), held), |(mut steps, held)| async move {
            let (delay, step) = steps.next()?;
            sleep(delay).await;
            Some((step, (steps, held)))
        });
        Ok(match ending {
            Ending::Ends => steps.boxed(),
            Ending::Hangs => steps.chain(stream::pending()).boxed(),
            Ending::Panics => steps.chain(stream::once(async { panic!("a bug in the adapter") })).boxed(),
        })
    }
}

/// The token counts of [`metadata`].
pub(crate) const USAGE: Usage = Usage { input_tokens: 7, output_tokens: 2, total_tokens: 9 };

pub(crate) fn text(text: &str) -> Step {
    Ok(ModelEvent::Text(text.into()))
}

pub(crate) fn stop() -> Step {
    Ok(ModelEvent::Stop("end_turn".into()))
}

pub(crate) fn metadata() -> Step {
    Ok(ModelEvent::Metadata { usage: Some(USAGE), latency_ms: Some(40) })
}

/// A reply without a wait in it.
pub(crate) fn at_once(steps: impl IntoIterator<Item = Step>) -> Scripted {
    let steps = steps.into_iter().map(|step| (Duration::ZERO, step)).collect();
    Scripted { head: (Duration::ZERO, Head::Accepts), steps, ending: Ending::Ends, held: Arc::default() }
}
