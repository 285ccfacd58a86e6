//! The parts of a run. In each the arms take turns in rounds, in another order each time, so that whatever else the
//! machine does, and what the arm before has left behind, falls on all alike.

mod endurance;
mod latency;
mod load;
mod start;

use std::num::NonZeroUsize;
use std::time::Duration;

use bro_load::{Distribution, Tally};

pub(crate) use endurance::endurance;
pub(crate) use latency::latency;
pub(crate) use load::load;
pub(crate) use start::start;

use crate::arm::Arm;
use crate::client;
use crate::deployment::{self, Bedrock, Deployment, Programs};
use crate::figures::{ENOUGH_FOR_P99, Percentiles};
use crate::processes::Processes;
use crate::progress;
use crate::sizes::Sizes;

/// Why a part has no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Deployment(#[from] deployment::Error),
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error("{0}: its start was not told by the stand-in for Lambda")]
    Untold(Arm),
}

/// What every part works with.
pub(crate) struct Bench {
    pub(crate) arms: Vec<Arm>,
    pub(crate) programs: Programs,
    pub(crate) bedrock: Bedrock,
    pub(crate) sizes: Sizes,
}

impl Bench {
    /// The arms in the order of a round: shuffled, and in each run alike.
    fn in_turn<T>(round: usize, of: &[T]) -> impl Iterator<Item = &T> {
        let mut order: Vec<&T> = of.iter().collect();
        fastrand::Rng::with_seed(round as u64).shuffle(&mut order);
        order.into_iter()
    }

    /// Every arm but those left out, with so many sandboxes.
    async fn deploy(&self, wanted: impl Fn(Arm) -> bool, sandboxes: NonZeroUsize) -> Result<Vec<Deployment>, Error> {
        let mut deployments = Vec::new();
        for arm in self.arms.iter().copied().filter(|arm| wanted(*arm)) {
            deployments.push(Deployment::start(arm, &self.programs, &self.bedrock, sandboxes).await?);
        }
        Ok(deployments)
    }
}

async fn stop(deployments: Vec<Deployment>) -> Result<(), Error> {
    for deployment in deployments {
        deployment.stop().await?;
    }
    Ok(())
}

/// None of an empty distribution.
fn percentiles(of: &Distribution) -> Option<Percentiles> {
    let p99 = if of.count() < ENOUGH_FOR_P99 { None } else { of.percentile(99.0) };
    Some(Percentiles { p50: of.percentile(50.0)?, p90: of.percentile(90.0)?, p99 })
}

/// Processor time of a deployment's processes since an earlier look; none, and a line that says so, where one of them
/// has ended.
fn cpu_since(deployment: &Deployment, before: &Processes) -> Option<Duration> {
    let now = deployment.usage();
    if before.ended_by(&now) {
        progress::say(&format!("{}: a process ended under load; what it used is unknown", deployment.arm()));
    }
    now.cpu_since(before)
}

/// Requests that came to no whole reply.
fn failed(tally: &Tally) -> u64 {
    tally.requests() - tally.done()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::SystemTime;

    use bro_load::{Outcome, Sample};

    use super::*;

    #[test]
    fn every_round_has_every_arm_once_and_an_order_of_its_own_that_is_the_same_in_each_run() {
        let arms = ["a", "b", "c", "d", "e", "f"];
        let order = |round| Bench::in_turn(round, &arms).copied().collect::<Vec<_>>();
        let rounds: BTreeSet<_> = (0..10).map(order).collect();
        assert!(rounds.len() > 5, "{rounds:?}");
        assert_eq!(order(3), order(3));
        for mut round in rounds {
            round.sort_unstable();
            assert_eq!(round, arms);
        }
    }

    #[test]
    fn there_is_no_p99_of_fewer_than_a_hundred() {
        let mut tally = Tally::default();
        let sample = |millis| {
            let end = Duration::from_millis(millis);
            let mut sample = Sample::without_answer(SystemTime::UNIX_EPOCH, end, Outcome::Done);
            sample.first_token = Some(end);
            sample
        };
        (1..100).for_each(|millis| tally.record(&sample(millis)));
        assert_eq!(percentiles(&tally.ttft()).expect("figures").p99, None);
        tally.record(&sample(100));
        let p99 = percentiles(&tally.ttft()).and_then(|figures| figures.p99).expect("a p99");
        assert!((98.5..100.5).contains(&p99), "{p99}");
    }
}
