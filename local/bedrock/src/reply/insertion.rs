//! Events besides text, put into a reply whose text goes on behind them.

use async_stream::stream;
use futures::stream::{Stream, StreamExt};

use super::events::Progress;
use crate::{
    Insertion,
    event::{Delta, Event, Reasoning},
};

/// `events` with `what` before the first text that follows `after` tokens, or before `messageStop` in a reply that is
/// shorter. A block that is put in ends the block of text before it; text after it is in a block of its own.
pub(super) fn inserted(
    events: impl Stream<Item = Progress> + Send + 'static,
    what: Insertion,
    after: u32,
) -> impl Stream<Item = Progress> + Send + 'static {
    stream! {
        let mut events = Box::pin(events);
        let mut pending = Some(what);
        let mut text_sent = false;
        // By how much the blocks behind it are renumbered, and the tokens sent by then.
        let (mut shift, mut sent) = (0, 0);
        while let Some(Progress { event, output_tokens }) = events.next().await {
            let amid_text = matches!(event, Event::Delta { .. }) && sent >= after;
            if let Some(what) = pending.take_if(|_| amid_text || matches!(event, Event::MessageStop(_))) {
                for event in around(what, text_sent, amid_text, &mut shift) {
                    yield Progress { event, output_tokens: sent };
                }
            }
            text_sent |= matches!(event, Event::Delta { .. } | Event::BlockStop { .. });
            sent = output_tokens;
            yield Progress { event: renumbered(event, shift), output_tokens };
        }
    }
}

/// The events of `what`, with the end of an open text block before a block.
fn around(what: Insertion, text_sent: bool, text_follows: bool, shift: &mut u32) -> Vec<Event> {
    let index = u32::from(text_sent);
    let block = |index| match what {
        Insertion::UnknownEvent => vec![Event::Unknown],
        Insertion::Reasoning => reasoning(index),
        Insertion::ToolUse => tool_use(index),
    };
    if what == Insertion::UnknownEvent {
        return block(0);
    }
    *shift = index + 1;
    let end = (text_sent && text_follows).then_some(Event::BlockStop { index: 0 });
    end.into_iter().chain(block(index)).collect()
}

fn reasoning(index: u32) -> Vec<Event> {
    let deltas = [
        Reasoning::Text("They want a plain answer, ".to_owned()),
        Reasoning::Text("so I give one.".to_owned()),
        Reasoning::Signature("EqQBCgIYAhIkMTIzNDU2Nzg=".to_owned()),
    ];
    let deltas = deltas.map(|reasoning| Event::Delta { index, delta: Delta::ReasoningContent(reasoning) });
    deltas.into_iter().chain([Event::BlockStop { index }]).collect()
}

fn tool_use(index: u32) -> Vec<Event> {
    let parts = ["", r#"{"place": "#, r#""Berlin"}"#];
    let deltas = parts.map(|input| Event::Delta { index, delta: Delta::ToolUse { input: input.to_owned() } });
    [Event::ToolUseStart { index }].into_iter().chain(deltas).chain([Event::BlockStop { index }]).collect()
}

fn renumbered(event: Event, shift: u32) -> Event {
    match event {
        Event::Delta { index, delta } => Event::Delta { index: index + shift, delta },
        Event::BlockStop { index } => Event::BlockStop { index: index + shift },
        other => other,
    }
}
