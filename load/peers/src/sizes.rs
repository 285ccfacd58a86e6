//! How much of each part there is.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// All parts' sizes.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    pub(crate) latency: LatencySize,
    pub(crate) load: LoadSize,
    /// Measured starts of each arm.
    pub(crate) starts: usize,
    pub(crate) endurance: EnduranceSize,
}

/// One request at a time.
#[derive(Debug, Clone)]
pub(crate) struct LatencySize {
    pub(crate) rounds: usize,
    pub(crate) requests_a_round: NonZeroU64,
}

/// Several at a time.
#[derive(Debug, Clone)]
pub(crate) struct LoadSize {
    /// Sandboxes and clients of each level.
    pub(crate) levels: Vec<NonZeroUsize>,
    pub(crate) rounds: usize,
    pub(crate) time_a_round: Duration,
}

/// Many to one process.
#[derive(Debug, Clone)]
pub(crate) struct EnduranceSize {
    pub(crate) stages: usize,
    pub(crate) requests_a_stage: NonZeroU64,
}

impl Sizes {
    /// Up to twenty minutes with all arms: 1,000 requests of each one at a time, 10,000 in one sandbox.
    pub(crate) fn full() -> Self {
        Self::new(10, 100, (3, Duration::from_secs(6)), 10, 1_000)
    }

    /// Up to five minutes: enough to see that everything works, and roughly how it stands.
    pub(crate) fn quick() -> Self {
        Self::new(3, 50, (1, Duration::from_secs(3)), 3, 200)
    }

    fn new(
        rounds: usize,
        requests_a_round: u64,
        (load_rounds, time_a_round): (usize, Duration),
        starts: usize,
        requests_a_stage: u64,
    ) -> Self {
        Self {
            latency: LatencySize { rounds, requests_a_round: at_least_one(requests_a_round) },
            load: LoadSize {
                levels: [0, 9, 49].map(|more| NonZeroUsize::MIN.saturating_add(more)).to_vec(),
                rounds: load_rounds,
                time_a_round,
            },
            starts,
            endurance: EnduranceSize { stages: 10, requests_a_stage: at_least_one(requests_a_stage) },
        }
    }
}

fn at_least_one(count: u64) -> NonZeroU64 {
    NonZeroU64::new(count).unwrap_or(NonZeroU64::MIN)
}
