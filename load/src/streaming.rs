//! The streaming proof: did a reply come as it was made, or was it held back somewhere on the way?
//!
//! A buffer shows itself by tokens that were made over seconds and come within milliseconds. The server's own timing
//! tells how long it made them; without it the reply's own shape has to do.

use std::time::Duration;

/// Below so many tokens a reply's shape says nothing.
const TOKENS_TO_JUDGE: u64 = 8;
/// A reply made faster than this comes in one piece through any network.
const SPAN_TO_JUDGE: Duration = Duration::from_millis(100);
/// Seen within this part of the time in which it was made, a reply was held back.
const HELD_BACK: u32 = 5;
/// Seen within this part of the whole time from start to end, a reply was held back.
const AT_ONCE: u32 = 100;

/// What is known of one complete reply.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// Tokens with a text, counted as events.
    pub tokens: u64,
    /// Reads that brought at least one.
    pub token_reads: u64,
    /// From the first token to the last, as the client saw them.
    pub seen_over: Duration,
    /// From the actual start to the first token.
    pub ttft: Duration,
    /// From the actual start to the end.
    pub total: Duration,
    /// From the first token to the end of the reply, as the server says.
    pub generated_over: Option<Duration>,
}

/// What a reply's shape shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It came as it was made.
    Streamed,
    /// It was held back, and came at once.
    Buffered,
    /// It was too short, or came too fast, to tell.
    TooShort,
}

impl Verdict {
    /// Judges one complete reply.
    ///
    /// - Fewer than eight tokens are too short to tell.
    /// - Where the server says how long it made them: less than 100 ms is too short to tell; seen within a fifth of
    ///   that time is buffered; the rest is streamed.
    /// - Where it does not: tokens that came in one read, or within 1 % of the time from start to end, are buffered if
    ///   the first took 100 ms or more, and too fast to tell otherwise; the rest is streamed.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        if evidence.tokens < TOKENS_TO_JUDGE {
            return Self::TooShort;
        }
        if let Some(generated_over) = evidence.generated_over {
            return if generated_over < SPAN_TO_JUDGE {
                Self::TooShort
            } else if evidence.seen_over < generated_over / HELD_BACK {
                Self::Buffered
            } else {
                Self::Streamed
            };
        }
        let at_once = evidence.token_reads <= 1 || evidence.seen_over < evidence.total / AT_ONCE;
        match (at_once, evidence.ttft >= SPAN_TO_JUDGE) {
            (false, _) => Self::Streamed,
            (true, true) => Self::Buffered,
            (true, false) => Self::TooShort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_judged_by_its_tokens_reads_and_times() {
        use Verdict::{Buffered, Streamed, TooShort};
        // Tokens, reads, seen over, TTFT, total, generated over (all in ms).
        let table = [
            // With the server's timing.
            (60, 60, 1_770, 300, 2_080, Some(1_770), Streamed),
            (60, 1, 0, 2_070, 2_071, Some(1_770), Buffered),
            (60, 9, 353, 1_700, 2_070, Some(1_770), Buffered),
            (60, 9, 354, 1_700, 2_070, Some(1_770), Streamed),
            (60, 6, 1_500, 300, 2_080, Some(1_770), Streamed),
            (60, 1, 0, 150, 151, Some(99), TooShort),
            (60, 1, 0, 150, 151, Some(100), Buffered),
            (7, 1, 0, 2_000, 2_001, Some(1_000), TooShort),
            (8, 1, 0, 2_000, 2_001, Some(1_000), Buffered),
            // Without it.
            (60, 60, 1_770, 300, 2_080, None, Streamed),
            (60, 1, 0, 2_070, 2_071, None, Buffered),
            (60, 3, 19, 1_980, 2_000, None, Buffered),
            (60, 3, 20, 1_980, 2_000, None, Streamed),
            (60, 1, 0, 100, 101, None, Buffered),
            (60, 1, 0, 99, 100, None, TooShort),
            (7, 1, 0, 2_000, 2_001, None, TooShort),
            (0, 0, 0, 2_000, 2_000, None, TooShort),
        ];
        for (tokens, token_reads, seen, ttft, total, generated, verdict) in table {
            let ms = Duration::from_millis;
            let evidence = Evidence {
                tokens,
                token_reads,
                seen_over: ms(seen),
                ttft: ms(ttft),
                total: ms(total),
                generated_over: generated.map(ms),
            };
            assert_eq!(Verdict::of(&evidence), verdict, "{evidence:?}");
        }
    }
}
