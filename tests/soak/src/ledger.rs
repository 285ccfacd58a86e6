//! What the function writes of each request: exactly one closing line, found by the request's id.
//!
//! The closing line is the metric record of a request for a reply, and a plain line of any other. A request is over
//! only when its closing line is there, so that at no time more requests are under way than there are workers.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest wait for a closing line, from the end of the answer. A client that went away is not told of the end:
/// the reply may then still have to fall silent and be given up.
const PATIENCE: Duration = Duration::from_secs(40);

/// All that the function has written of one request.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) closing: Closing,
    /// The codes of the warnings before.
    pub(crate) warnings: Vec<String>,
}

/// The last line of a request.
#[derive(Debug)]
pub(crate) enum Closing {
    /// The metric record of a request for a reply.
    Record(Value),
    /// The line of any other request.
    Plain(Value),
}

impl fmt::Display for Closing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Record(line) | Self::Plain(line)) = self;
        line.fmt(formatter)
    }
}

/// Why a request's lines cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    #[error("no record, nor any other closing line, within {} s of the answer's end", PATIENCE.as_secs())]
    Late,
    #[error("the request id came twice")]
    Repeated,
    #[error("the function's log has ended")]
    Ended,
}

enum Entry {
    /// Warnings so far; nobody has asked.
    Open(Vec<String>),
    /// Somebody waits.
    Awaited(Vec<String>, oneshot::Sender<Written>),
    /// Complete, and nobody has asked.
    Closed(Written),
}

/// The lines of requests, by request id. Clones share one ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    /// Requests that are over.
    settled: HashSet<u128>,
    cold_starts: u64,
    /// Lines that must not be.
    wrong: Vec<String>,
}

impl Ledger {
    /// Reads the function's log to its end.
    pub(crate) async fn read(self, mut lines: UnboundedReceiver<String>) {
        while let Some(line) = lines.recv().await {
            self.line(&line);
        }
    }

    /// The lines of a request whose answer has ended.
    pub(crate) async fn written(&self, request_id: &str) -> Result<Written, Missing> {
        let receiver = {
            let mut state = self.lock();
            if state.settled.contains(&key(request_id)) {
                return Err(Missing::Repeated);
            }
            let warnings = match state.entries.remove(request_id) {
                None => Vec::new(),
                Some(Entry::Open(warnings)) => warnings,
                Some(Entry::Awaited(..)) => return Err(Missing::Repeated),
                Some(Entry::Closed(written)) => {
                    state.settled.insert(key(request_id));
                    return Ok(written);
                }
            };
            let (sender, receiver) = oneshot::channel();
            state.entries.insert(request_id.to_owned(), Entry::Awaited(warnings, sender));
            receiver
        };
        timeout(PATIENCE, receiver).await.map_err(|_| Missing::Late)?.map_err(|_| Missing::Ended)
    }

    /// Records that say that they are of a sandbox's first request.
    pub(crate) fn cold_starts(&self) -> u64 {
        self.lock().cold_starts
    }

