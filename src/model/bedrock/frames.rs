//! The frames of `application/vnd.amazon.eventstream`, out of a response's bytes as they come.
//!
//! A frame is its length (u32), its headers' length (u32), the CRC-32 of these eight bytes, the headers, the payload, and
//! the CRC-32 of all before; numbers are big endian. A header is the length of its name (u8), the name, a type (u8) and a
//! value. Source: Smithy, "Amazon Event Stream Specification".

use bytes::{Buf, Bytes, BytesMut};

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// A longer frame is refused. Those of a reply have some hundred bytes; AWS's own readers take 24 MiB, and a small
/// sandbox has not so much to spare.
const LONGEST: usize = 8 * 1024 * 1024;
/// The type of a header that is a string.
const STRING: u8 = 7;

/// What a frame says of itself, and what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    bytes: Bytes,
    headers: usize,
}

/// Bytes that are no frame. Never says what they hold, which may be a piece of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenFrame {
    #[error("a frame's prelude does not match its checksum")]
    Prelude,
    #[error("a frame of an impossible length")]
    Length,
    #[error("a frame does not match its checksum")]
    Checksum,
    #[error("a frame's headers cannot be read")]
    Headers,
    #[error("the stream ended within a frame")]
    Unfinished,
}

/// Bytes on their way to being frames.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer(BytesMut);

impl FrameBuffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// [`BrokenFrame::Unfinished`] where a frame has begun.
    pub(super) fn end(&self) -> Result<(), BrokenFrame> {
        if self.0.is_empty() { Ok(()) } else { Err(BrokenFrame::Unfinished) }
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// After one the bytes make no sense any more.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, BrokenFrame> {
        let Some(mut prelude) = self.0.get(..PRELUDE) else { return Ok(None) };
        let expected = crc32fast::hash(prelude.get(..PRELUDE - CHECKSUM).unwrap_or_default());
        let (total, headers, checksum) = (prelude.get_u32(), prelude.get_u32(), prelude.get_u32());
        if checksum != expected {
            return Err(BrokenFrame::Prelude);
        }
        let (Ok(total), Ok(headers)) = (usize::try_from(total), usize::try_from(headers)) else {
            return Err(BrokenFrame::Length);
        };
        if total > LONGEST || total.checked_sub(PRELUDE + CHECKSUM).is_none_or(|content| headers > content) {
            return Err(BrokenFrame::Length);
        }
        if self.0.len() < total {
            return Ok(None);
        }
        let mut bytes = self.0.split_to(total).freeze();
        let mut checksum = bytes.split_off(total - CHECKSUM);
        if crc32fast::hash(&bytes) != checksum.get_u32() {
            return Err(BrokenFrame::Checksum);
        }
        bytes.advance(PRELUDE);
        Ok(Some(Frame { bytes, headers }))
    }
}

impl Frame {
    pub(super) fn payload(&self) -> &[u8] {
        self.bytes.get(self.headers..).unwrap_or_default()
    }

    /// The values of these headers, as far as they are there and strings.
    ///
    /// # Errors
    /// [`BrokenFrame::Headers`].
    pub(super) fn strings<const N: usize>(&self, names: [&str; N]) -> Result<[Option<&str>; N], BrokenFrame> {
        let mut values = [None; N];
        let mut rest = self.bytes.get(..self.headers).unwrap_or_default();
        while !rest.is_empty() {
            let (name, kind, value) = header(&mut rest).ok_or(BrokenFrame::Headers)?;
            if let Some((_, found)) = names.iter().zip(&mut values).find(|(wanted, _)| wanted.as_bytes() == name)
                && kind == STRING
            {
                *found = Some(std::str::from_utf8(value).map_err(|_| BrokenFrame::Headers)?);
            }
        }
        Ok(values)
    }
}

/// Takes name, type and value of one header.
fn header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], u8, &'a [u8])> {
    let length = usize::from(rest.try_get_u8().ok()?);
    let name = rest.split_off(..length)?;
    let kind = rest.try_get_u8().ok()?;
    let length = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        6 | STRING => usize::from(rest.try_get_u16().ok()?),
        9 => 16,
        _ => return None,
    };
    Some((name, kind, rest.split_off(..length)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::fuzzing::{framed, frames};
    use super::*;

    fn recorded(file: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/bedrock").join(file);
        std::fs::read(path).expect(file)
    }

    #[test]
    fn a_recorded_reply_is_its_events_however_it_is_cut() {
        let bytes = recorded("reply.bin");
        let (whole, end) = frames(&[&bytes]);
        assert_eq!(end, Ok(()));
        let types: Vec<_> =
            whole.iter().map(|frame| frame.strings([":event-type"]).expect("headers")[0].expect("a type")).collect();
        assert_eq!((types.first(), types.last()), (Some(&"messageStart"), Some(&"metadata")));
        for size in [1, 7, 100] {
            assert_eq!(
                frames(&bytes.chunks(size).collect::<Vec<_>>()),
                (whole.clone(), Ok(())),
                "{size} bytes at a time"
            );
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = recorded("reply.bin");
        let first = frames(&[&bytes]).0.remove(0);
        let length = first.bytes.len() + PRELUDE + CHECKSUM;
        for bit in 0..length * 8 {
            let mut flipped = bytes[..length].to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(frames(&[&flipped]).1.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn headers_of_every_type_are_passed_over() {
        let mut headers = Vec::new();
        for (kind, length) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
            headers.extend([1, b'x', kind]);
            headers.extend(std::iter::repeat_n(0xff, length));
        }
        headers.extend([1, b'x', 6, 0, 2, 0xff, 0xff]);
        headers.extend([1, b'y', STRING, 0, 2, b'Y', b'o']);
        let frame = Frame { headers: headers.len(), bytes: headers.into() };
        assert_eq!(frame.strings(["x", "y", "z"]), Ok([None, Some("Yo"), None]));
        for broken in [&[1, b'x', 10][..], &[5, b'x'], &[1, b'x', STRING, 0, 9, b'Y'], &[1, b'y', STRING, 0, 1, 0xff]] {
            let frame = Frame { headers: broken.len(), bytes: broken.to_vec().into() };
            assert_eq!(frame.strings(["y"]), Err(BrokenFrame::Headers), "{broken:?}");
        }
    }

    proptest! {
        /// With right checksums, since without them nothing is looked at.
        #[test]
        fn no_lengths_make_it_panic_or_take_a_frame_that_is_none(
            total in prop_oneof![0_u32..20, 0_u32..200],
            headers in prop_oneof![Just(0), 0_u32..200, any::<u32>()],
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let stream = framed(total, headers, &bytes);
            let content = total.checked_sub(16).filter(|content| headers <= *content);
            match (frames(&[&stream]), content) {
                ((found, _), Some(content)) if stream.len() >= content as usize + 16 => {
                    prop_assert_eq!(found[0].payload().len(), (content - headers) as usize);
                }
                ((found, end), Some(_)) => prop_assert!(found.is_empty() && end == Err(BrokenFrame::Unfinished)),
                ((found, end), None) => prop_assert!(found.is_empty() && end == Err(BrokenFrame::Length)),
            }
        }
    }
}
