//! What is promised of any reply.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use super::event;
use super::frames::{BrokenFrame, Frame, FrameBuffer};

/// Three bytes say where to cut, and what lengths to claim. What is behind them is a stream's bytes, whose frames are the
/// same however they are cut; it is, cut there, the headers and the payload of a frame; and it is whatever follows the
/// claimed lengths. The last two have their checksums right, since without them nothing is looked at.
pub fn converse_stream(input: &[u8]) {
    let Some((&[cut, total, headers], bytes)) = input.split_first_chunk() else { return };
    let pieces = bytes.split_at(usize::from(cut).min(bytes.len()));
    let (whole, end) = frames(&[bytes]);
    assert_eq!(frames(&[pieces.0, pieces.1]), (whole.clone(), end), "it matters where the bytes are cut");

    let claimed = frames(&[&framed(u32::from(total), u32::from(headers), bytes)]).0;

    let length = |bytes: usize| u32::try_from(bytes).expect("a short input");
    let built = frames(&[&framed(length(16 + bytes.len()), length(pieces.0.len()), bytes)]).0;
    assert_eq!(built.first().map(Frame::payload), Some(pieces.1), "a whole frame is not found");
    for frame in whole.iter().chain(&built).chain(&claimed) {
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

/// A prelude with these lengths, these bytes behind it, and checksums where the lengths want them.
pub(super) fn framed(total: u32, headers: u32, content: &[u8]) -> Vec<u8> {
    let mut frame = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(content);
    if let Some(end) = (total as usize).checked_sub(4).filter(|end| (12..=frame.len()).contains(end)) {
        frame.truncate(end);
        frame.extend(crc32fast::hash(&frame).to_be_bytes());
    }
    frame
}

/// The frame of an event or an exception, as Bedrock writes it.
#[cfg(test)]
pub(super) fn message(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    for (header, value) in
        [(format!(":{kind}-type"), name), (":content-type".into(), "application/json"), (":message-type".into(), kind)]
    {
        content.push(u8::try_from(header.len()).expect("a short name"));
        content.extend(header.bytes());
        content.push(7);
        content.extend(u16::try_from(value.len()).expect("a short value").to_be_bytes());
        content.extend(value.bytes());
    }
    let headers = u32::try_from(content.len()).expect("short headers");
    content.extend(payload);
    framed(16 + u32::try_from(content.len()).expect("a short payload"), headers, &content)
}
