//! A run from its first request to its last: starts them as the plan's load says, and ends within its limits.
//!
//! `closed` and `open` say when a request starts; `request` makes one and records it. Both end by themselves
//! when no more requests are due and all have ended; here is what ends them otherwise.

mod backoff;
mod closed;
mod open;
mod request;
mod stage;

use std::time::Duration;

use tokio::time::timeout;

use crate::client::{Client, NoClient};
use crate::plan::{Load, Plan};
use crate::progress::Progress;
use crate::report::{Ended, Report, Run};
use crate::tally::Tally;

use request::Requests;
use stage::{Stage, Stages};

/// How long requests that are given up may take to be recorded. They only have to notice.
const GIVING_UP: Duration = Duration::from_secs(5);

/// A run's result.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What was measured.
    pub tally: Tally,
    /// How it was made.
    pub run: Run,
}

impl Finished {
    /// The document of this run alone.
    #[must_use]
    pub fn report(&self) -> Report {
        Report::new(&self.tally, vec![self.run.clone()])
    }
}

/// Why there can be no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The endpoint cannot be asked.
    #[error(transparent)]
    Client(#[from] NoClient),
    /// A request cannot be signed.
    #[error("the first request cannot be signed: {0}")]
    Signature(#[from] crate::auth::AuthError),
    /// The thread that keeps the schedule cannot be started.
    #[error("no thread for the schedule: {0}")]
    Thread(#[from] std::io::Error),
}

/// Makes a plan's requests. What becomes of them is in the result, never an error.
///
/// `interrupted` is asked for a future up to twice. When the first completes no more requests are started, and those
/// under way have the plan's limit to end; when the second completes they are given up.
///
/// Needs a Tokio runtime with time and I/O; several threads carry more.
///
/// # Errors
/// When not even the first request can be made ready.
pub async fn run<F: Future<Output = ()>>(
    plan: &Plan,
    progress: &Progress,
    mut interrupted: impl FnMut() -> F,
) -> Result<Finished, RunError> {
    let client = Client::new(plan, progress.clone())?;
    client.prepare(0).await?;
    let stages = Stages::default();
    let requests = Requests::new(client, plan.limits.request, stages.clone());

    let issuing = async {
        match plan.load {
            Load::Closed { concurrency, ramp_up } => {
                closed::issue(&requests, plan, concurrency, ramp_up, &stages).await;
                Ok(())
            }
            Load::Open { rate, arrivals, seed, max_in_flight } => {
                let schedule = crate::arrivals::Schedule::new(rate, arrivals, seed, plan.warm_up, plan.extent);
                open::issue(&requests, schedule, max_in_flight, &stages).await
            }
        }
    };
    let mut issuing = std::pin::pin!(issuing);
    let mut ended = Ended::Completed;
    let issued = tokio::select! {
        issued = &mut issuing => Some(issued),
        () = stages.reached(Stage::Draining) => None,
        () = interrupted() => {
            ended = Ended::Interrupted;
            stages.advance(Stage::Draining);
            None
        }
    };
    let issued = match issued {
        Some(issued) => Some(issued),
        None => tokio::select! {
            issued = timeout(plan.limits.drain, &mut issuing) => issued.ok(),
            () = interrupted() => {
                ended = Ended::Interrupted;
                None
            }
        },
    };
    match issued {
        Some(issued) => issued?,
        None => {
            stages.advance(Stage::Over);
            timeout(GIVING_UP, issuing).await.unwrap_or(Ok(()))?;
        }
    }
    Ok(Finished { tally: requests.tally(), run: plan.describe(ended) })
}
