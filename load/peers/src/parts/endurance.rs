//! Many requests to one process, one after the other: whether they get slower or the process larger.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use bro_load::Tally;

use super::{Bench, Error, failed, percentiles, stop};
use crate::arm::Arm;
use crate::client::{Amount, Load, measure};
use crate::deployment::Deployment;
use crate::figures::{Endurance, Stage};
use crate::{processes, progress};

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
    for stage in 0..sizes.stages {
        progress::say(&format!("many requests in one sandbox: stage {} of {}", stage + 1, sizes.stages));
        for deployment in &deployments {
            let before = processes::cpu(&deployment.usage());
            let tally = measure(deployment, &load(0, sizes.requests_a_stage)).await?;
            let Some(seen) = one(deployment, &tally, before) else { continue };
            let endurance = figures.entry(deployment.arm()).or_insert(Endurance {
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

/// None where the process cannot be seen.
#[expect(clippy::cast_precision_loss, reason = "2^53 requests are none of our worries")]
fn one(deployment: &Deployment, tally: &Tally, cpu_before: Duration) -> Option<Stage> {
    let usage = deployment.usage();
    Some(Stage {
        requests: tally.requests(),
        ttft_ms: percentiles(&tally.ttft())?,
        cpu_ms: processes::cpu(&usage).saturating_sub(cpu_before).as_secs_f64() * 1e3 / tally.done() as f64,
        rss_kib: usage.iter().map(|usage| usage.rss_kib).max()?,
    })
}
