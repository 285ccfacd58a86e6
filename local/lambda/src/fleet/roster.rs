//! The list of sandboxes and what each is doing. Knows nothing of processes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::runtime_api::Exchange;

/// How long an invocation waits for a sandbox that has answered but not yet asked for its next
/// invocation. A client that sends one request after the other is faster than that long poll, and
/// must meet neither a second cold start nor a 429.
const HANDOVER: Duration = Duration::from_millis(250);

/// A sandbox's number: 1 for the first that was started.
pub(crate) type Number = u64;

/// What a sandbox is doing, as far as the choice of a sandbox goes.
enum Occupancy {
    /// Starting, or at work on an invocation.
    Busy,
    /// Has answered then, and is about to ask for its next invocation.
    HandingOver(Instant),
    /// Waits for an invocation since the given turn; a higher turn was used more recently.
    Idle(u64),
}

/// What there is for an invocation.
enum Found<E> {
    /// This one, which is busy from now on.
    Idle(Arc<E>),
    /// None yet; the last of those that are handing over has answered then.
    HandingOver(Instant),
    NoneFree,
}

struct Member<E> {
    exchange: Arc<E>,
    occupancy: Occupancy,
}

struct Members<E> {
    by_number: BTreeMap<Number, Member<E>>,
    started: Number,
    turns: u64,
}

/// All living sandboxes, at most as many as may exist at once.
pub(crate) struct Roster<E = Exchange> {
    limit: NonZeroUsize,
    handover: Duration,
    members: Mutex<Members<E>>,
    freed: Notify,
}

impl<E> Roster<E> {
    pub(crate) fn new(limit: NonZeroUsize) -> Self {
        Self::with_handover(limit, HANDOVER)
    }

    fn with_handover(limit: NonZeroUsize, handover: Duration) -> Self {
        let members = Members { by_number: BTreeMap::new(), started: 0, turns: 0 };
        Self { limit, handover, members: Mutex::new(members), freed: Notify::new() }
    }

