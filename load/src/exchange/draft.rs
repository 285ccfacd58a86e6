//! A sample that is being written.

use std::time::{Duration, Instant, SystemTime};

use crate::connection::Read;
use crate::outcome::Outcome;
use crate::sample::{Sample, ServerTiming, Start};

/// The moments of a request as they happen.
#[derive(Debug)]
pub(crate) struct Draft {
    intended: Instant,
    pub(super) started: Option<Instant>,
    pub(super) connect: Option<Duration>,
    pub(super) tls: Option<Duration>,
    pub(super) head: Option<Instant>,
    first_event: Option<Instant>,
    first_token: Option<Instant>,
    last_token: Option<Read>,
    gaps: Vec<Duration>,
    tokens: u64,
    token_reads: u64,
    pub(super) end: Option<Instant>,
    pub(super) output_tokens: Option<u64>,
    pub(super) start: Start,
    pub(super) server: Option<ServerTiming>,
    pub(super) detail: Option<String>,
}

impl Draft {
    pub(crate) fn new(intended: Instant) -> Self {
        Self {
            intended,
            started: None,
            connect: None,
            tls: None,
            head: None,
            first_event: None,
            first_token: None,
            last_token: None,
            gaps: Vec::new(),
            tokens: 0,
            token_reads: 0,
            end: None,
            output_tokens: None,
            start: Start::Warm,
            server: None,
            detail: None,
        }
    }

    /// An event was read.
    pub(super) fn event(&mut self, read: Read) {
        self.first_event.get_or_insert(read.at);
    }

    /// A token was read.
    pub(super) fn token(&mut self, read: Read) {
        self.tokens += 1;
        if let Some(last) = self.last_token.replace(read) {
            self.gaps.push(read.at - last.at);
            self.token_reads += u64::from(read.number != last.number);
        } else {
            self.first_token = Some(read.at);
            self.token_reads = 1;
        }
    }

    /// Why nothing was sent.
    pub(crate) fn explain(&mut self, detail: String) {
        self.detail = Some(detail);
    }

    /// The sample. Where the end was not seen it is now.
    pub(crate) fn finish(self, outcome: Outcome, intended: SystemTime) -> Sample {
        let since = |moment: Instant| moment.saturating_duration_since(self.intended);
        let end = self.end.unwrap_or_else(Instant::now);
        Sample {
            intended,
            queue: since(self.started.unwrap_or(end)),
            connect: self.connect,
            tls: self.tls,
            head: self.head.map(since),
            first_event: self.first_event.map(since),
            first_token: self.first_token.map(since),
            last_token: self.last_token.map(|read| since(read.at)),
            end: since(end),
            gaps: self.gaps,
            tokens: self.tokens,
            token_reads: self.token_reads,
            output_tokens: self.output_tokens,
            start: self.start,
            server: self.server,
            outcome,
            detail: self.detail,
        }
    }
}
