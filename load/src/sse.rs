//! Server-sent events out of the pieces in which a response comes, as WHATWG HTML parses them.
//!
//! Events are handed over where they lie, within the piece that completes them, so that all events of one read can
//! share its time, and a token costs no allocation.

use memchr::memchr2;

/// The most bytes that an unfinished event may hold.
const LARGEST_EVENT: usize = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// Its type; empty where the stream does not say one.
    pub(crate) name: &'a str,
    pub(crate) data: &'a [u8],
}

/// An event that is larger than 1 MiB.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {LARGEST_EVENT} bytes")]
pub(crate) struct TooLarge;

/// Takes pieces, and tells events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    fields: Fields,
    /// The last piece ended with a carriage return: a line feed at the beginning of the next belongs to it.
    after_carriage_return: bool,
    begun: bool,
}

/// What is known of the event that is being read.
#[derive(Debug, Default)]
struct Fields {
    name: String,
    data: Vec<u8>,
}

impl Decoder {
    /// Takes one piece; `each` gets the events that it completes.
    pub(crate) fn take(&mut self, piece: &[u8], mut each: impl FnMut(Event<'_>)) -> Result<(), TooLarge> {
        let mut rest = piece;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_carriage_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                self.line.extend_from_slice(rest);
                break;
            };
            let (line, with_end) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.after_carriage_return = with_end.first() == Some(&b'\r');
            rest = with_end.get(1..).unwrap_or_default();
            let begins = !std::mem::replace(&mut self.begun, true);
            if self.line.is_empty() {
                self.fields.take(without_mark(line, begins), &mut each);
            } else {
                self.line.extend_from_slice(line);
                self.fields.take(without_mark(&self.line, begins), &mut each);
                self.line.clear();
            }
        }
        if self.line.len() + self.fields.data.len() > LARGEST_EVENT { Err(TooLarge) } else { Ok(()) }
    }
}

fn without_mark(line: &[u8], begins: bool) -> &[u8] {
    if begins { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }
}

impl Fields {
    fn take(&mut self, line: &[u8], each: &mut impl FnMut(Event<'_>)) {
        if line.is_empty() {
            // The last data line's end is no part of the data; an event without data is none.
            if let Some((_, data)) = self.data.split_last() {
                each(Event { name: &self.name, data });
            }
            self.name.clear();
            self.data.clear();
            return;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            let each = |event: Event<'_>| {
                events.push((event.name.to_owned(), String::from_utf8(event.data.to_vec()).unwrap()));
            };
            decoder.take(piece, each).unwrap();
        }
        events
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut_and_its_lines_end() {
        let text = "\u{feff}: hello\nid: 1\nevent: start\ndata: {}\n\n: keep-alive\n\n\
                    event: token\ndata:{\"text\":\"é\"}\n\n\
                    data: one\ndata:  two\ndata\n\nevent: nothing\n\ndata: last\n\n";
        let expected =
            [event("start", "{}"), event("token", "{\"text\":\"é\"}"), event("", "one\n two\n"), event("", "last")];
        for end in ["\n", "\r\n", "\r"] {
            let stream = text.replace('\n', end);
            for size in 1..=stream.len() {
                let pieces: Vec<_> = stream.as_bytes().chunks(size).collect();
                assert_eq!(events(&pieces), expected, "pieces of {size} with {end:?}");
            }
        }
    }

    #[test]
    fn an_unfinished_event_is_none() {
        assert_eq!(events(&[b"data: whole\n\ndata: half\n"]), [event("", "whole")]);
    }

    #[test]
    fn an_event_that_does_not_end_is_an_error() {
        for piece in [b"x".repeat(1024), b"data: xxxxxxx\n".repeat(80)] {
            let mut decoder = Decoder::default();
            let mut pieces = 0;
            while decoder.take(&piece, |_| panic!("no event")).is_ok() {
                pieces += 1;
                assert!(pieces < 3_000, "no end");
            }
        }
    }
}
