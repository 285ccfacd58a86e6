//! The load: workers in a closed loop, one for each sandbox, with bursts beyond and a malformed request every second.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::interval;

use crate::client::Client;
use crate::ledger::Ledger;
use crate::plan::{Plan, Request};
use crate::tally::{Failure, Tally};

mod attempt;

/// How often each process meets the replies that take most memory before the load begins. An allocator keeps what it had
/// to have once: met by each process by chance, now and then, they would look like a slow leak.
const WARM_UP_ROUNDS: usize = 3;
/// From one malformed request to the next.
const MALFORMED_EVERY: Duration = Duration::from_secs(1);
/// From one burst to the next.
const BURST_EVERY: Duration = Duration::from_secs(15);
/// Requests of a burst beyond one for each sandbox: with the workers' own, twice as many as there is room for and more.
const BURST_BEYOND: usize = 2;

/// All that workers share.
pub(crate) struct Load {
    client: Client,
    ledger: Ledger,
    plan: Mutex<Plan>,
    tally: Mutex<Tally>,
    started: Instant,
    stopped: AtomicBool,
    malformed_due: AtomicU64,
    /// Odd while a burst is on.
    burst: AtomicU64,
}

impl Load {
    pub(crate) fn new(client: Client, ledger: Ledger, plan: Plan, tally: Tally) -> Arc<Self> {
        Arc::new(Self {
            client,
            ledger,
            plan: Mutex::new(plan),
            tally: Mutex::new(tally),
            started: Instant::now(),
            stopped: AtomicBool::new(false),
            malformed_due: AtomicU64::new(0),
            burst: AtomicU64::new(0),
        })
    }

    /// Has each process answer the replies that take most memory, all at the same time so that none is left out.
    pub(crate) async fn warm_up(self: &Arc<Self>, sandboxes: usize) {
        for draw in [Plan::huge, Plan::large].repeat(WARM_UP_ROUNDS) {
            let mut requests = JoinSet::new();
            for _ in 0..sandboxes {
                let chat = draw(&mut self.plan());
                let load = Arc::clone(self);
                requests.spawn(async move { load.perform(Request::Chat(chat)).await });
            }
            self.joined(requests).await;
        }
    }

    /// Sends requests until [`stop`](Self::stop), and ends when each of them is over.
    pub(crate) async fn run(self: Arc<Self>, sandboxes: usize) {
        let mut workers = JoinSet::new();
        for _ in 0..sandboxes {
            let load = Arc::clone(&self);
            workers.spawn(async move {
                while !load.stopped.load(Ordering::Relaxed) {
                    let request = load.next();
                    load.perform(request).await;
                }
            });
        }
        let clock = tokio::spawn(Arc::clone(&self).keep_time(sandboxes));
        self.joined(workers).await;
        // Ends by itself: a burst that is on belongs to the load.
        if let Err(broken) = clock.await {
            self.fail(format!("the clock broke: {broken}"));
        }
    }

    async fn joined(&self, mut tasks: JoinSet<()>) {
        while let Some(ended) = tasks.join_next().await {
            if let Err(broken) = ended {
                self.fail(format!("a worker broke: {broken}"));
            }
        }
    }

    /// Lets no further request begin.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Something that belongs to no one request is wrong.
    pub(crate) fn fail(&self, problem: impl Into<String>) {
        let failure = Failure { at: self.elapsed(), problems: vec![problem.into()], evidence: Vec::new() };
        self.tally().fail(failure);
    }

    /// Bursts so far.
    pub(crate) fn bursts(&self) -> u64 {
        self.burst.load(Ordering::SeqCst).div_ceil(2)
    }

    async fn keep_time(self: Arc<Self>, sandboxes: usize) {
        let mut seconds = interval(MALFORMED_EVERY);
        let mut last_burst = Instant::now();
        let mut bursts = JoinSet::new();
        while !self.stopped.load(Ordering::Relaxed) {
            seconds.tick().await;
            self.malformed_due.fetch_add(1, Ordering::Relaxed);
            let on = self.burst.load(Ordering::SeqCst) % 2 == 1;
            if last_burst.elapsed() >= BURST_EVERY && !on {
                last_burst = Instant::now();
                self.burst.fetch_add(1, Ordering::SeqCst);
                bursts.spawn(Arc::clone(&self).burst(sandboxes + BURST_BEYOND));
            }
        }
        self.joined(bursts).await;
    }

    async fn burst(self: Arc<Self>, count: usize) {
        let mut requests = JoinSet::new();
        for _ in 0..count {
            let request = Request::Chat(self.plan().chat());
            let load = Arc::clone(&self);
            requests.spawn(async move { load.perform(request).await });
        }
        self.joined(requests).await;
        self.burst.fetch_add(1, Ordering::SeqCst);
    }

    fn next(&self) -> Request {
        let due = self.malformed_due.try_update(Ordering::Relaxed, Ordering::Relaxed, |due| due.checked_sub(1)).is_ok();
        let mut plan = self.plan();
        if due && let Some(malformed) = plan.malformed() { malformed } else { plan.mixed() }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
