//! Splits what a process writes into log lines.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::runtime_api::Exchange;

/// A longer line is broken up: the size limit of a CloudWatch log event, in bytes.
const MAX_LINE: usize = 256 * 1024;

/// Reads lines until the process has closed its end.
pub(super) async fn read(output: impl AsyncRead + Unpin, exchange: Arc<Exchange>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(available) = output.fill_buf().await
        && !available.is_empty()
    {
        let used = take_line(&mut line, available);
        output.consume(used.bytes);
        if used.complete || line.len() >= MAX_LINE {
            exchange.logs().line(&line);
            line.clear();
        }
    }
    if !line.is_empty() {
        exchange.logs().line(&line);
    }
}

struct Used {
    bytes: usize,
    complete: bool,
}

/// Moves the rest of the current line to `line`, without its line end.
fn take_line(line: &mut Vec<u8>, available: &[u8]) -> Used {
    let room = MAX_LINE.saturating_sub(line.len());
    let end = memchr::memchr(b'\n', available);
    let take = end.unwrap_or(available.len()).min(room);
    let (taken, rest) = available.split_at(take);
    line.extend_from_slice(taken);
    let complete = rest.first() == Some(&b'\n');
    Used { bytes: take + usize::from(complete), complete }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of some output that comes in the given pieces, the last without a line end.
    fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut line = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let used = take_line(&mut line, rest);
                rest = &rest[used.bytes..];
                if used.complete || line.len() >= MAX_LINE {
                    lines.push(std::mem::take(&mut line));
                }
            }
        }
        lines.push(line);
        lines
    }

    #[test]
    fn lines_are_found_across_reads() {
        assert_eq!(lines(&[b"on", b"e\n\ntw", b"o\r\n", b"rest"]), [&b"one"[..], b"", b"two\r", b"rest"]);
    }

    #[test]
    fn a_line_without_end_is_broken_up_and_nothing_is_lost() {
        let long = vec![b'x'; MAX_LINE + 10];
        let lines = lines(&[&long, b"y\nz"]);
        let lengths: Vec<_> = lines.iter().map(Vec::len).collect();
        assert_eq!(lengths, [MAX_LINE, 11, 1]);
    }
}