    /// Takes the lines found so far that must not be.
    pub(crate) fn take_wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().wrong)
    }

    /// What is left when every request is over and the log has ended: lines of requests that nobody made.
    pub(crate) fn take_unclaimed(&self) -> Vec<String> {
        let mut state = self.lock();
        let left = state.entries.drain().filter_map(|(id, entry)| match entry {
            Entry::Awaited(..) => None,
            Entry::Open(warnings) => Some(format!("warnings without a record: {id} {warnings:?}")),
            Entry::Closed(written) => Some(format!("a closing line that belongs to no request: {}", written.closing)),
        });
        left.collect()
    }

    fn line(&self, line: &str) {
        let mut state = self.lock();
        let Ok(json) = serde_json::from_str::<Value>(line) else {
            state.wrong.push(format!("a log line that is not JSON: {line:?}"));
            return;
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let id = text("request_id").map(ToOwned::to_owned);
        let record = json.get("_aws").is_some();
        let closing = record || text("message") == Some("request");
        match (id, text("level")) {
            (Some(id), _) if closing => {
                state.cold_starts += u64::from(json.get("ColdStart").and_then(Value::as_f64) == Some(1.0));
                state.close(id, if record { Closing::Record(json) } else { Closing::Plain(json) });
            }
            (Some(id), Some("WARN")) => state.warn(id, text("code").unwrap_or("none").to_owned()),
            (_, Some("INFO")) => {}
            _ => state.wrong.push(format!("an unexpected log line: {line}")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn close(&mut self, id: String, closing: Closing) {
        let settled = self.settled.contains(&key(&id));
        match self.entries.remove(&id) {
            None if settled => self.wrong.push(format!("a second closing line of a request: {closing}")),
            None => {
                self.entries.insert(id, Entry::Closed(Written { closing, warnings: Vec::new() }));
            }
            Some(Entry::Open(warnings)) => {
                self.entries.insert(id, Entry::Closed(Written { closing, warnings }));
            }
            Some(Entry::Awaited(warnings, waiting)) => {
                self.settled.insert(key(&id));
                if let Err(late) = waiting.send(Written { closing, warnings }) {
                    self.wrong.push(format!("a closing line that came too late: {}", late.closing));
                }
            }
            Some(first @ Entry::Closed(_)) => {
                self.wrong.push(format!("a second closing line of a request: {closing}"));
                self.entries.insert(id, first);
            }
        }
    }

    fn warn(&mut self, id: String, code: String) {
        match self.entries.get_mut(&id) {
            Some(Entry::Open(warnings) | Entry::Awaited(warnings, _)) => warnings.push(code),
            Some(Entry::Closed(_)) => self.wrong.push(format!("a warning after the closing line: {id} {code}")),
            None if self.settled.contains(&key(&id)) => {
                self.wrong.push(format!("a warning after the closing line: {id} {code}"));
            }
            None => {
                self.entries.insert(id, Entry::Open(vec![code]));
            }
        }
    }
}

/// A request id in 16 bytes: Lambda's are UUIDs, and a long soak makes many.
fn key(request_id: &str) -> u128 {
    request_id.chars().filter_map(|c| c.to_digit(16)).fold(0, |key, digit| key << 4 | u128::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    fn record(id: &str) -> String {
        format!(r#"{{"_aws":{{}},"level":"INFO","request_id":"{id}","ColdStart":1.0}}"#)
    }

    #[tokio::test]
    async fn a_record_is_found_before_and_after_it_was_asked_for() {
        let ledger = Ledger::default();
        ledger.line(&format!(r#"{{"level":"WARN","request_id":"{ID}","code":"throttled"}}"#));
        ledger.line(&record(ID));
        assert_eq!(ledger.written(ID).await.expect("written").warnings, ["throttled"]);
        let other = "11111111-d9cb-469f-a165-70867728950e";
        let (written, ()) = tokio::join!(ledger.written(other), async { ledger.line(&record(other)) });
        assert!(matches!(written.expect("written").closing, Closing::Record(_)));
        assert_eq!((ledger.cold_starts(), ledger.take_wrong().len(), ledger.take_unclaimed().len()), (2, 0, 0));
    }

    #[tokio::test]
    async fn a_second_record_of_a_request_is_wrong_whenever_it_comes() {
        let ledger = Ledger::default();
        ledger.line(&record(ID));
        ledger.line(&record(ID));
        assert_eq!(ledger.take_wrong().len(), 1);
        ledger.written(ID).await.expect("written");
        ledger.line(&record(ID));
        assert_eq!(ledger.take_wrong().len(), 1);
        assert!(matches!(ledger.written(ID).await, Err(Missing::Repeated)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_does_not_come_is_missing_and_one_of_nobody_is_left() {
        let ledger = Ledger::default();
        assert!(matches!(ledger.written(ID).await, Err(Missing::Late)));
        let ledger = Ledger::default();
        ledger.line(&record(ID));
        assert_eq!(ledger.take_unclaimed().len(), 1);
    }

    #[test]
    fn an_error_line_and_a_line_that_is_no_json_are_wrong() {
        let ledger = Ledger::default();
        ledger.line(r#"{"level":"ERROR","message":"a panic","location":"src/lib.rs:1"}"#);
        ledger.line("thread 'main' panicked");
        ledger.line(r#"{"level":"INFO","message":"started"}"#);
        assert_eq!(ledger.take_wrong().len(), 2);
    }
}
