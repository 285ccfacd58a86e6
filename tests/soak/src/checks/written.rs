//! Closing lines: the metric record of a chat, the plain line of any other request.

use serde_json::{Value, json};

use super::Problems;
use crate::client::{Answer, Ending, Payload, Reply};
use crate::faults::{self, Expected, INTERRUPTED, UNAVAILABLE};
use crate::fixed::{self, Fixed};
use crate::ledger::{Closing, Written};
use crate::plan::{Chat, Form};

/// Checks what was written of a request for a reply.
pub(crate) fn chat_written(chat: &Chat, answer: &Answer, written: &Written, problems: &mut Problems) {
    let Closing::Record(record) = &written.closing else { return problems.add("a plain line in place of a record") };
    let field = |name: &str| record.get(name).unwrap_or(&Value::Null);
    problems.unless_equal(
        "the record's route",
        field("route"),
        match chat.form {
            Form::EventSource => "GET /api/chat",
            Form::Message | Form::Conversation => "POST /api/chat",
        },
    );
    problems.unless_equal("the record's mode", field("Mode"), chat.mode);
    problems.unless_equal("the record's key", field("api_key_id"), "soak");
    let seen = field("content_deltas").as_u64().and_then(|deltas| usize::try_from(deltas).ok());
    let (code, tokens) = match faults::expected(chat.marker.fault) {
        Expected::Done(done) => (None, done.said.deltas(&chat.marker).len()),
        Expected::Refused(code) => (Some(code.name), 0),
        Expected::Broken { tokens, code } => (Some(code.name), tokens),
        Expected::Reset { tokens } => {
            let refused = *field("error_code") == UNAVAILABLE.name;
            let code = if refused { UNAVAILABLE } else { INTERRUPTED };
            (Some(code.name), if refused { 0 } else { seen.unwrap_or_default().min(tokens) })
        }
    };
    problems.unless_equal("the record's outcome", field("Outcome"), if code.is_some() { "failed" } else { "done" });
    problems.unless_equal("the record's error code", field("error_code"), code.map_or(Value::Null, Value::from));
    problems.unless_equal("the record's content deltas", field("content_deltas"), tokens);
    // A whole reply whose tokens were not counted is warned of, without a code.
    let uncounted = matches!(faults::expected(chat.marker.fault), Expected::Done(done) if done.output_tokens.is_none());
    let warning = code.or(uncounted.then_some("none"));
    if written.warnings != warning.into_iter().collect::<Vec<_>>() {
        problems.add(format!("the warnings are {:?}, and not {warning:?} once", written.warnings));
    }
    let level = if code.is_some_and(|code| code != "throttled") { "ERROR" } else { "INFO" };
    problems.unless_equal("the record's level", field("level"), level);
    if let Expected::Done(done) = faults::expected(chat.marker.fault) {
        let count = done.output_tokens.map_or(Value::Null, |tokens| json!(tokens as f64));
        problems.unless_equal("the record's token count", field("OutputTokenCount"), count);
        problems.unless_equal("the record's stop reason", field("stop_reason"), done.stop_reason);
    }
    // A reader that saw the end saw the same end as the record.
    if let Payload::Reply(Reply { events, ending: Ending::Whole, .. }) = &answer.payload
        && let Some(terminal) = events.last()
    {
        let told = terminal.data.get("code").unwrap_or(&Value::Null);
        problems.unless_equal("the code that the client was told", told, field("error_code").clone());
        let tokens = events.iter().filter(|event| event.is_token()).count();
        problems.unless_equal("the count of tokens that the client saw", &json!(tokens), seen);
    }
}

/// Checks what was written of any other request.
pub(crate) fn fixed_written(fixed: &Fixed, answer: &Answer, written: &Written, problems: &mut Problems) {
    if !written.warnings.is_empty() {
        problems.add(format!("warnings: {:?}", written.warnings));
    }
    match &written.closing {
        Closing::Record(record) if fixed.is_chat() => {
            let code = match &fixed.answer {
                fixed::Answer::Problem { code, .. } => *code,
                fixed::Answer::Content(_) => return problems.add("a record of a request that is no chat"),
            };
            let field = |name: &str| record.get(name).unwrap_or(&Value::Null);
            problems.unless_equal("the record's outcome", field("Outcome"), "refused");
            problems.unless_equal("the record's error code", field("error_code"), code);
        }
        Closing::Plain(line) if !fixed.is_chat() => {
            problems.unless_equal("the line's status", line.get("status").unwrap_or(&Value::Null), answer.status);
        }
        other => problems.add(format!("not the closing line of such a request: {other:?}")),
    }
}
