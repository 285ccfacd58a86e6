//! A reply's event stream, from what the generator says to the bytes that leave.
//!
//! Each stage turns one stream into the next, and a fault acts in the stage it belongs to:
//! `speech` (what is said) → `text` (under the limits) → [`Guard`] (what may be said) → `events` →
//! `insertion` → `breakage` → `portions` (bytes).

mod breakage;
mod events;
mod insertion;
mod portions;
pub(crate) mod speech;
mod text;

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt};
use tokio::time::Instant;

pub(crate) use self::{
    portions::Broken,
    text::{Ending, Said},
};
use crate::{Fault, Generation, Portion, event::Event, guardrail::Guard, limits::Limits, network::Closer};

/// What a reply is made of, besides the fault that spoils it.
pub(crate) struct Reply {
    pub(crate) said: BoxStream<'static, Said>,
    pub(crate) input_tokens: u32,
    /// When the request came in.
    pub(crate) accepted: Instant,
}

impl Reply {
    /// What `generation` says under `limits` and before `guard`.
    pub(crate) fn generated(
        generation: Generation,
        limits: Limits,
        guard: Option<Guard>,
        fault: Option<Fault>,
        accepted: Instant,
    ) -> Self {
        let Generation { input_tokens, steps } = generation;
        let steps = match fault {
            Some(Fault::Say(speech)) => speech::replaced(steps, speech, limits.max_tokens()),
            _ => steps,
        };
        let said = text::under_limits(steps, limits);
        let said = match guard {
            Some(guard) => guard.watch(said).boxed(),
            None => said.boxed(),
        };
        Self { said, input_tokens, accepted }
    }

    /// The bytes, each portion at the moment it is to be written. `closer` is the connection's, for faults that end it.
    pub(crate) fn into_bytes(self, fault: Option<Fault>, closer: Closer) -> BoxStream<'static, Result<Bytes, Broken>> {
        let events = events::events(self);
        let events = match fault {
            Some(Fault::Insert { what, after }) => insertion::inserted(events, what, after).boxed(),
            Some(Fault::NoMetadata) => without_metadata(events).boxed(),
            _ => events.boxed(),
        };
        let acts = match fault {
            Some(Fault::Break { how, after }) => breakage::broken(events, how, after).boxed(),
            _ => events.map(|progress| breakage::Act::Send(progress.event)).boxed(),
        };
        match fault {
            Some(Fault::Portion(Portion::Whole)) => portions::whole(portions::frames(acts, closer)).boxed(),
            Some(Fault::Portion(Portion::Byte)) => portions::bytewise(portions::frames(acts, closer)).boxed(),
            _ => portions::frames(acts, closer).boxed(),
        }
    }
}

fn without_metadata(
    events: impl Stream<Item = events::Progress> + Send,
) -> impl Stream<Item = events::Progress> + Send {
    events.filter(|progress| std::future::ready(!matches!(progress.event, Event::Metadata(_))))
}

#[cfg(test)]
mod fixtures;
