//! Minutes of load on the function as it is deployed, between its two stand-ins: every answer, every record and the
//! memory are checked. `make soak` runs it.
//!
//! [`plan`] draws the requests from a seed, [`load`] makes them, [`checks`] holds what comes of each against what must
//! come ([`faults`], [`fixed`]), with what the function wrote of it ([`ledger`]); [`growth`] judges what its
//! [`processes`] use. How a request fails at Bedrock stands in its prompt ([`marker`]), and so does its reply
//! ([`script`]): the two are known however many requests are under way.
//!
//! Not here: network faults on Bedrock's connections, which are no request's own.

mod checks;
mod client;
mod events;
mod faults;
mod fixed;
mod growth;
mod ledger;
mod load;
mod marker;
mod plan;
mod processes;
mod report;
mod script;
mod slope;
mod soak;
mod stack;
mod tally;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// Minutes of load with faults on the function: fails on any lost, doubled or wrong answer or record, and on a leak.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// The function's binary, as it is deployed
    #[arg(long, value_name = "PATH")]
    function: PathBuf,
    /// How long requests are made
    #[arg(long, default_value_t = 10.0, value_parser = minutes)]
    minutes: f64,
    /// Processes of the function at once, and requests under way beside bursts
    #[arg(long, default_value_t = NonZeroUsize::MIN.saturating_add(3))]
    sandboxes: NonZeroUsize,
    /// What all choices are drawn from; a new one each time if not given
    #[arg(long)]
    seed: Option<u64>,
}

impl Options {
    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.5..=1_440.0).contains(minutes));
    minutes.ok_or_else(|| "must be a number from 0.5 to 1440".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match soak::run(&Options::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Where standard error is closed too there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "soak: {error}");
            ExitCode::from(2)
        }
    }
}
