//! What is promised of any response.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use bytes::Bytes;

use super::prelude::{Parser, Prelude};
use crate::failure::Failure;

/// The prelude and the payload are the same however a response is divided into chunks. The first byte says how: it is
/// the length of every chunk.
pub fn prelude(input: &[u8]) {
    let Some((&length, response)) = input.split_first() else { return };
    let whole = read([response]);
    let divided = read(response.chunks(usize::from(length).max(1)));
    match (whole, divided) {
        (Ok(whole), Ok(divided)) => assert_eq!(whole, divided),
        (Err(_), Err(_)) => {}
        (whole, divided) => panic!("{whole:?} in one piece, {divided:?} in several"),
    }
}

/// The prelude, and the payload behind it; `None` where the delimiter does not come.
fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<(Prelude, Vec<u8>)>, Failure> {
    let mut parser = Parser::default();
    let mut chunks = chunks.into_iter();
    for chunk in chunks.by_ref() {
        if let Some((prelude, payload)) = parser.push(&Bytes::copy_from_slice(chunk))? {
            let rest = chunks.flatten().copied();
            return Ok(Some((prelude, payload.into_iter().chain(rest).collect())));
        }
    }
    Ok(None)
}
