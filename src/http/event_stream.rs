//! A turn as a response body: its events encoded as they come, with exactly one terminal event.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream};
use tokio::time::{Instant, Sleep, sleep};

use super::error::telling;
use super::sse;
use crate::chat::{ChatError, ChatEvent};
use crate::config::Prices;
use crate::telemetry::{Outcome, SharedRecord, millis};

/// The events of a turn.
pub(super) type Events = Pin<Box<dyn Stream<Item = ChatEvent> + Send>>;

/// A chunk that has so many bytes goes out, although more is ready. Replies of 150 tokens have some five thousand
/// in all; the bound is for a service that sends more than it was asked for, faster than the client reads.
const FULL_CHUNK: usize = 64 * 1024;

/// Server-sent events as chunks of bytes, polled by whoever writes the response.
///
/// There is no task and no channel between Bedrock's socket and the client's: the poll that finds a delta
/// is the poll that hands it over. All that is ready in one poll becomes one chunk, and so one write. Nothing is
/// read ahead: while the client does not take a chunk, nobody polls, and Bedrock's socket fills up.
pub struct EventStream {
    events: Events,
    state: State,
    buffer: BytesMut,
    record: SharedRecord,
    prices: Option<Prices>,
    keep_alive: Duration,
    last_chunk: Instant,
    silence: Pin<Box<Sleep>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No terminal event yet.
    Open,
    /// The terminal event is encoded; the turn may still have to wind up.
    Terminated,
    /// Nothing more comes.
    Ended,
}

impl EventStream {
    /// A stream that begins with what is in `buffer` already.
    pub(super) fn new(
        events: Events,
        buffer: BytesMut,
        record: SharedRecord,
        prices: Option<Prices>,
        keep_alive: Duration,
    ) -> Self {
        Self {
            events,
            state: State::Open,
            buffer,
            record,
            prices,
            keep_alive,
            last_chunk: Instant::now(),
            silence: Box::pin(sleep(keep_alive)),
        }
    }

    /// The next chunk, `None` after the last. Never fails and never panics.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        if catch_unwind(AssertUnwindSafe(|| self.take_events(cx))).is_err() {
            if self.state == State::Open {
                self.fail(ChatError::Internal, None, "a panic within the stream");
            }
            self.state = State::Ended;
        }
        if !self.buffer.is_empty() {
            return Poll::Ready(Some(self.hand_over()));
        }
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        ready!(self.poll_silence(cx));
        Poll::Ready(Some(Bytes::from_static(sse::KEEP_ALIVE)))
    }

    /// What is encoded, as one chunk. The connection writes it to its socket before its own poll ends.
    fn hand_over(&mut self) -> Bytes {
        self.last_chunk = Instant::now();
        let mut record = self.record.lock();
        if record.phases.first_delta.is_some() && record.phases.first_token_write.is_none() {
            record.phases.first_token_write = Some(record.elapsed());
        }
        self.buffer.split().freeze()
    }

    /// Encodes every event that is ready now, as far as a chunk holds them.
    fn take_events(&mut self, cx: &mut Context<'_>) {
        while self.buffer.len() < FULL_CHUNK
            && let Poll::Ready(event) = self.events.as_mut().poll_next(cx)
        {
            match event {
                Some(event) => self.encode(&event),
                None => {
                    if self.state == State::Open {
                        self.fail(ChatError::Internal, None, "a turn without a terminal event");
                    }
                    self.state = State::Ended;
                    break;
                }
            }
        }
    }

    fn encode(&mut self, event: &ChatEvent) {
        if self.state != State::Open {
            return;
        }
        match event {
            ChatEvent::Opened => {
                let mut record = self.record.lock();
                record.phases.bedrock_head = Some(record.elapsed());
            }
            ChatEvent::Token(text) => {
                let mut record = self.record.lock();
                let came = record.elapsed();
                record.phases.first_delta.get_or_insert(came);
                sse::write_event(&mut self.buffer, "token", &sse::Token { text });
                record.last_token_write = Some(came);
                record.last_write = Some(came);
                record.content_deltas += 1;
            }
            ChatEvent::Done { stop_reason, usage, latency_ms, uncounted } => {
                let mut record = self.record.lock();
                if let Some(detail) = uncounted {
                    tracing::warn!(request_id = record.request_id(), detail, "the reply is whole, but was not counted");
                }
                record.count(*usage, self.prices.as_ref());
                record.stop_reason = Some(stop_reason.clone());
                record.bedrock_latency_ms = *latency_ms;
                record.outcome = Some(Outcome::Done);
                let total = record.elapsed();
                record.last_write = Some(total);
                // A reply so short that its tokens leave in the same chunk as this event.
                if record.phases.first_delta.is_some() {
                    record.phases.first_token_write.get_or_insert(total);
                }
                let timing = sse::Timing {
                    ttft_ms: record.phases.first_token_write.map(millis),
                    total_ms: millis(total),
                    bedrock_ms: *latency_ms,
                    phases: record.phases,
                };
                let done = sse::Done { stop_reason, usage: *usage, timing, cost_usd: record.cost };
                sse::write_event(&mut self.buffer, "done", &done);
                self.state = State::Terminated;
            }
            ChatEvent::Failed { error, usage, detail } => self.fail(*error, *usage, detail),
        }
    }

    fn fail(&mut self, error: ChatError, usage: Option<crate::chat::Usage>, detail: &str) {
        let telling = telling(error);
        let mut record = self.record.lock();
        tracing::warn!(request_id = record.request_id(), code = telling.code, detail, "the reply failed");
        record.count(usage, self.prices.as_ref());
        record.error_code = Some(telling.code);
        record.outcome = Some(Outcome::Failed);
        record.last_write = Some(record.elapsed());
        sse::write_event(&mut self.buffer, "error", &sse::Error::new(telling, record.request_id(), usage));
        self.state = State::Terminated;
    }

    /// Ready once nothing was written for the keep-alive interval. The timer is set again only when it rings,
    /// not with each chunk.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.silence.poll_unpin(cx));
            let now = Instant::now();
            let due = self.last_chunk + self.keep_alive;
            if now >= due {
                self.last_chunk = now;
                self.silence.as_mut().reset(now + self.keep_alive);
                return Poll::Ready(());
            }
            self.silence.as_mut().reset(due);
        }
    }
}
