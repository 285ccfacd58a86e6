//! Events as bytes: `application/vnd.amazon.eventstream`, whole or damaged on purpose.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};

use crate::event::Event;

/// A bug: an event that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodingError {
    #[error("an event could not be framed: {0}")]
    Frame(#[from] aws_smithy_eventstream::error::Error),
    #[error("an event could not be written as JSON: {0}")]
    Payload(#[from] serde_json::Error),
}

/// What can be wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The last four bytes, the checksum of all before them.
    MessageChecksum,
    /// Bytes 8 to 12, the checksum of the two lengths before them.
    PreludeChecksum,
    /// The second half is missing.
    Half,
}

impl Damage {
    pub(crate) fn of(self, frame: &Bytes) -> Bytes {
        match self {
            Self::MessageChecksum => inverted(frame, frame.len().saturating_sub(1)),
            Self::PreludeChecksum => inverted(frame, 8),
            Self::Half => frame.slice(..frame.len() / 2),
        }
    }
}

fn inverted(frame: &Bytes, position: usize) -> Bytes {
    let mut bytes = BytesMut::from(frame.as_ref());
    if let Some(byte) = bytes.get_mut(position) {
        *byte = !*byte;
    }
    bytes.freeze()
}

/// Encodes one reply's events, each as one frame.
#[derive(Default)]
pub(crate) struct Encoder {
    events: usize,
}

impl Encoder {
    pub(crate) fn encode(&mut self, event: &Event) -> Result<Bytes, EncodingError> {
        let (type_header, message_type) = match event {
            Event::Exception { .. } => (":exception-type", "exception"),
            _ => (":event-type", "event"),
        };
        let payload = event.payload(self.padding())?;
        let headers =
            [(type_header, event.name()), (":content-type", "application/json"), (":message-type", message_type)];
        frame(headers, payload)
    }

    /// 4 to 60 characters, as Bedrock's. There they hide a token's length from who reads the traffic; here it is
    /// enough that lengths vary, and good that fixtures are the same each time.
    fn padding(&mut self) -> &'static str {
        const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        self.events += 1;
        ALPHABET.get(..4 + self.events * 23 % 57).unwrap_or(ALPHABET)
    }
}

fn frame(headers: [(&'static str, &'static str); 3], payload: impl Into<Bytes>) -> Result<Bytes, EncodingError> {
    let headers = headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.into()))).into();
    let mut bytes = BytesMut::new();
    write_message_to(&Message::new_from_parts(headers, payload), &mut bytes)?;
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;
    use proptest::prelude::*;

    use super::*;
    use crate::event::Delta;

    /// Laid out by hand from the format's description; the checksums are zlib's `crc32`.
    #[test]
    fn a_frame_has_this_layout() {
        let headers = [(":event-type", "x"), (":content-type", "application/json"), (":message-type", "event")];
        let mut expected = b"\x00\x00\x00\x59\x00\x00\x00\x47".to_vec();
        expected.extend(0xb899_a6e0_u32.to_be_bytes());
        expected.extend(b"\x0b:event-type\x07\x00\x01x");
        expected.extend(b"\x0d:content-type\x07\x00\x10application/json");
        expected.extend(b"\x0d:message-type\x07\x00\x05event");
        expected.extend(b"{}");
        expected.extend(0xbd22_06c9_u32.to_be_bytes());
        assert_eq!(frame(headers, "{}").unwrap().escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_frame_and_no_damage_goes_unseen(text: String, events in 0..70_usize) {
            let delta = Event::Delta { index: 0, delta: Delta::Text(text.clone()) };
            let frame = Encoder { events }.encode(&delta).unwrap();
            let read = read_message_from(&mut frame.as_ref()).unwrap();
            let payload: serde_json::Value = serde_json::from_slice(read.payload()).unwrap();
            prop_assert_eq!(payload["delta"]["text"].as_str(), Some(text.as_str()));
            for damage in [Damage::MessageChecksum, Damage::PreludeChecksum, Damage::Half] {
                prop_assert!(read_message_from(&mut damage.of(&frame).as_ref()).is_err(), "{:?}", damage);
            }
        }
    }
}
