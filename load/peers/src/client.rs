//! One load on one arm: bro-load for those that speak HTTP and server-sent events, the minimal client for Bedrock. Both
//! tell what they saw in samples of the same kind.

use std::num::NonZeroU64;
use std::time::Duration;

use bro_load::{Bodies, Endpoint, Extent, Finished, Format, Limits, Plan, Progress, Report, Tally, WarmUp};
use tokio::time::timeout;

use crate::arm::Arm;
use crate::deployment::Deployment;
use crate::load::{Amount, Load};
use crate::{direct, model, progress};

/// Beyond what a load is planned to take. Every request has a shorter limit of its own.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a request may take, with the start of its process.
const FIRST_REPLY: Duration = Duration::from_secs(120);

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{arm}: {source}")]
    Direct { arm: Arm, source: direct::Error },
    #[error("{arm}: {source}")]
    Plan { arm: Arm, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{arm}: {source}")]
    Run { arm: Arm, source: bro_load::RunError },
    #[error("{arm}: none of {requests} requests came to a whole reply: {outcomes}")]
    Nothing { arm: Arm, requests: u64, outcomes: String },
    #[error("{arm}: the load did not end within {} s", .limit.as_secs())]
    Endless { arm: Arm, limit: Duration },
}

/// Puts a load on an arm and tells what its clients saw.
///
/// # Errors
/// When no request came to a whole reply. Single failures are counted in the tally.
pub(crate) async fn measure(deployment: &Deployment, load: &Load) -> Result<Tally, Error> {
    let arm = deployment.arm();
    let limit = load.shortest() * 5 + PATIENCE;
    let measured = async {
        if arm == Arm::Direct {
            direct::load(deployment.address(), load).await.map_err(|source| Error::Direct { arm, source })
        } else {
            let plan = plan(deployment, load).map_err(|source| Error::Plan { arm, source })?;
            let finished = bro_load::run(&plan, &Progress::default(), std::future::pending::<()>).await;
            let Finished { tally, .. } = finished.map_err(|source| Error::Run { arm, source })?;
            Ok(tally)
        }
    };
    let tally = timeout(limit, measured).await.map_err(|_| Error::Endless { arm, limit })??;
    let requests = tally.requests();
    if tally.done() == 0 {
        return Err(Error::Nothing { arm, requests, outcomes: outcomes(&tally) });
    }
    if tally.done() < requests {
        progress::say(&format!("{arm}: not every request came to a whole reply: {}", outcomes(&tally)));
    }
    Ok(tally)
}

/// How requests ended, for a person.
fn outcomes(tally: &Tally) -> String {
    let outcomes = Report::new(tally, Vec::new()).outcomes;
    let each = outcomes.into_iter().map(|seen| {
        let example = seen.example.map(|example| format!(" ({example})")).unwrap_or_default();
        format!("{} × {}{example}", seen.count, seen.outcome)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn plan(deployment: &Deployment, load: &Load) -> Result<Plan, Box<dyn std::error::Error + Send + Sync>> {
    let format = Format::BroBuddy { mode: None };
    let endpoint = Endpoint::parse(&format!("http://{}", deployment.address()), &format)?;
    let bodies = Bodies::from_prompts(&format, [model::prompt(load.tokens).as_str()])?;
    let extent = match load.amount {
        Amount::Requests(count) => Extent::requests_of(count),
        Amount::During(time) => Extent::duration_of(time),
    };
    Ok(Plan::new(endpoint, format, bodies)
        .load(bro_load::Load::Closed { concurrency: load.clients, ramp_up: Duration::ZERO })
        .extent(extent)
        .warm_up(NonZeroU64::new(load.warm_up).map_or(WarmUp::None, WarmUp::Requests))
        // A start of fifty processes at once takes longer than any reply.
        .limits(Limits { request: FIRST_REPLY, ..Limits::default() }))
}
