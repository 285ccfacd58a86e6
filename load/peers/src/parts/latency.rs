//! One request at a time: how long the first token takes, and the gaps.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};

use bro_load::Tally;

use super::{Bench, Error, failed, percentiles, stop};
use crate::arm::Arm;
use crate::client::measure;
use crate::figures::{Latency, Times};
use crate::load::{Amount, Load};
use crate::progress;

/// Tokens of a reply.
const TOKENS: u32 = 16;
/// Requests before the first round, in which processes start and interpreters compile what is hot.
const FIRST_WARM_UP: NonZeroU64 = NonZeroU64::MIN.saturating_add(49);
/// Requests of each turn that are in no figure: the processor has done something else meanwhile.
const WARM_UP: u64 = 3;

/// What was seen of an arm so far.
#[derive(Default)]
struct Seen {
    all: Tally,
    rounds: Vec<Times>,
}

pub(crate) async fn latency(bench: &Bench) -> Result<BTreeMap<Arm, Latency>, Error> {
    let deployments = bench.deploy(|_| true, NonZeroUsize::MIN).await?;
    let load = |requests| Load {
        clients: NonZeroUsize::MIN,
        amount: Amount::Requests(requests),
        warm_up: WARM_UP,
        tokens: TOKENS,
    };
    for deployment in &deployments {
        measure(deployment, &load(FIRST_WARM_UP)).await?;
    }
    let mut seen: BTreeMap<Arm, Seen> = BTreeMap::new();
    let sizes = &bench.sizes.latency;
    for round in 0..sizes.rounds {
        progress::say(&format!("one request at a time: round {} of {}", round + 1, sizes.rounds));
        for deployment in Bench::in_turn(round, &deployments) {
            let tally = measure(deployment, &load(sizes.requests_a_round)).await?;
            let seen = seen.entry(deployment.arm()).or_default();
            seen.rounds.extend(times(&tally));
            seen.all.merge(&tally);
        }
    }
    stop(deployments).await?;
    let figures = seen.into_iter().filter_map(|(arm, Seen { all, rounds })| {
        let latency = Latency { requests: all.requests(), failed: failed(&all), times: times(&all)?, rounds };
        Some((arm, latency))
    });
    Ok(figures.collect())
}

/// None where no reply came whole.
fn times(tally: &Tally) -> Option<Times> {
    Some(Times { ttft_ms: percentiles(&tally.ttft())?, gap_ms: percentiles(&tally.gap()) })
}
