//! A strict reader of the wire form: what it does not know fails the test.

use std::time::Duration;

use serde_json::Value;

/// No wait in a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

/// A response's events, one by one.
pub struct Events {
    response: reqwest::Response,
    unread: Vec<u8>,
}

impl Events {
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200, "no stream");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: Vec::new() }
    }

    /// The next event, or `None` at a proper end of the response. A cut response fails the test.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                match parse(std::str::from_utf8(&block).expect("UTF-8")) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("silence");
            match chunk.expect("the response was cut") {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => {
                    assert!(self.unread.is_empty(), "half an event: {:?}", String::from_utf8_lossy(&self.unread));
                    return None;
                }
            }
        }
    }

    /// All events to the end.
    pub async fn all(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// The texts of all `token` events together.
pub fn text(events: &[Event]) -> String {
    events.iter().filter(|event| event.name == "token").filter_map(|event| event.data["text"].as_str()).collect()
}

/// The one terminal event, which must be the last.
pub fn terminal(events: &[Event]) -> &Event {
    let is_terminal = |event: &&Event| matches!(event.name.as_str(), "done" | "error");
    assert_eq!(events.iter().filter(is_terminal).count(), 1, "not one terminal event: {events:?}");
    events.last().filter(is_terminal).expect("something follows the terminal event")
}

/// An event, or nothing for a comment.
fn parse(block: &str) -> Option<Event> {
    let (mut id, mut name, mut data) = (None, None, None);
    for line in block.trim_end_matches('\n').split('\n') {
        assert!(!line.contains('\r'), "a bare carriage return in {line:?}");
        match line.split_once(": ") {
            Some(("", _)) => return None,
            Some(("id", value)) => assert!(id.replace(value.to_owned()).is_none(), "{block:?}"),
            Some(("event", value)) => assert!(name.replace(value.to_owned()).is_none(), "{block:?}"),
            Some(("data", value)) => assert!(data.replace(value).is_none(), "{block:?}"),
            _ => panic!("not a field of ours: {line:?}"),
        }
    }
    let name = name.expect("an event without a name");
    assert!(matches!(name.as_str(), "start" | "token" | "done" | "error"), "{name}");
    Some(Event { id, name, data: serde_json::from_str(data.expect("no data")).expect("JSON") })
}
