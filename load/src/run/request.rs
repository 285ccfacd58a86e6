//! One request of a run: made within its limit, recorded in the run's tally.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

use super::stage::{Stage, Stages};
use crate::auth::AuthError;
use crate::client::{Client, Prepared};
use crate::exchange::{Draft, exchange};
use crate::extent::Part;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::tally::Tally;

/// Makes requests, and keeps what became of them. Clones belong to the same run.
#[derive(Clone)]
pub(super) struct Requests(Arc<Inner>);

struct Inner {
    client: Client,
    limit: Duration,
    stages: Stages,
    tally: Mutex<Tally>,
    /// One moment on both clocks: a sample's time of day goes with the clock that never jumps.
    began: (Instant, SystemTime),
}

/// A request's place in the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) intended: Instant,
    pub(super) part: Part,
}

impl Requests {
    pub(super) fn new(client: Client, limit: Duration, stages: Stages) -> Self {
        let began = (Instant::now(), SystemTime::now());
        Self(Arc::new(Inner { client, limit, stages, tally: Mutex::default(), began }))
    }

    pub(super) async fn prepare(&self, index: u64) -> Result<Prepared, AuthError> {
        self.0.client.prepare(index).await
    }

    /// Makes a request, records it, and tells how it ended. The time until its connection can be used again counts for
    /// nobody.
    pub(super) async fn make(&self, due: Due, prepared: Result<Prepared, AuthError>) -> Outcome {
        let inner = &self.0;
        let mut draft = Draft::new(due.intended);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                draft.explain(error.to_string());
                self.record(due, draft, Outcome::NeverStarted);
                return Outcome::NeverStarted;
            }
        };
        inner.client.progress.started();
        let (outcome, rest) = tokio::select! {
            biased;
            ended = exchange(&inner.client, prepared.request, &mut draft) => ended,
            () = sleep(inner.limit) => (Outcome::TimedOut, None),
            () = inner.stages.reached(Stage::Over) => (Outcome::Unfinished, None),
        };
        self.record(due, draft, outcome.clone());
        if let Some(rest) = rest {
            rest.finish(&inner.client).await;
        }
        outcome
    }

    /// Records a request that was due, and was not sent.
    pub(super) fn never_started(&self, due: Due) {
        let mut draft = Draft::new(due.intended);
        draft.explain("everything that may be under way at once was".to_owned());
        self.record(due, draft, Outcome::NeverStarted);
    }

    fn record(&self, due: Due, draft: Draft, outcome: Outcome) {
        let (instant, time) = self.0.began;
        let sample: Sample = draft.finish(outcome, time + due.intended.saturating_duration_since(instant));
        self.0.client.progress.ended(&sample);
        let mut tally = self.0.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match due.part {
            Part::Measured => tally.record(&sample),
            Part::WarmUp => tally.leave_out(),
        }
    }

    /// What was recorded so far.
    pub(super) fn tally(&self) -> Tally {
        self.0.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
