//! The parts of a run. In each the arms take turns in rounds, so that whatever else the machine does falls on all alike.

mod endurance;
mod latency;
mod load;
mod start;

use std::num::NonZeroUsize;

use bro_load::{Distribution, Tally};

pub(crate) use endurance::endurance;
pub(crate) use latency::latency;
pub(crate) use load::load;
pub(crate) use start::start;

use crate::arm::Arm;
use crate::client;
use crate::deployment::{self, Bedrock, Deployment, Programs};
use crate::figures::Percentiles;
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
    /// The arms in the order of a round: each comes first in turn.
    fn in_turn<T>(round: usize, of: &[T]) -> impl Iterator<Item = &T> {
        let (later, first) = of.split_at(if of.is_empty() { 0 } else { round % of.len() });
        first.iter().chain(later)
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
    Some(Percentiles { p50: of.percentile(50.0)?, p90: of.percentile(90.0)?, p99: of.percentile(99.0)? })
}

/// Requests that came to no whole reply.
fn failed(tally: &Tally) -> u64 {
    tally.requests() - tally.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_arm_comes_first_in_turn() {
        let order = |round| Bench::in_turn(round, &["a", "b", "c"]).copied().collect::<String>();
        assert_eq!([0, 1, 2, 3].map(order), ["abc", "bca", "cab", "abc"]);
        assert_eq!(Bench::in_turn(1, &[] as &[u8]).count(), 0);
    }
}
