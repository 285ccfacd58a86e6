//! Which bytes leave a connection when: the network's faults as arithmetic, without a socket or a clock.

mod slices;

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Closing, Conditions, NetworkFault};

/// How much is taken in before what is queued has left. Beyond it a writer waits, as on a full socket.
const QUEUE_BYTES: usize = 64 * 1024;
/// A slow line gives its bytes in portions of this time, as toxiproxy's does.
const BANDWIDTH_PORTION_MS: usize = 100;

/// What is under way to one client.
#[derive(Debug)]
pub(crate) struct Shaper {
    conditions: Conditions,
    queue: VecDeque<Segment>,
    queued: usize,
    /// Bytes taken in since `limit_data` was set.
    counted: u64,
    /// Each stage of the way passes its bytes on in order: not before these times.
    sliced: Instant,
    delayed: Instant,
    sent: Instant,
    closing: Option<(Instant, Closing)>,
    random: fastrand::Rng,
}

/// Bytes and the time at which they may leave.
#[derive(Debug)]
struct Segment {
    due: Instant,
    bytes: Bytes,
}

impl Shaper {
    pub(crate) fn new(conditions: Conditions, now: Instant) -> Self {
        let mut shaper = Self {
            conditions: Conditions::default(),
            queue: VecDeque::new(),
            queued: 0,
            counted: 0,
            sliced: now,
            delayed: now,
            sent: now,
            closing: None,
            random: fastrand::Rng::new(),
        };
        shaper.change(conditions, now);
        shaper
    }

    /// Whether bytes may go straight to the socket.
    pub(crate) fn is_transparent(&self) -> bool {
        let harmless = |fault: &NetworkFault| matches!(fault, NetworkFault::SlowClose { .. } | NetworkFault::Down);
        self.queue.is_empty() && self.conditions.0.iter().all(harmless)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.queued >= QUEUE_BYTES
    }

    /// Takes in bytes to be sent, and says how many.
    pub(crate) fn accept(&mut self, bytes: &[u8], now: Instant) -> usize {
        let room = QUEUE_BYTES.saturating_sub(self.queued).max(1);
        let bytes = bytes.get(..room.min(bytes.len())).unwrap_or(bytes);
        if let Some(timeout) = self.conditions.reset_peer() {
            self.close_at(now + timeout, Closing::Reset);
        } else if let Some(timeout) = self.conditions.timeout() {
            self.silence(timeout, now);
        } else {
            let passed = self.limit(bytes);
            self.schedule(passed, now);
            if passed.len() < bytes.len() || self.limit_is_reached() {
                self.close_at(self.sent.max(now), Closing::Finish);
            }
        }
        bytes.len()
    }

    /// Other faults from now on. What was under way goes on under them; nothing is lost that toxiproxy would not lose.
    pub(crate) fn change(&mut self, conditions: Conditions, now: Instant) {
        let before = std::mem::replace(&mut self.conditions, conditions);
        if before == self.conditions {
            return;
        }
        if before.limit_data() != self.conditions.limit_data() {
            self.counted = 0;
        }
        let waiting: Vec<Bytes> = self.queue.drain(..).map(|segment| segment.bytes).collect();
        (self.queued, self.sliced, self.delayed, self.sent) = (0, now, now, now);
        if self.conditions.is_down() || (before.timeout().is_some() && self.conditions.timeout().is_none()) {
            self.closing = Some((now, Closing::Finish));
        } else if let Some(timeout) = self.conditions.timeout() {
            self.closing = None;
            self.silence(timeout, now);
        } else {
            waiting.iter().for_each(|bytes| self.schedule(bytes, now));
        }
    }

    /// Closes the connection now, for another reason than the network's.
    pub(crate) fn close(&mut self, closing: Closing, now: Instant) {
        self.closing = Some((now, closing));
    }

    /// When the connection is to be closed, and how.
    pub(crate) fn closing(&self) -> Option<(Instant, Closing)> {
        self.closing
    }

    /// The bytes that are next to leave, and when.
    pub(crate) fn next(&self) -> Option<(Instant, Bytes)> {
        self.queue.front().map(|segment| (segment.due, segment.bytes.clone()))
    }

    /// The first `count` bytes of those next to leave have left.
    pub(crate) fn advance(&mut self, count: usize) {
        let Some(segment) = self.queue.front_mut() else { return };
        let left = segment.bytes.split_to(count.min(segment.bytes.len()));
        self.queued = self.queued.saturating_sub(left.len());
        if segment.bytes.is_empty() {
            self.queue.pop_front();
        }
    }

    pub(crate) fn slow_close(&self) -> Option<Duration> {
        self.conditions.slow_close()
    }

    fn close_at(&mut self, at: Instant, closing: Closing) {
        self.closing.get_or_insert((at, closing));
    }

    /// Each byte that comes starts the time anew, as in toxiproxy.
    fn silence(&mut self, timeout: Duration, now: Instant) {
        if !timeout.is_zero() {
            self.closing = Some((now + timeout, Closing::Finish));
        }
    }

    fn limit<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(limit) = self.conditions.limit_data() else { return bytes };
        let left = usize::try_from(limit.saturating_sub(self.counted)).unwrap_or(usize::MAX);
        let passed = bytes.get(..left.min(bytes.len())).unwrap_or(bytes);
        self.counted = self.counted.saturating_add(passed.len() as u64);
        passed
    }

    fn limit_is_reached(&self) -> bool {
        self.conditions.limit_data().is_some_and(|limit| self.counted >= limit)
    }

    fn schedule(&mut self, bytes: &[u8], now: Instant) {
        let slicer = self.conditions.find(|fault| match fault {
            NetworkFault::Slicer { average_size, size_variation, delay } => {
                Some((*average_size as usize, *size_variation as usize, *delay))
            }
            _ => None,
        });
        let Some((average, variation, pause)) = slicer else { return self.pass_on(bytes, now, now) };
        let mut rest = bytes;
        for size in slices::slices(bytes.len(), average, variation, &mut self.random) {
            let (slice, behind) = rest.split_at(size.min(rest.len()));
            let ready = self.sliced.max(now);
            self.pass_on(slice, ready, now);
            self.sliced = ready + pause;
            rest = behind;
        }
    }

    /// Bytes that came at `now` and are on their way since `ready`.
    fn pass_on(&mut self, bytes: &[u8], ready: Instant, now: Instant) {
        let delay = self.conditions.latency().map_or(Duration::ZERO, |latency| self.delay(latency));
        self.delayed = self.delayed.max(ready).max(now + delay);
        let Some(rate) = self.conditions.bandwidth() else { return self.enqueue(bytes, self.delayed) };
        let rate = rate as usize;
        for portion in bytes.chunks(rate.saturating_mul(BANDWIDTH_PORTION_MS).max(1)) {
            let cost = Duration::from_micros((portion.len() as u64).saturating_mul(1_000) / rate.max(1) as u64);
            self.enqueue(portion, self.delayed.max(self.sent) + cost);
        }
    }

    fn delay(&mut self, (latency, jitter): (Duration, Duration)) -> Duration {
        let deviation = self.random.f64() * 2.0 * jitter.as_secs_f64();
        (latency + Duration::from_secs_f64(deviation)).saturating_sub(jitter)
    }

    fn enqueue(&mut self, bytes: &[u8], due: Instant) {
        self.sent = self.sent.max(due);
        if !bytes.is_empty() {
            self.queued += bytes.len();
            self.queue.push_back(Segment { due, bytes: Bytes::copy_from_slice(bytes) });
        }
    }
}

#[cfg(test)]
mod tests;
