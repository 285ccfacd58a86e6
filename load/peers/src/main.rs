//! What Bro-Buddy adds to a reply, against a direct client, a floor, and what people would otherwise deploy: one
//! command, one interleaved run on one machine. `make bench` runs it.
//!
//! An [`arm`] is one way of getting a reply; a [`deployment`] is an arm that runs, behind the stand-in for Lambda or,
//! for Python, as a [`server`]. All ask one stand-in for Bedrock, whose [`model`] keeps to its [`pace`] by microseconds.
//! The [`client`] puts a load on a deployment: bro-load, or the [`direct`] client. The [`parts`] do that in turns, in
//! the [`sizes`] asked for, and look at the [`processes`]. What comes of it are [`figures`], held against the
//! [`targets`] and written as [`markdown`] and as a [`document`].
//!
//! Not here: the peers themselves, each in a folder of its own.

mod arm;
mod client;
mod deployment;
mod direct;
mod document;
mod figures;
mod load;
mod machine;
mod markdown;
mod model;
mod options;
mod pace;
mod parts;
mod processes;
mod progress;
mod server;
mod sizes;
mod targets;
mod turns;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::deployment::Bedrock;
use crate::figures::Figures;
use crate::machine::Machine;
use crate::options::{Options, Part};
use crate::parts::Bench;
use crate::targets::all_met;

/// Why there is no comparison, or not all of it.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the stand-in for Bedrock: {0}")]
    Bedrock(io::Error),
    #[error("the peers' folder: {0}")]
    Folder(io::Error),
    #[error(transparent)]
    Part(#[from] parts::Error),
    #[error("standard output: {0}")]
    Output(io::Error),
    #[error("{}: {source}", file.display())]
    Json { file: PathBuf, source: io::Error },
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(figures) if options.require_targets && !all_met(&figures) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("compare: {error}"));
            ExitCode::from(2)
        }
    }
}

async fn run(options: &Options) -> Result<Figures, Error> {
    let programs = options.programs().map_err(Error::Folder)?;
    let mut figures = Figures::new(Machine::look(&programs).await);
    let bedrock = Bedrock::start().await.map_err(Error::Bedrock)?;
    let bench = Bench { arms: options.arms(), programs, bedrock, sizes: options.sizes() };
    let measured = measure(options, &bench, &mut figures).await;
    // Also those of a run that broke off: they took minutes.
    if measured.is_ok() || !figures.is_empty() {
        markdown::write(&mut io::stdout().lock(), &figures).map_err(Error::Output)?;
        if let Some(file) = &options.json {
            document::write(file, &figures).map_err(|source| Error::Json { file: file.clone(), source })?;
        }
    }
    measured?;
    Ok(figures)
}

/// Adds each part's figures when it has ended.
async fn measure(options: &Options, bench: &Bench, figures: &mut Figures) -> Result<(), parts::Error> {
    if options.wants(Part::Latency) {
        figures.latency = parts::latency(bench).await?;
    }
    if options.wants(Part::Load) {
        figures.load = parts::load(bench).await?;
    }
    if options.wants(Part::Start) {
        figures.start = parts::start(bench).await?;
    }
    if options.wants(Part::Endurance) {
        figures.endurance = parts::endurance(bench).await?;
    }
    Ok(())
}
