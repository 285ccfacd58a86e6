//! How fast a streamed answer may go on to the client.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

const MIB: u64 = 1024 * 1024;
/// How often Lambda's bucket is refilled.
const REFILL_INTERVAL: Duration = Duration::from_millis(125);

/// The bandwidth of one streamed answer: a token bucket that is full at the start.
///
/// Lambda lets the first 6 MiB through at once, then 2 MiB/s
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html>). That the
/// bucket is refilled every 125 ms is the Runtime Interface Emulator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth(Option<Rate>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    burst: u64,
    per_refill: NonZeroU64,
}

impl Bandwidth {
    /// Lambda's own: 6 MiB at once, then 2 MiB/s.
    #[must_use]
    pub const fn lambda() -> Self {
        Self::limited(6 * MIB, 2 * MIB)
    }

    /// `burst` bytes at once, then `per_second` bytes a second, of which at least 8 are taken.
    #[must_use]
    pub const fn limited(burst: u64, per_second: u64) -> Self {
        let refills_per_second = 8;
        let per_refill = match NonZeroU64::new(per_second / refills_per_second) {
            Some(per_refill) => per_refill,
            None => NonZeroU64::MIN,
        };
        Self(Some(Rate { burst, per_refill }))
    }

    /// As fast as the two ends can.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(None)
    }
}

/// What one answer may still send before it has to wait.
pub(crate) struct Bucket {
    rate: Option<Rate>,
    tokens: u64,
    refilled: Instant,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(bandwidth: Bandwidth) -> Self {
        let tokens = bandwidth.0.map_or(0, |rate| rate.burst);
        Self { rate: bandwidth.0, tokens, refilled: Instant::now(), wait: None }
    }

    /// Takes as many of the `wanted` bytes as may go now, and waits while there are none: usually all at
    /// once, without a timer.
    pub(crate) fn poll_take(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<usize> {
        let Some(rate) = self.rate else { return Poll::Ready(wanted) };
        loop {
            self.refill(rate);
            if self.tokens > 0 {
                self.wait = None;
                let taken = wanted.min(usize::try_from(self.tokens).unwrap_or(usize::MAX));
                self.tokens -= taken as u64;
                return Poll::Ready(taken);
            }
            let until = self.refilled + REFILL_INTERVAL;
            let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
    }

    fn refill(&mut self, rate: Rate) {
        let refills = self.refilled.elapsed().as_nanos() / REFILL_INTERVAL.as_nanos();
        let refills = u32::try_from(refills).unwrap_or(u32::MAX);
        let gained = rate.per_refill.get().saturating_mul(u64::from(refills));
        // A bucket smaller than one refill would otherwise never let that much through.
        let capacity = rate.burst.max(rate.per_refill.get());
        self.tokens = self.tokens.saturating_add(gained).min(capacity);
        self.refilled += REFILL_INTERVAL * refills;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Sends `bytes` in frames of at most `frame` bytes; returns how long that took.
    async fn send(bandwidth: Bandwidth, bytes: u64, frame: usize) -> Duration {
        let start = Instant::now();
        let mut bucket = Bucket::full(bandwidth);
        let mut left = bytes;
        while left > 0 {
            let wanted = frame.min(usize::try_from(left).expect("a small number"));
            left -= poll_fn(|context| bucket.poll_take(context, wanted)).await as u64;
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_six_mebibytes_go_at_once() {
        assert_eq!(send(Bandwidth::lambda(), 6 * MIB, 8192).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_goes_at_two_mebibytes_a_second() {
        for frame in [4096, 65_536, 10 * 1024 * 1024] {
            let took = send(Bandwidth::lambda(), 26 * MIB, frame).await;
            assert!(took.abs_diff(Duration::from_secs(10)) <= 2 * REFILL_INTERVAL, "frames of {frame}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_fills_the_bucket_again_and_never_beyond_its_size() {
        let mut bucket = Bucket::full(Bandwidth::limited(1000, 800));
        assert_eq!(poll_fn(|context| bucket.poll_take(context, 5000)).await, 1000);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(poll_fn(|context| bucket.poll_take(context, 5000)).await, 1000);
        let emptied = Instant::now();
        assert_eq!(poll_fn(|context| bucket.poll_take(context, 5000)).await, 100);
        assert!(emptied.elapsed() <= 2 * REFILL_INTERVAL);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        assert_eq!(send(Bandwidth::unlimited(), 1 << 40, usize::MAX).await, Duration::ZERO);
    }
}
