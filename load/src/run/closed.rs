//! Closed loop: each client starts a request when its last one has ended, as people do who wait for a reply; after a
//! failure it pauses first.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, timeout_at};

use super::backoff::Backoff;
use super::request::{Due, Requests};
use super::stage::{Stage, Stages};
use crate::extent::{Extent, Part, WarmUp};
use crate::plan::Plan;

/// Starts requests until the plan's extent is reached, and returns when all have ended.
pub(super) async fn issue(
    requests: &Requests,
    plan: &Plan,
    concurrency: NonZeroUsize,
    ramp_up: Duration,
    stages: &Stages,
) {
    let began = Instant::now();
    let quota = Arc::new(Quota::new(began, plan.warm_up, plan.extent));
    let clients = u32::try_from(concurrency.get()).unwrap_or(u32::MAX);
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let first = began + ramp_up * client / clients;
        tasks.spawn(serve(requests.clone(), quota.clone(), first, stages.clone()));
    }
    let closing = async {
        quota.exhausted().await;
        stages.advance(Stage::Draining);
    };
    let ending = async { while tasks.join_next().await.is_some() {} };
    tokio::join!(closing, async {
        ending.await;
        // Without any client left nothing more is started, whatever the quota would allow.
        quota.exhaust();
    });
}

/// One client's requests.
async fn serve(requests: Requests, quota: Arc<Quota>, first: Instant, stages: Stages) {
    if timeout_at(first.into(), stages.reached(Stage::Draining)).await.is_ok() {
        return;
    }
    let mut backoff = Backoff::default();
    loop {
        // Made ready before it may start, so that the time this takes is no part of its latency.
        let Some(index) = quota.reserve() else { return };
        let prepared = requests.prepare(index).await;
        if stages.has_reached(Stage::Draining) {
            return;
        }
        let intended = Instant::now();
        let Some(part) = quota.take(index, intended) else { return };
        let outcome = requests.make(Due { intended, part }, prepared).await;
        // Over before the next request's intended start, so that it is part of no time.
        if let Some(pause) = backoff.after(&outcome)
            && timeout(pause, stages.reached(Stage::Draining)).await.is_ok()
        {
            return;
        }
    }
}

/// How many requests may still be started, and until when.
struct Quota {
    warm_up: WarmUp,
    extent: Extent,
    began: Instant,
    state: Mutex<State>,
    /// When no more requests may be started, as far as that is known.
    closes: watch::Sender<Option<Instant>>,
}

struct State {
    reserved: u64,
    measured: u64,
    /// When the measured part began.
    measured_from: Option<Instant>,
}

impl Quota {
    fn new(began: Instant, warm_up: WarmUp, extent: Extent) -> Self {
        let measured_from = match warm_up {
            WarmUp::None => Some(began),
            WarmUp::Duration(duration) => Some(began + duration),
            WarmUp::Requests(_) => None,
        };
        let closes = measured_from.and_then(|from| Some(from + extent.duration()?));
        let state = State { reserved: 0, measured: 0, measured_from };
        Self { warm_up, extent, began, state: Mutex::new(state), closes: watch::Sender::new(closes) }
    }

    /// The next request's index, unless as many as there may be are taken.
    fn reserve(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.extent.requests().is_some_and(|most| state.measured >= most.get()) {
            return None;
        }
        state.reserved += 1;
        Some(state.reserved - 1)
    }

    /// To which part a request belongs that starts now; nothing where it may not start any more.
    fn take(&self, index: u64, now: Instant) -> Option<Part> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_warm_up = match self.warm_up {
            WarmUp::None => false,
            WarmUp::Duration(duration) => now < self.began + duration,
            WarmUp::Requests(count) => index < count.get(),
        };
        if is_warm_up {
            return Some(Part::WarmUp);
        }
        let from = *state.measured_from.get_or_insert(now);
        if self.extent.is_over(now.saturating_duration_since(from), state.measured) {
            return None;
        }
        state.measured += 1;
        let closes = if self.extent.requests().is_some_and(|most| state.measured >= most.get()) {
            Some(now)
        } else {
            self.extent.duration().map(|duration| from + duration)
        };
        self.closes.send_if_modified(|known| std::mem::replace(known, closes) != closes);
        Some(Part::Measured)
    }

    fn exhaust(&self) {
        self.closes.send_replace(Some(self.began));
    }

    /// Completes when no more requests may be started.
    async fn exhausted(&self) {
        let mut closes = self.closes.subscribe();
        loop {
            let known = *closes.borrow_and_update();
            let changed = closes.changed();
            match known {
                None => {
                    let _ = changed.await;
                }
                Some(at) => {
                    tokio::select! {
                        () = sleep_until(at.into()) => return,
                        _ = changed => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn clients_that_make_ready_together_do_not_start_more_than_there_may_be() {
        let began = Instant::now();
        let quota = Quota::new(began, WarmUp::None, Extent::requests_of(NonZeroU64::MIN));
        assert_eq!((quota.reserve(), quota.reserve()), (Some(0), Some(1)));
        assert_eq!((quota.take(0, began), quota.take(1, began)), (Some(Part::Measured), None));
        assert_eq!(quota.reserve(), None);
    }

    #[test]
    fn a_duration_counts_from_the_end_of_the_warm_up() {
        let (began, second) = (Instant::now(), Duration::from_secs(1));
        let quota = Quota::new(began, WarmUp::Duration(second), Extent::duration_of(2 * second));
        let parts = [0, 999, 1_000, 2_999, 3_000].map(|millis| quota.take(0, began + Duration::from_millis(millis)));
        let (warm_up, measured) = (Some(Part::WarmUp), Some(Part::Measured));
        assert_eq!(parts, [warm_up, warm_up, measured, measured, None]);

        // Counted in requests, the warm-up ends with the first measured one.
        let quota = Quota::new(began, WarmUp::Requests(NonZeroU64::MIN), Extent::duration_of(second));
        let parts =
            [(0, 0), (1, 5), (2, 5), (3, 6)].map(|(index, seconds)| quota.take(index, began + second * seconds));
        assert_eq!(parts, [warm_up, measured, measured, None]);
    }
}
