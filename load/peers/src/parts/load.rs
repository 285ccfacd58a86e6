//! Several requests at a time: how many an arm serves, and what its processes use.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use bro_load::{Metric, Tally};

use super::{Bench, Error, cpu_since, failed, percentiles, stop};
use crate::arm::Arm;
use crate::client::measure;
use crate::deployment::Deployment;
use crate::figures::{Level, LevelUsage};
use crate::load::{Amount, Load};
use crate::progress;

/// Tokens of a reply.
const TOKENS: u32 = 60;
/// Requests of each client before the first round: the first starts its sandbox, and interpreters compile what is hot.
const WARM_UP: NonZeroU64 = NonZeroU64::MIN.saturating_add(49);
/// Tokens of a reply to these: fewer, since there are many.
const WARM_UP_TOKENS: u32 = 4;

/// What was seen of an arm on one level so far.
#[derive(Default)]
struct Seen {
    tally: Tally,
    /// Processor time of each round, where it could be seen.
    cpu: Vec<Option<Duration>>,
}

pub(crate) async fn load(bench: &Bench) -> Result<BTreeMap<Arm, Vec<Level>>, Error> {
    let mut figures: BTreeMap<Arm, Vec<Level>> = BTreeMap::new();
    for sandboxes in &bench.sizes.load.levels {
        for (arm, level) in level(bench, *sandboxes).await? {
            figures.entry(arm).or_default().push(level);
        }
    }
    Ok(figures)
}

async fn level(bench: &Bench, sandboxes: NonZeroUsize) -> Result<Vec<(Arm, Level)>, Error> {
    let sizes = &bench.sizes.load;
    let deployments = bench.deploy(|_| true, sandboxes).await?;
    progress::say(&format!("load, sandboxes: {sandboxes}; starting them"));
    let load = |amount, tokens| Load { clients: sandboxes, amount, warm_up: 0, tokens };
    let warm_up = WARM_UP.saturating_mul(NonZeroU64::try_from(sandboxes).unwrap_or(NonZeroU64::MAX));
    for deployment in &deployments {
        measure(deployment, &load(Amount::Requests(warm_up), WARM_UP_TOKENS)).await?;
    }
    let mut seen: BTreeMap<Arm, Seen> = BTreeMap::new();
    for round in 0..sizes.rounds {
        progress::say(&format!("load, sandboxes: {sandboxes}; round {} of {}", round + 1, sizes.rounds));
        for deployment in Bench::in_turn(round, &deployments) {
            let before = deployment.usage();
            let tally = measure(deployment, &load(Amount::During(sizes.time_a_round), TOKENS)).await?;
            let seen = seen.entry(deployment.arm()).or_default();
            seen.cpu.push(cpu_since(deployment, &before));
            seen.tally.merge(&tally);
        }
    }
    let levels = deployments.iter().filter_map(|deployment| {
        Some((deployment.arm(), seen.get(&deployment.arm())?.level(deployment, sandboxes.get())?))
    });
    let levels = levels.collect();
    stop(deployments).await?;
    Ok(levels)
}

impl Seen {
    /// The figures, with the memory that the arm's processes have used by now.
    #[expect(clippy::cast_precision_loss, reason = "2^53 requests are none of our worries")]
    fn level(&self, deployment: &Deployment, sandboxes: usize) -> Option<Level> {
        let done = self.tally.done() as f64;
        // A client begins the next request when a reply has ended. What a round's last replies take beyond its end, with
        // fewer and fewer clients, so counts for no arm's rate, however long its replies are.
        let requests_per_second = sandboxes as f64 * 1e3 / self.tally.latency(Metric::Total).mean()?;
        // One for each first token, and one for each gap behind it.
        let tokens = (self.tally.ttft().count() + self.tally.gap().count()) as f64;
        let cpu: Option<Duration> = self.cpu.iter().copied().sum();
        Some(Level {
            sandboxes,
            requests: self.tally.requests(),
            failed: failed(&self.tally),
            requests_per_second,
            tokens_per_second: requests_per_second * tokens / done,
            ttft_ms: percentiles(&self.tally.ttft())?,
            usage: cpu.zip(deployment.usage().peak_rss_kib()).map(|(cpu, peak_kib)| LevelUsage {
                cpu_ms: cpu.as_secs_f64() * 1e3 / done,
                peak_rss_mib: peak_kib as f64 / 1024.0,
            }),
        })
    }
}
