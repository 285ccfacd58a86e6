//! Who writes the replies: the real model, or the script.

#[cfg(feature = "real-model")]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use local_bedrock::{Generator, Scripted};

use crate::error::Error;
use crate::screen;

#[cfg(feature = "real-model")]
mod download;
#[cfg(feature = "real-model")]
mod real;

#[cfg(feature = "real-model")]
pub(crate) use real::ModelUnavailable;

/// Which model replies.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// Another model of SmolLM2's family; the default one is downloaded when it is first used
    #[cfg(feature = "real-model")]
    #[arg(long, value_name = "PATH.gguf", conflicts_with = "scripted")]
    model: Option<PathBuf>,
    /// Replies with a fixed text at a fixed pace, without a language model
    #[arg(long)]
    scripted: bool,
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
struct Pace {
    ttft: Duration,
    gap: Duration,
    tokens: usize,
}

impl ModelArgs {
    fn pace(&self) -> Pace {
        Pace { ttft: Duration::from_millis(self.ttft), gap: Duration::from_millis(self.gap), tokens: self.tokens }
    }
}

/// Who replies.
pub(crate) struct Chosen {
    pub(crate) generator: Arc<dyn Generator>,
    /// For people.
    pub(crate) description: String,
    /// For the inference profile's ARN.
    pub(crate) name: String,
}

/// Chooses as the command line says. Where nothing was said and the real model cannot be had, the script
/// replies, and the screen says why.
#[cfg(feature = "real-model")]
pub(crate) async fn choose(arguments: &ModelArgs) -> Result<Chosen, Error> {
    if arguments.scripted {
        return Ok(scripted(arguments.pace()));
    }
    match real::load(arguments.model.clone()).await {
        Ok(chosen) => Ok(chosen),
        Err(error) if arguments.model.is_some() => Err(Error::Model(error)),
        Err(error) => {
            screen::warning(&format!("no language model: {error}"));
            screen::note("Replies are scripted instead. To use a model that you have: --model PATH.gguf");
            Ok(scripted(arguments.pace()))
        }
    }
}

/// Without the language model in this build there is only the script.
#[cfg(not(feature = "real-model"))]
#[allow(clippy::unused_async, reason = "the same signature as with the language model")]
pub(crate) async fn choose(arguments: &ModelArgs) -> Result<Chosen, Error> {
    if !arguments.scripted {
        screen::warning("this program was built without the language model (feature real-model)");
        screen::note("Replies are scripted instead.");
    }
    Ok(scripted(arguments.pace()))
}

fn scripted(pace: Pace) -> Chosen {
    let Pace { ttft, gap, tokens } = pace;
    let (first, others) = (ttft.as_millis(), gap.as_millis());
    Chosen {
        generator: Arc::new(Scripted::default().ttft(ttft).gap(gap).tokens(tokens)),
        description: format!("none: {tokens} scripted tokens, the first after {first} ms, then one every {others} ms"),
        name: "scripted".to_owned(),
    }
}