    /// Takes an idle sandbox, or one that becomes idle at once because it is handing over.
    pub(crate) async fn claim(&self) -> Option<Arc<E>> {
        let asked = Instant::now();
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Registered before the look at the members, so that no change in between is missed.
            freed.as_mut().enable();
            let answered = match self.look() {
                Found::Idle(exchange) => return Some(exchange),
                Found::HandingOver(answered) => answered,
                Found::NoneFree => return None,
            };
            // The first bound alone would let others take each sandbox that comes free, for ever.
            let until = answered.min(asked) + self.handover;
            timeout_at(until, freed).await.ok()?;
        }
    }

    /// Takes the idle sandbox that was used most recently, as Lambda does. Both questions are asked of one moment: a
    /// sandbox that has asked for work between them would be missed.
    fn look(&self) -> Found<E> {
        let mut members = self.lock();
        let mut answered = None;
        let mut idle = None;
        for member in members.by_number.values_mut() {
            match member.occupancy {
                Occupancy::Idle(turn) if idle.as_ref().is_none_or(|(last, _)| turn > *last) => {
                    idle = Some((turn, member));
                }
                Occupancy::HandingOver(since) => answered = answered.max(Some(since)),
                Occupancy::Idle(_) | Occupancy::Busy => {}
            }
        }
        match (idle, answered) {
            (Some((_, member)), _) => {
                member.occupancy = Occupancy::Busy;
                Found::Idle(Arc::clone(&member.exchange))
            }
            (None, Some(answered)) => Found::HandingOver(answered),
            (None, None) => Found::NoneFree,
        }
    }

    /// Adds a busy sandbox, unless there are as many as there may be.
    pub(crate) fn enlist<T>(&self, make: impl FnOnce(Number) -> (Arc<E>, T)) -> Option<(Arc<E>, T)> {
        let mut members = self.lock();
        if members.by_number.len() >= self.limit.get() {
            return None;
        }
        members.started += 1;
        let number = members.started;
        let (exchange, rest) = make(number);
        let member = Member { exchange: Arc::clone(&exchange), occupancy: Occupancy::Busy };
        members.by_number.insert(number, member);
        Some((exchange, rest))
    }

    /// Every living sandbox.
    pub(crate) fn all(&self) -> Vec<Arc<E>> {
        self.lock().by_number.values().map(|member| Arc::clone(&member.exchange)).collect()
    }

    pub(crate) fn set_handing_over(&self, number: Number) {
        if let Some(member) = self.lock().by_number.get_mut(&number) {
            member.occupancy = Occupancy::HandingOver(Instant::now());
        }
    }

    pub(crate) fn set_idle(&self, number: Number) {
        let mut members = self.lock();
        members.turns += 1;
        let turn = members.turns;
        if let Some(member) = members.by_number.get_mut(&number) {
            member.occupancy = Occupancy::Idle(turn);
        }
        drop(members);
        self.freed.notify_waiters();
    }

    pub(crate) fn remove(&self, number: Number) {
        self.lock().by_number.remove(&number);
        self.freed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Members<E>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster_of(limit: usize) -> Roster<Number> {
        Roster::new(NonZeroUsize::new(limit).expect("a limit above zero"))
    }

    fn start(roster: &Roster<Number>) -> Option<Number> {
        roster.enlist(|number| (Arc::new(number), ())).map(|(exchange, ())| *exchange)
    }

    #[test]
    fn the_sandbox_used_last_is_taken_first() {
        let roster = roster_of(3);
        for _ in 0..3 {
            start(&roster).expect("room for another");
        }
        roster.set_idle(2);
        roster.set_idle(3);
        roster.set_idle(1);
        let claim = || match roster.look() {
            Found::Idle(exchange) => Some(*exchange),
            Found::HandingOver(_) | Found::NoneFree => None,
        };
        let order: Vec<_> = std::iter::from_fn(claim).collect();
        assert_eq!(order, [1, 3, 2]);
    }

    #[test]
    fn there_are_never_more_sandboxes_than_the_limit_and_an_ended_one_leaves_room() {
        let roster = roster_of(2);
        assert_eq!([start(&roster), start(&roster), start(&roster)], [Some(1), Some(2), None]);
        roster.remove(1);
        assert_eq!([start(&roster), start(&roster)], [Some(3), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sandbox_that_hands_over_is_waited_for() {
        let roster = roster_of(1);
        start(&roster).expect("room for one");
        roster.set_handing_over(1);
        let (claimed, ()) = tokio::join!(roster.claim(), async {
            tokio::time::sleep(HANDOVER / 2).await;
            roster.set_idle(1);
        });
        assert_eq!(claimed.as_deref(), Some(&1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sandbox_that_does_not_hand_over_in_time_is_not_waited_for_any_longer() {
        let roster = roster_of(1);
        start(&roster).expect("room for one");
        roster.set_handing_over(1);
        let asked = Instant::now();
        assert_eq!(roster.claim().await, None);
        assert!(asked.elapsed() >= HANDOVER && asked.elapsed() < 2 * HANDOVER, "{:?}", asked.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sandbox_that_works_on_behind_its_answer_is_waited_for_only_while_that_is_fresh() {
        let roster = roster_of(1);
        start(&roster).expect("room for one");
        roster.set_handing_over(1);
        for (pause, wait) in [(HANDOVER / 2, HANDOVER / 2), (HANDOVER, Duration::ZERO)] {
            tokio::time::advance(pause).await;
            let asked = Instant::now();
            assert_eq!(roster.claim().await, None);
            assert!(asked.elapsed().abs_diff(wait) <= Duration::from_millis(2), "{:?}", asked.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_sandbox_is_not_waited_for() {
        let roster = roster_of(1);
        start(&roster).expect("room for one");
        let asked = Instant::now();
        assert_eq!(roster.claim().await, None);
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }

    /// On threads of their own: it is the moment between two looks that counts.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sandbox_that_asks_for_work_just_now_is_not_missed() {
        let roster = Arc::new(Roster::with_handover(NonZeroUsize::MIN, Duration::from_secs(60)));
        start(&roster).expect("room for one");
        for round in 0..60_000 {
            roster.set_handing_over(1);
            let sandbox = Arc::clone(&roster);
            let asks = tokio::spawn(async move { sandbox.set_idle(1) });
            assert_eq!(roster.claim().await.as_deref(), Some(&1), "in round {round}");
            asks.await.expect("no panic");
        }
    }
}
