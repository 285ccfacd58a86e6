//! Other words in place of the generator's, at the generator's pace.

pub(crate) mod hostile;

use async_stream::stream;
use futures::stream::{BoxStream, StreamExt};

use crate::{Failure, Piece, Speech, Step, StopReason};

type Steps = BoxStream<'static, Result<Step, Failure>>;

/// What `speech` makes of `steps`, of which no more than `max_tokens` will be let through.
pub(super) fn replaced(steps: Steps, speech: Speech, max_tokens: Option<u32>) -> Steps {
    match speech {
        Speech::Empty => empty(steps),
        Speech::Huge { kibibytes } => huge(steps, kibibytes as usize * 1024, max_tokens),
        Speech::Hostile => hostile(steps),
    }
}

/// Nothing but an end, at the time at which the first token would have come.
fn empty(mut steps: Steps) -> Steps {
    stream! {
        let first = steps.next().await;
        drop(steps);
        yield match first {
            Some(Ok(_)) => Ok(Step::Finish(StopReason::EndTurn)),
            Some(Err(failure)) => Err(failure),
            None => return,
        };
    }
    .boxed()
}

/// The whole text in one piece, repeated up to `size` bytes, when it is complete or has all the tokens it may have:
/// of one piece, the limits let through all or nothing.
fn huge(mut steps: Steps, size: usize, max_tokens: Option<u32>) -> Steps {
    stream! {
        let (mut text, mut tokens) = (String::new(), 0_u32);
        let end = loop {
            match steps.next().await {
                Some(Ok(Step::Piece(piece))) => {
                    let more = tokens.saturating_add(piece.tokens);
                    if max_tokens.is_some_and(|max| more > max) {
                        break Some(Ok(Step::Finish(StopReason::MaxTokens)));
                    }
                    text.push_str(&piece.text);
                    tokens = more;
                }
                other => break other,
            }
        };
        if !text.is_empty() {
            let text: String = text.chars().cycle().scan(0, |bytes, character| {
                *bytes += character.len_utf8();
                (*bytes <= size).then_some(character)
            }).collect();
            yield Ok(Step::Piece(Piece { text, tokens }));
        }
        if let Some(end) = end {
            yield end;
        }
    }
    .boxed()
}

/// A hostile piece for each of the generator's, and what is left of them at its end.
fn hostile(mut steps: Steps) -> Steps {
    stream! {
        let mut pieces = hostile::PIECES.iter().map(|text| Ok(Step::Piece(Piece::token(*text))));
        loop {
            match steps.next().await {
                Some(Ok(Step::Piece(_))) => match pieces.next() {
                    Some(piece) => yield piece,
                    None => break,
                },
                Some(Ok(Step::Finish(_))) => break,
                Some(Err(failure)) => {
                    yield Err(failure);
                    return;
                }
                None => return,
            }
        }
        drop(steps);
        for piece in pieces {
            yield piece;
        }
        yield Ok(Step::Finish(StopReason::EndTurn));
    }
    .boxed()
}
