//! Where and how a stream of events breaks.

use async_stream::stream;
use futures::stream::{Stream, StreamExt};

use super::events::Progress;
use crate::{Breakage, event::Event, frames::Damage, network::Closing};

/// What is done with a connection next.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    Send(Event),
    SendDamaged(Event, Damage),
    /// Nothing follows.
    Close(Closing),
    /// Nothing follows, and nothing ends.
    Stall,
}

/// `events` up to the `after`th token, then the break. A reply that is shorter breaks behind its last token.
pub(super) fn broken(
    events: impl Stream<Item = Progress> + Send + 'static,
    how: Breakage,
    after: u32,
) -> impl Stream<Item = Act> + Send + 'static {
    stream! {
        let mut events = Box::pin(events);
        let mut sent = 0;
        let mut next = None;
        while sent < after {
            let Some(Progress { event, output_tokens }) = events.next().await else { break };
            if matches!(event, Event::BlockStop { .. } | Event::MessageStop(_) | Event::Exception { .. }) {
                next = Some(event);
                break;
            }
            sent = output_tokens;
            yield Act::Send(event);
        }
        let damage = match how {
            Breakage::CorruptMessage => Damage::MessageChecksum,
            Breakage::CorruptPrelude => Damage::PreludeChecksum,
            Breakage::TruncateFrame => Damage::Half,
            _ => {
                // Before anything else is awaited: whatever the generator holds for this reply is free.
                drop(events);
                if let Some(act) = last(how) {
                    yield act;
                }
                return;
            }
        };
        let next = match next {
            Some(event) => Some(event),
            None => events.next().await.map(|progress| progress.event),
        };
        if let Some(event) = next {
            yield Act::SendDamaged(event, damage);
        }
        if how != Breakage::TruncateFrame {
            while let Some(progress) = events.next().await {
                yield Act::Send(progress.event);
            }
        }
    }
}

/// What a break that sends no more of the reply ends with; nothing, where the body just ends.
fn last(how: Breakage) -> Option<Act> {
    match how {
        Breakage::Exception(kind) => {
            Some(Act::Send(Event::Exception { kind, message: kind.usual_message().to_owned() }))
        }
        Breakage::Stall => Some(Act::Stall),
        Breakage::Drop => Some(Act::Close(Closing::Finish)),
        Breakage::Reset => Some(Act::Close(Closing::Reset)),
        Breakage::Truncate | Breakage::TruncateFrame | Breakage::CorruptMessage | Breakage::CorruptPrelude => None,
    }
}
