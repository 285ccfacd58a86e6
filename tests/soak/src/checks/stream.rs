//! Replies: their events, from `start` to the one terminal event.

use serde_json::{Value, json};

use super::Problems;
use crate::client::{Ending, Reply};
use crate::events::{Event, shown};
use crate::faults::{Code, Expected, INTERRUPTED, UNAVAILABLE};
use crate::plan::{Chat, Form, Reader};
use crate::script::Said;

pub(super) fn stream(chat: &Chat, request_id: &str, reply: &Reply, expected: Expected, problems: &mut Problems) {
    let left = matches!(chat.reader, Reader::Leaving { .. }) && reply.ending == Ending::Left;
    if let Ending::Broken(how) = &reply.ending {
        problems.add(format!("the stream was cut: {how}"));
    }
    if let Some(start) = reply.events.first() {
        if start.name != "start" || reply.events.iter().filter(|event| event.name == "start").count() != 1 {
            problems.add("not one start event, at the start");
        }
        problems.unless_equal("the start event's id", start.data.get("id").unwrap_or(&Value::Null), request_id);
        problems.unless_equal("the start event's mode", start.data.get("mode").unwrap_or(&Value::Null), chat.mode);
        let id = (chat.form == Form::EventSource).then_some(request_id);
        if start.id.as_deref() != id {
            problems.add(format!("the start event's SSE id is {:?}, and not {id:?}", start.id));
        }
    }
    let (said, count) = match expected {
        Expected::Done(done) => (done.said, None),
        Expected::Refused(_) => (Said::Nothing, None),
        Expected::Broken { tokens, .. } => (Said::Script, Some(tokens)),
        Expected::Reset { tokens } => (Said::Script, Some(tokens)),
    };
    let mut deltas = said.deltas(&chat.marker);
    deltas.truncate(count.unwrap_or(deltas.len()));
    let may_be_less = left || matches!(expected, Expected::Reset { .. });
    tokens(&deltas, &reply.events, may_be_less, problems);

    let terminals: Vec<_> = reply.events.iter().filter(|event| event.is_terminal()).collect();
    match terminals.as_slice() {
        [] if left => {}
        [terminal] if reply.events.last() == Some(*terminal) => {
            self::terminal(terminal, request_id, expected, problems);
        }
        other => problems.add(format!("{} terminal events, or one that is not the last", other.len())),
    }
}

/// The tokens are those expected, or the first of them where there may be less.
fn tokens(expected: &[String], events: &[Event], may_be_less: bool, problems: &mut Problems) {
    let came: Vec<_> = events.iter().filter(|event| event.is_token()).map(Event::text).collect();
    for (n, (came, expected)) in came.iter().zip(expected).enumerate() {
        if *came != Some(expected) {
            let [came, expected] = [came.unwrap_or_default(), expected].map(|text| shown(text.as_bytes()));
            return problems.add(format!("token {n} is {came}, and not {expected}"));
        }
    }
    if came.len() > expected.len() || came.len() < expected.len() && !may_be_less {
        problems.add(format!("{} tokens, and not {}", came.len(), expected.len()));
    }
}

fn terminal(terminal: &Event, request_id: &str, expected: Expected, problems: &mut Problems) {
    let field = |name: &str| terminal.data.get(name).unwrap_or(&Value::Null);
    let Code { name, retry_after, .. } = match expected {
        Expected::Done(done) => {
            problems.unless_equal("the terminal event", &json!(terminal.name), "done");
            problems.unless_equal("the stop reason", field("stop_reason"), done.stop_reason);
            let count = terminal.data.pointer("/usage/output_tokens").unwrap_or(&Value::Null);
            problems.unless_equal("the count of output tokens", count, done.output_tokens);
            let ttft = terminal.data.pointer("/timing/ttft_ms");
            if ttft.is_some_and(Value::is_number) == (done.said == Said::Nothing) {
                problems.add(format!("the time to first token is {ttft:?}"));
            }
            return;
        }
        Expected::Refused(code) | Expected::Broken { code, .. } => code,
        Expected::Reset { .. } if *field("code") == UNAVAILABLE.name => UNAVAILABLE,
        Expected::Reset { .. } => INTERRUPTED,
    };
    problems.unless_equal("the terminal event", &json!(terminal.name), "error");
    problems.unless_equal("the error's code", field("code"), name);
    problems.unless_equal("the error's request id", field("request_id"), request_id);
    problems.unless_equal("the error's retry_after", field("retry_after"), retry_after);
}
