//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use local_bedrock::FaultArgs;

use crate::access::AccessArgs;
use crate::generator::ModelArgs;

/// Runs Bro-Buddy on this machine: the function's own binary, stand-ins for AWS Lambda and Amazon Bedrock,
/// and a small language model. No AWS account is needed.
#[derive(Parser)]
#[command(name = "bro-stack", version)]
pub(crate) struct Cli {
    /// The function's program
    #[arg(long, default_value = "target/release/bro-buddy", value_name = "PATH")]
    pub(crate) function: PathBuf,
    /// Port of the function URL on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub(crate) port: u16,
    /// Sandboxes at most: with one more request at once Lambda answers 429
    #[arg(long, default_value = "4", value_name = "N")]
    pub(crate) sandboxes: NonZeroUsize,
    /// Seconds an invocation may take
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=900))]
    pub(crate) timeout: u64,
    /// A variable for the function; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// File for the function's log lines; a new temporary one if not given
    #[arg(long, value_name = "PATH")]
    pub(crate) log_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

fn variable(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
