//! `bro-load`: measures how a chat endpoint streams. The command line around the library `bro_load`.
//!
//! [`cli`] reads the arguments, [`screen`] shows how a run comes along, [`result`] what has come of it.

mod cli;
mod result;
mod screen;

use std::process::ExitCode;

use bro_load::{Progress, RunError};
use clap::Parser as _;

use crate::cli::{Cli, Command, InvalidPlan, OutputArgs, RunArgs};
use crate::result::FileError;

/// Wrong usage, or a file that cannot be read or written; clap's own status for wrong usage too.
const USAGE: u8 = 2;

/// What Ctrl-C does while requests are started.
const NO_MORE: &str =
    "No more requests are started. The report comes when those under way have ended; Ctrl-C gives them up.";
/// What it does when none are any more.
const GIVEN_UP: &str = "Those under way are given up.";

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Plan(#[from] InvalidPlan),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    File(#[from] FileError),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, run, output } = Cli::parse();
    let concluded = match command {
        Some(Command::Merge { files, output }) => {
            result::merge(&files).and_then(|report| result::conclude(report, &output)).map_err(Error::from)
        }
        Some(Command::Schema) => result::print_schema().map_err(Error::from),
        None => measure(run, &output).await.and_then(|report| Ok(result::conclude(report, &output)?)),
    };
    concluded.unwrap_or_else(|error| {
        screen::note(&format!("bro-load: {error}"));
        ExitCode::from(USAGE)
    })
}

async fn measure(arguments: RunArgs, output: &OutputArgs) -> Result<bro_load::Report, Error> {
    let plan = arguments.plan().await?;
    result::check(output)?;
    let progress = Progress::default();
    // Asked for first is what ends the issuing of requests, and then what gives up those under way.
    let mut notes = [NO_MORE, GIVEN_UP].into_iter();
    let interrupted = || {
        let sentence = notes.next().unwrap_or(GIVEN_UP);
        async move {
            if tokio::signal::ctrl_c().await.is_err() {
                // Then nobody can interrupt it, and it ends by itself.
                std::future::pending::<()>().await;
            }
            screen::note(sentence);
        }
    };
    let finished = tokio::select! {
        finished = bro_load::run(&plan, &progress, interrupted) => finished?,
        never = screen::show(&progress) => match never {},
    };
    Ok(finished.report())
}
