//! Cold starts: from the start of a process until it can take a request, and until its client has a first token.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;

use super::{Bench, Error};
use crate::arm::Arm;
use crate::client::measure;
use crate::deployment::{Deployment, PlatformLog};
use crate::figures::{Start, Typical};
use crate::load::{Amount, Load};
use crate::model::FIRST_TOKEN;
use crate::progress;

/// How long the stand-in for Lambda may take to tell of a start that is over.
const TOLD: Duration = Duration::from_secs(10);

/// One start, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Seen {
    ready: f64,
    first_token: f64,
}

pub(crate) async fn start(bench: &Bench) -> Result<BTreeMap<Arm, Start>, Error> {
    let arms: Vec<Arm> = bench.arms.iter().copied().filter(|arm| *arm != Arm::Direct).collect();
    let mut seen: BTreeMap<Arm, Vec<Seen>> = BTreeMap::new();
    // After the first start of each its files are in memory: what is compared is the programs, not the disk.
    for arm in &arms {
        one(bench, *arm).await?;
    }
    for round in 0..bench.sizes.starts {
        progress::say(&format!("starts: {} of {}", round + 1, bench.sizes.starts));
        for arm in Bench::in_turn(round, &arms) {
            seen.entry(*arm).or_default().push(one(bench, *arm).await?);
        }
    }
    let figures = seen.into_iter().filter_map(|(arm, seen)| {
        let start = Start {
            starts: seen.len(),
            ready_ms: Typical::of(seen.iter().map(|seen| seen.ready).collect())?,
            first_token_ms: Typical::of(seen.iter().map(|seen| seen.first_token).collect())?,
        };
        Some((arm, start))
    });
    Ok(figures.collect())
}

async fn one(bench: &Bench, arm: Arm) -> Result<Seen, Error> {
    let began = Instant::now();
    let (deployment, mut log) = Deployment::start_watched(arm, &bench.programs, &bench.bedrock).await?;
    // A server is there before its first request; Lambda starts a sandbox because of it.
    let served = deployment.ready_after();
    let before_the_request = if served.is_some() { began.elapsed() } else { Duration::ZERO };
    let load = Load { clients: NonZeroUsize::MIN, amount: Amount::Requests(NonZeroU64::MIN), warm_up: 0, tokens: 1 };
    let tally = measure(&deployment, &load).await?;
    let ready = match served {
        Some(ready) => millis(ready),
        None => initialised(&mut log).await.ok_or(Error::Untold(arm))?,
    };
    deployment.stop().await?;
    let ttft = tally.ttft().max().unwrap_or_default() + millis(before_the_request);
    let bedrocks = if arm.asks_bedrock() { millis(FIRST_TOKEN) } else { 0.0 };
    Ok(Seen { ready, first_token: ttft - bedrocks })
}

/// How long the first initialisation that is told of took, in milliseconds.
async fn initialised(log: &mut PlatformLog) -> Option<f64> {
    let report = async {
        loop {
            let line: Value = serde_json::from_str(&log.recv().await?).unwrap_or_default();
            if line.get("type").is_some_and(|kind| kind == "platform.initReport") {
                return line.pointer("/record/metrics/durationMs")?.as_f64();
            }
        }
    };
    timeout(TOLD, report).await.ok()?
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
