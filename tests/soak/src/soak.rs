//! One soak from its start to its verdict.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{interval, timeout};

use crate::Options;
use crate::client::Client;
use crate::growth::{self, Sample};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::plan::Plan;
use crate::processes;
use crate::report;
use crate::stack::{self, Stack};
use crate::tally::Tally;

/// From one look at the processes to the next.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Looks at the processes from one line for people to the next.
const SAMPLES_A_LINE: usize = 10;
/// How long requests under way may take to end. Each of their own waits is shorter.
const LAST_REQUESTS: Duration = Duration::from_secs(180);
/// How long the function's last lines may take to be read after its end.
const LAST_LINES: Duration = Duration::from_secs(10);
/// Of 1,000 requests, so many may find every sandbox busy outside a burst: on a busy machine a process may take longer
/// to ask for its next invocation than the function URL waits for it.
const REFUSED_PER_1000: u64 = 1;

/// Why there was no soak.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Stack(#[from] stack::Error),
    #[error("the client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

/// Runs it, tells of it on standard output, and returns the number of failures.
pub(crate) async fn run(options: &Options) -> Result<u64, Error> {
    let mut out = io::stdout();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let (stack, lines) = Stack::start(&options.function, options.sandboxes).await?;
    let ledger = Ledger::default();
    let log = tokio::spawn(ledger.clone().read(lines));
    let load = Load::new(Client::new(stack.url().to_owned())?, ledger.clone(), Plan::new(seed), Tally::new()?);
    writeln!(out, "{} min, {} sandboxes, seed {seed}", options.minutes, options.sandboxes)?;

    load.warm_up(options.sandboxes.get()).await;
    let samples = watched(&load, &ledger, options, stack.program(), &mut out).await?;
    let elapsed = load.elapsed();

    let wrong = stack.stop().await;
    if timeout(LAST_LINES, log).await.is_err() {
        load.fail(format!("the function's log did not end within {} s of its end", LAST_LINES.as_secs()));
    }
    for problem in wrong.into_iter().chain(ledger.take_wrong()).chain(ledger.take_unclaimed()) {
        load.fail(problem);
    }
    judge(&load, &ledger, &samples, options.sandboxes.get() as u64);
    let tally = load.tally();
    report::table(&mut out, elapsed, &tally, &samples)?;
    report::verdict(&mut out, seed, &tally)?;
    Ok(tally.failures())
}

/// Makes requests until the time is over or somebody presses Ctrl-C, and looks at the processes meanwhile.
async fn watched(
    load: &Arc<Load>,
    ledger: &Ledger,
    options: &Options,
    program: &Path,
    out: &mut impl Write,
) -> Result<Vec<Sample>, Error> {
    let mut requests = tokio::spawn(Arc::clone(load).run(options.sandboxes.get()));
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut clock = interval(SAMPLE_EVERY);
    let mut samples: Vec<Sample> = Vec::new();
    let mut living = BTreeSet::new();
    while load.elapsed() < options.duration() {
        tokio::select! {
            _ = clock.tick() => {}
            _ = &mut interrupted => {
                writeln!(out, "interrupted; requests under way are waited for")?;
                break;
            }
        }
        let sample = Sample {
            requests: load.tally().requests,
            function: processes::of_the_function(program),
            own: processes::own(),
        };
        for problem in ledger.take_wrong() {
            load.fail(problem);
        }
        let now: BTreeSet<_> = sample.function.iter().map(|usage| usage.pid).collect();
        for pid in living.difference(&now) {
            load.fail(format!("the function's process {pid} has died"));
        }
        living = now;
        samples.push(sample);
        if samples.len().is_multiple_of(SAMPLES_A_LINE) {
            report::progress(out, load.elapsed(), &load.tally(), samples.last())?;
        }
    }
    load.stop();
    if timeout(LAST_REQUESTS, &mut requests).await.is_err() {
        requests.abort();
        load.fail(format!("requests were still under way {} s after the last was made", LAST_REQUESTS.as_secs()));
    }
    Ok(samples)
}

/// What can only be said at the end.
fn judge(load: &Load, ledger: &Ledger, samples: &[Sample], sandboxes: u64) {
    let requests = load.tally().requests;
    if requests == 0 {
        load.fail("no request was made");
    }
    let cold_starts = ledger.cold_starts();
    if cold_starts > sandboxes {
        load.fail(format!("{cold_starts} cold starts of {sandboxes} sandboxes"));
    }
    let memories = [
        ("the function", growth::of_the_function(samples)),
        ("the stand-ins and the client", growth::of_the_stand_ins(samples)),
    ];
    for (whose, memory) in memories {
        match memory {
            Some(memory) if memory.grows() => {
                load.fail(format!("the memory of {whose} grows: {:.1} KiB per 1,000 requests", memory.per_1000));
            }
            None if cfg!(target_os = "linux") => {
                load.fail(format!("too little was seen of the memory of {whose} to judge it: let it run longer"));
            }
            _ => {}
        }
    }
    let seen = samples.last().map_or(0, |sample| sample.function.len() as u64);
    if cfg!(target_os = "linux") && seen != sandboxes {
        load.fail(format!("{seen} processes of the function were seen, of {sandboxes} sandboxes"));
    }
    for leak in growth::leaks(samples) {
        load.fail(leak);
    }
    let (outside, refused) = {
        let tally = load.tally();
        (tally.refused_outside_bursts, tally.refused)
    };
    if outside > 1 + requests * REFUSED_PER_1000 / 1_000 {
        load.fail(format!("{outside} requests found no free sandbox although no burst was on"));
    }
    if load.bursts() > 0 && refused == 0 {
        load.fail("no request of any burst was refused by the platform");
    }
}
