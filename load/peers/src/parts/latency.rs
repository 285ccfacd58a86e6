//! One request at a time: how long the first token takes, and the gaps.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};

use bro_load::Tally;

use super::{Bench, Error, failed, percentiles, stop};
use crate::arm::Arm;
use crate::client::{Amount, Load, measure};
use crate::deployment::Deployment;
use crate::figures::Latency;
use crate::{model, progress};

/// Tokens of a reply.
const TOKENS: u32 = 16;
/// Requests before the first round, in which processes start and interpreters compile what is hot.
const FIRST_WARM_UP: NonZeroU64 = NonZeroU64::MIN.saturating_add(49);
/// Requests of each turn that are in no figure: the processor has done something else meanwhile.
const WARM_UP: u64 = 3;

pub(crate) async fn latency(bench: &Bench) -> Result<BTreeMap<Arm, Latency>, Error> {
    let mut deployments = Vec::new();
    for arm in &bench.arms {
        deployments.push(Deployment::start_paced(*arm, &bench.programs, &bench.bedrock, model::reply(TOKENS)).await?);
    }
    let load = |requests| Load {
        clients: NonZeroUsize::MIN,
        amount: Amount::Requests(requests),
        warm_up: WARM_UP,
        tokens: TOKENS,
    };
    for deployment in &deployments {
        measure(deployment, &load(FIRST_WARM_UP)).await?;
    }
    let mut tallies: BTreeMap<Arm, Tally> = BTreeMap::new();
    let sizes = &bench.sizes.latency;
    for round in 0..sizes.rounds {
        progress::say(&format!("one request at a time: round {} of {}", round + 1, sizes.rounds));
        for deployment in Bench::in_turn(round, &deployments) {
            let tally = measure(deployment, &load(sizes.requests_a_round)).await?;
            tallies.entry(deployment.arm()).or_default().merge(&tally);
        }
    }
    stop(deployments).await?;
    let figures = tallies.into_iter().filter_map(|(arm, tally)| {
        let latency = Latency {
            requests: tally.requests(),
            failed: failed(&tally),
            ttft_ms: percentiles(&tally.ttft())?,
            gap_ms: percentiles(&tally.gap()),
        };
        Some((arm, latency))
    });
    Ok(figures.collect())
}
