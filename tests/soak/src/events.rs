//! A strict reader of server-sent events: what the contract does not allow is an error.

use memchr::memmem::Finder;
use serde_json::Value;

/// One event as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Event {
    pub(crate) fn is_token(&self) -> bool {
        self.name == "token"
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.name.as_str(), "done" | "error")
    }

    /// The text of a token.
    pub(crate) fn text(&self) -> Option<&str> {
        self.data.get("text")?.as_str()
    }
}

/// Events from the pieces in which a response comes.
#[derive(Debug, Default)]
pub(crate) struct Events {
    unread: Vec<u8>,
    /// Bytes of `unread` known to hold no end of an event.
    searched: usize,
}

impl Events {
    /// The events that are complete with this piece.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<Vec<Event>, String> {
        self.unread.extend_from_slice(piece);
        let blank_line = Finder::new(b"\n\n");
        let mut events = Vec::new();
        while let Some(end) = self.unread.get(self.searched..).and_then(|bytes| blank_line.find(bytes)) {
            let block: Vec<u8> = self.unread.drain(..self.searched + end + 2).collect();
            self.searched = 0;
            events.extend(parse(&block)?);
        }
        self.searched = self.unread.len().saturating_sub(1);
        Ok(events)
    }

    /// Nothing may be left at the end.
    pub(crate) fn end(&self) -> Result<(), String> {
        if self.unread.is_empty() { Ok(()) } else { Err(format!("half an event: {}", shown(&self.unread))) }
    }
}

/// An event, or nothing for a comment.
fn parse(block: &[u8]) -> Result<Option<Event>, String> {
    let wrong = |what: &str| format!("{what}: {}", shown(block));
    let text = std::str::from_utf8(block).map_err(|_| wrong("not UTF-8"))?;
    let (mut id, mut name, mut data) = (None, None, None);
    for line in text.trim_end_matches('\n').split('\n') {
        let (field, value) = line.split_once(": ").ok_or_else(|| wrong("not a field"))?;
        let seen = match field {
            "" => return Ok(None),
            "id" => id.replace(value),
            "event" => name.replace(value),
            "data" => data.replace(value),
            _ => return Err(wrong("an unknown field")),
        };
        if seen.is_some() || value.contains('\r') {
            return Err(wrong("a field twice, or a bare carriage return"));
        }
    }
    let name = name.filter(|name| matches!(*name, "start" | "token" | "done" | "error"));
    let name = name.ok_or_else(|| wrong("no known event"))?.to_owned();
    let data = data.and_then(|data| serde_json::from_str(data).ok()).ok_or_else(|| wrong("no JSON"))?;
    Ok(Some(Event { id: id.map(ToOwned::to_owned), name, data }))
}

/// The beginning of some bytes, for a person.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 400;
    let text = String::from_utf8_lossy(bytes.get(..MOST).unwrap_or(bytes)).into_owned();
    if bytes.len() > MOST { format!("{text:?}… ({} bytes)", bytes.len()) } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let stream = b"id: r-1\nevent: start\ndata: {}\n\n: keep-alive\n\nevent: token\ndata: {\"text\":\"a\"}\n\n";
        for size in 1..stream.len() {
            let mut read = Events::default();
            let mut events = Vec::new();
            for piece in stream.chunks(size) {
                events.extend(read.take(piece).expect("events"));
            }
            assert_eq!(read.end(), Ok(()));
            assert_eq!(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["start", "token"]);
            assert_eq!((events[0].id.as_deref(), events[1].text()), (Some("r-1"), Some("a")));
        }
    }

    #[test]
    fn what_the_contract_does_not_allow_is_an_error() {
        for stream in ["event: token\n\n", "event: ping\ndata: {}\n\n", "retry: 1\n\n", "data: {}\ndata: {}\n\n"] {
            assert!(Events::default().take(stream.as_bytes()).is_err(), "{stream}");
        }
        let mut half = Events::default();
        half.take(b"event: done\nda").expect("nothing yet");
        assert!(half.end().is_err());
    }
}
