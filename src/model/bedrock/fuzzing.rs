//! What is promised of any reply.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use super::event;
use super::frames::{BrokenFrame, Frame, FrameBuffer};

/// The first byte says where to cut. What is behind it is a stream's bytes, whose frames are the same however they are
/// cut; and it is, cut there, the headers and the payload of a frame that has its checksums right.
pub fn converse_stream(input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let pieces = bytes.split_at(usize::from(cut).min(bytes.len()));
    let (whole, end) = frames(&[bytes]);
    assert_eq!(frames(&[pieces.0, pieces.1]), (whole.clone(), end), "it matters where the bytes are cut");

    let built = frames(&[&framed(pieces.0, pieces.1)]).0;
    assert_eq!(built.first().map(Frame::payload), Some(pieces.1), "a whole frame is not found");
    for frame in whole.iter().chain(&built) {
        if let Err(error) = event::read(frame) {
            // An exception's message is the service's own, and the longest thing there is.
            assert!(error.to_string().len() < 300 + bytes.len(), "a long error: {error}");
        }
    }
}

/// Every frame of some bytes that come in pieces, and how they ended.
pub(super) fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, Result<(), BrokenFrame>) {
    let (mut buffer, mut frames) = (FrameBuffer::default(), Vec::new());
    for piece in pieces {
        buffer.push(piece);
        loop {
            match buffer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(broken) => return (frames, Err(broken)),
            }
        }
    }
    (frames, buffer.end())
}

fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).expect("a short input").to_be_bytes();
    let mut frame = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}
