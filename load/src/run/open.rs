//! Open loop: requests start on their schedule, whatever became of those before, as people come who do not know of
//! each other.
//!
//! The schedule is kept by a thread of its own, since a timer of the runtime is up to a millisecond late, and that
//! would count as the server's.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use super::RunError;
use super::request::{Due, Requests};
use super::stage::{Stage, Stages};
use crate::arrivals::Schedule;

/// Requests that may wait for their turn. More are recorded as never started at once.
const LONGEST_QUEUE: usize = 100_000;
/// From the beginning to the first arrival at most, so that the first ones are not late.
const LEAD: Duration = Duration::from_millis(20);

/// Starts requests until the schedule ends, and returns when all have ended.
pub(super) async fn issue(
    requests: &Requests,
    schedule: Schedule,
    max_in_flight: NonZeroUsize,
    stages: &Stages,
) -> Result<(), RunError> {
    let (due, arrivals) = mpsc::channel(LONGEST_QUEUE);
    let keeping = keep(schedule, Instant::now() + LEAD, due, requests.clone(), stages.clone())?;
    let stop = async {
        stages.reached(Stage::Draining).await;
        drop(keeping);
    };
    // On a worker of the runtime, which then starts the request itself: the caller's thread would have to wake one.
    let starting = tokio::spawn(start(requests.clone(), arrivals, max_in_flight, stages.clone()));
    let ((), _) = tokio::join!(stop, starting);
    Ok(())
}

/// Starts requests as they become due, and returns when all have ended.
async fn start(requests: Requests, mut arrivals: mpsc::Receiver<Due>, max_in_flight: NonZeroUsize, stages: Stages) {
    let most = u32::try_from(max_in_flight.get()).unwrap_or(u32::MAX);
    let in_flight = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS)));
    for index in 0.. {
        // Before its time, so that the time it takes does not count.
        let ahead = requests.prepare(index).await;
        let Some(due) = arrivals.recv().await else { break };
        let permit = tokio::select! {
            biased;
            permit = in_flight.clone().acquire_owned() => permit.ok(),
            () = stages.reached(Stage::Over) => None,
        };
        let Some(permit) = permit.filter(|_| !stages.has_reached(Stage::Over)) else {
            requests.never_started(due);
            continue;
        };
        let prepared = match ahead {
            Ok(prepared) if !prepared.is_fresh() => requests.prepare(index).await,
            ahead => ahead,
        };
        let requests = requests.clone();
        tokio::spawn(async move {
            requests.make(due, prepared).await;
            drop(permit);
        });
    }
    // Every permit is back when every request has ended.
    let _ = in_flight.acquire_many(most).await;
}

/// Keeps the schedule until it ends or what is returned is dropped. Then no more requests are due: the run drains.
fn keep(
    schedule: Schedule,
    began: Instant,
    due: mpsc::Sender<Due>,
    requests: Requests,
    stages: Stages,
) -> Result<SyncSender<()>, std::io::Error> {
    let (keeping, stopped) = sync_channel(0);
    let keeper = move || {
        for arrival in schedule {
            let intended = began + arrival.offset;
            let wait = intended.saturating_duration_since(Instant::now());
            if !wait.is_zero() && stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            match due.try_send(Due { intended, part: arrival.part }) {
                Ok(()) => {}
                Err(TrySendError::Full(due)) => requests.never_started(due),
                Err(TrySendError::Closed(_)) => break,
            }
        }
        stages.advance(Stage::Draining);
    };
    thread::Builder::new().name("schedule".to_owned()).spawn(keeper)?;
    Ok(keeping)
}
