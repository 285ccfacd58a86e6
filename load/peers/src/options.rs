//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::arm::Arm;
use crate::deployment::Programs;
use crate::sizes::Sizes;

/// Compares what Bro-Buddy adds to a reply with a direct client, a floor, and what people would otherwise deploy.
///
/// Writes Markdown to standard output and its progress to standard error.
#[derive(Debug, Parser)]
#[command(name = "compare", version)]
pub(crate) struct Options {
    /// Bro-Buddy's binary, as it is deployed
    #[arg(long, value_name = "FILE", env = "BRO_BUDDY_BIN", default_value = "target/release/bro-buddy")]
    function: PathBuf,
    /// The function that answers at once
    #[arg(long, value_name = "FILE", default_value = "target/local/floor")]
    floor: PathBuf,
    /// The function on stock `lambda_runtime`
    #[arg(long, value_name = "FILE", default_value = "target/release/peer-rust")]
    rust: PathBuf,
    /// Where `load/peers/install` has put the peers for Node.js and Python
    #[arg(long, value_name = "FOLDER", default_value = "target/peers")]
    installed: PathBuf,
    /// The program that runs Node.js's function
    #[arg(long, value_name = "PROGRAM", env = "NODE", default_value = "node")]
    node: OsString,
    /// The program that runs Python's server
    #[arg(long, value_name = "PROGRAM", env = "PYTHON", default_value = "python3")]
    python: OsString,
    /// What is compared, by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Arm::ALL)]
    arms: Vec<Arm>,
    /// What is measured, by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::ALL)]
    parts: Vec<Part>,
    /// Up to five minutes instead of twenty
    #[arg(long)]
    quick: bool,
    /// Rounds in which the arms take turns, one request at a time
    #[arg(long, value_name = "COUNT")]
    rounds: Option<std::num::NonZeroUsize>,
    /// Requests of each arm in such a round
    #[arg(long, value_name = "COUNT")]
    requests: Option<std::num::NonZeroU64>,
    /// Rounds of each level of load
    #[arg(long, value_name = "COUNT")]
    load_rounds: Option<std::num::NonZeroUsize>,
    /// How long an arm is under load in such a round
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    load_time: Option<std::time::Duration>,
    /// Sandboxes and clients of each level of load, by commas
    #[arg(long, value_name = "COUNT", value_delimiter = ',')]
    levels: Option<Vec<std::num::NonZeroUsize>>,
    /// Starts of each arm
    #[arg(long, value_name = "COUNT")]
    starts: Option<std::num::NonZeroUsize>,
    /// Requests to one sandbox in each of ten stages
    #[arg(long, value_name = "COUNT")]
    stage: Option<std::num::NonZeroU64>,
    /// A file for the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Ends with status 1 unless every target was measured and met, and no request failed
    #[arg(long)]
    pub(crate) require_targets: bool,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// One request at a time
    Latency,
    /// Several at a time
    Load,
    /// Cold starts
    Start,
    /// Many requests in one sandbox
    Endurance,
}

impl Part {
    const ALL: [Self; 4] = [Self::Latency, Self::Load, Self::Start, Self::Endurance];
}

impl Options {
    /// Each arm once, in the order of the tables.
    pub(crate) fn arms(&self) -> Vec<Arm> {
        Arm::ALL.into_iter().filter(|arm| self.arms.contains(arm)).collect()
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    pub(crate) fn programs(&self) -> std::io::Result<Programs> {
        // Processes have folders of their own.
        let installed = std::path::absolute(&self.installed)?;
        Ok(Programs {
            bro_buddy: self.function.clone(),
            floor: self.floor.clone(),
            rust: self.rust.clone(),
            node: (installed.join("node"), self.node.clone()),
            python: (installed.join("python"), self.python.clone()),
        })
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let mut sizes = if self.quick { Sizes::quick() } else { Sizes::full() };
        set(&mut sizes.latency.rounds, self.rounds.map(Into::into));
        set(&mut sizes.latency.requests_a_round, self.requests);
        set(&mut sizes.load.rounds, self.load_rounds.map(Into::into));
        set(&mut sizes.load.time_a_round, self.load_time);
        set(&mut sizes.load.levels, self.levels.clone());
        set(&mut sizes.starts, self.starts.map(Into::into));
        set(&mut sizes.endurance.requests_a_stage, self.stage);
        sizes
    }
}

fn set<T>(size: &mut T, asked_for: Option<T>) {
    if let Some(asked_for) = asked_for {
        *size = asked_for;
    }
}
