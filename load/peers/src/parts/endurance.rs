//! Many requests to one process, one after the other: whether they get slower or the process larger.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use bro_load::Tally;

use super::{Bench, Error, cpu_since, failed, percentiles, stop};
use crate::arm::Arm;
use crate::client::measure;
use crate::deployment::Deployment;
use crate::figures::{Endurance, Stage, StageUsage};
use crate::load::{Amount, Load};
use crate::progress;

/// Requests before the first stage: allocators and pools fill.
const WARM_UP: u64 = 100;

pub(crate) async fn endurance(bench: &Bench) -> Result<BTreeMap<Arm, Endurance>, Error> {
    let wanted = |arm| matches!(arm, Arm::Floor | Arm::BroBuddy);
    let deployments = bench.deploy(wanted, NonZeroUsize::MIN).await?;
    let sizes = &bench.sizes.endurance;
    let load =
        |warm_up, requests| Load { clients: NonZeroUsize::MIN, amount: Amount::Requests(requests), warm_up, tokens: 1 };
    for deployment in &deployments {
        measure(deployment, &load(WARM_UP, NonZeroU64::MIN)).await?;
    }
    let mut figures: BTreeMap<Arm, Endurance> = BTreeMap::new();
    // Those whose process is still that of the first stage.
    let mut alive: BTreeSet<Arm> = deployments.iter().map(Deployment::arm).collect();
    for stage in 0..sizes.stages {
        progress::say(&format!("many requests in one sandbox: stage {} of {}", stage + 1, sizes.stages));
        for deployment in Bench::in_turn(stage, &deployments) {
            let before = deployment.usage();
            let tally = measure(deployment, &load(0, sizes.requests_a_stage)).await?;
            let cpu = cpu_since(deployment, &before).filter(|_| alive.contains(&deployment.arm()));
            if cpu.is_none() {
                alive.remove(&deployment.arm());
            }
            let Some(seen) = one(deployment, &tally, cpu) else { continue };
            let endurance = figures.entry(deployment.arm()).or_insert(Endurance {
                // That of the measurement which warms up is one more.
                warm_up: WARM_UP + 1,
                requests: 0,
                failed: 0,
                early: seen,
                late: seen,
            });
            endurance.requests += tally.requests();
            endurance.failed += failed(&tally);
            endurance.late = seen;
        }
    }
    stop(deployments).await?;
    Ok(figures)
}

/// None where no reply came whole.
#[expect(clippy::cast_precision_loss, reason = "2^53 requests are none of our worries")]
fn one(deployment: &Deployment, tally: &Tally, cpu: Option<Duration>) -> Option<Stage> {
    Some(Stage {
        requests: tally.requests(),
        ttft_ms: percentiles(&tally.ttft())?,
        usage: cpu
            .zip(deployment.usage().rss_kib())
            .map(|(cpu, rss_kib)| StageUsage { cpu_ms: cpu.as_secs_f64() * 1e3 / tally.done() as f64, rss_kib }),
    })
}
