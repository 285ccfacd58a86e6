//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use local_bedrock::FaultArgs;

use crate::access::AccessArgs;

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

/// Which model replies.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// Another model of SmolLM2's family; the default one is downloaded when it is first used
    #[cfg(feature = "real-model")]
    #[arg(long, value_name = "PATH.gguf", conflicts_with = "scripted")]
    pub(crate) model: Option<PathBuf>,
    /// Replies with a fixed text at a fixed pace, without a language model
    #[arg(long)]
    pub(crate) scripted: bool,
    /// Scripted: milliseconds from a request to its first token
    #[arg(long, default_value_t = 250, value_name = "MS", requires = "scripted")]
    ttft: u64,
    /// Scripted: milliseconds from each token to the next
    #[arg(long, default_value_t = 30, value_name = "MS", requires = "scripted")]
    gap: u64,
    /// Scripted: tokens in a reply
    #[arg(long, default_value_t = 60, value_name = "N", requires = "scripted")]
    tokens: usize,
}

/// How a scripted reply comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) ttft: Duration,
    pub(crate) gap: Duration,
    pub(crate) tokens: usize,
}

impl ModelArgs {
    pub(crate) fn pace(&self) -> Pace {
        Pace { ttft: Duration::from_millis(self.ttft), gap: Duration::from_millis(self.gap), tokens: self.tokens }
    }
}

fn variable(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
