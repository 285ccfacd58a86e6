//! What was measured of one request. Another client's requests become samples too, and go into the same tally.

use std::time::{Duration, SystemTime};

use crate::outcome::Outcome;
use crate::streaming::{Evidence, Verdict};

/// The facts of one request.
///
/// A moment is counted from the *intended* start, so that the time in which a request waited for its turn is part of
/// it: in an open loop the start on the schedule, in a closed one the moment at which the client is free for it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When the request was to start.
    pub intended: SystemTime,
    /// From the intended start to the actual one.
    pub queue: Duration,
    /// How long resolving the name and opening the TCP connection took; nothing for a reused connection.
    pub connect: Option<Duration>,
    /// How long the TLS handshake took; nothing for a reused connection or without TLS.
    pub tls: Option<Duration>,
    /// The response head was read.
    pub head: Option<Duration>,
    /// The first event, of whatever kind, was read.
    pub first_event: Option<Duration>,
    /// The first token with a text was read: the time to first token.
    pub first_token: Option<Duration>,
    /// The last token was read.
    pub last_token: Option<Duration>,
    /// The terminal event was read, or the request had failed.
    pub end: Duration,
    /// Between each token and the next; zero for two that one read brought.
    pub gaps: Vec<Duration>,
    /// Tokens with a text, counted as events: an event may hold several of the model's tokens.
    pub tokens: u64,
    /// Reads of the connection that brought at least one token.
    pub token_reads: u64,
    /// The model's own count of output tokens, where the server said it.
    pub output_tokens: Option<u64>,
    /// Whether a fresh sandbox had to be started for the request.
    pub start: Start,
    /// The server's own account, where it gave one.
    pub server: Option<ServerTiming>,
    /// How it ended.
    pub outcome: Outcome,
    /// What exactly went wrong, for a person.
    pub detail: Option<String>,
}

/// In what state the server's sandbox was, told by an entry `cold` in the `server-timing` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// It had served before, or the server does not say.
    #[default]
    Warm,
    /// This was its first request.
    Cold,
}

/// The server's own account of a reply, from `done.timing`. Counted from its receipt of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerTiming {
    /// Its time to first token.
    pub ttft: Option<Duration>,
    /// Its time to the end of the reply.
    pub total: Option<Duration>,
    /// What came before the first token.
    pub phases: Option<Phases>,
}

/// Moments on the way to the first token, each counted from the receipt of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// The request was read and checked.
    pub parse: Duration,
    /// The policy was laid over the conversation.
    pub govern: Duration,
    /// Bedrock's response head was there.
    pub bedrock_head: Duration,
    /// The first content delta was there.
    pub first_delta: Duration,
    /// The first token was written.
    pub first_token_write: Duration,
}

impl Sample {
    /// A request that ended in this way after `end`, before anything of an answer was there.
    #[must_use]
    pub fn without_answer(intended: SystemTime, end: Duration, outcome: Outcome) -> Self {
        Self {
            intended,
            queue: Duration::ZERO,
            connect: None,
            tls: None,
            head: None,
            first_event: None,
            first_token: None,
            last_token: None,
            end,
            gaps: Vec::new(),
            tokens: 0,
            token_reads: 0,
            output_tokens: None,
            start: Start::Warm,
            server: None,
            outcome,
            detail: None,
        }
    }

    /// Time per output token: from the first token to the last, over the tokens after the first. The model's count is
    /// taken where the server said it, since an event may hold several tokens. Nothing below two tokens.
    #[must_use]
    pub fn time_per_output_token(&self) -> Option<Duration> {
        let span = self.last_token?.saturating_sub(self.first_token?);
        let after_the_first = u32::try_from(self.output_tokens.unwrap_or(self.tokens)).ok()?.checked_sub(1)?;
        if self.tokens < 2 { None } else { span.checked_div(after_the_first) }
    }

    /// The longest silence between two tokens. Nothing below two tokens.
    #[must_use]
    pub fn longest_stall(&self) -> Option<Duration> {
        self.gaps.iter().max().copied()
    }

    /// Whether the reply came as a stream.
    #[must_use]
    pub fn streaming(&self) -> Verdict {
        Verdict::of(&Evidence {
            tokens: self.tokens,
            token_reads: self.token_reads,
            seen_over: self.gaps.iter().sum(),
            ttft: self.first_token.unwrap_or(self.end).saturating_sub(self.queue),
            total: self.end.saturating_sub(self.queue),
            generated_over: self.server.and_then(|server| server.total?.checked_sub(server.ttft?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(tokens: u64, output_tokens: Option<u64>) -> Sample {
        let ms = Duration::from_millis;
        let mut sample = Sample::without_answer(SystemTime::UNIX_EPOCH, ms(150), Outcome::Done);
        (sample.first_token, sample.last_token) = (Some(ms(50)), Some(ms(140)));
        (sample.tokens, sample.output_tokens) = (tokens, output_tokens);
        sample.gaps = vec![ms(30), ms(60)];
        sample
    }

    #[test]
    fn time_per_output_token_is_taken_over_the_models_own_count() {
        assert_eq!(reply(4, None).time_per_output_token(), Some(Duration::from_millis(30)));
        assert_eq!(reply(4, Some(10)).time_per_output_token(), Some(Duration::from_millis(10)));
        for (tokens, output_tokens) in [(1, None), (1, Some(5)), (4, Some(1)), (4, Some(0)), (0, None)] {
            assert_eq!(reply(tokens, output_tokens).time_per_output_token(), None, "{tokens} {output_tokens:?}");
        }
    }

    #[test]
    fn the_longest_stall_is_the_longest_gap() {
        assert_eq!(reply(3, None).longest_stall(), Some(Duration::from_millis(60)));
    }
}
