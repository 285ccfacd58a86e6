//! Who writes the replies: the real model, or the script.

use std::sync::Arc;

use local_bedrock::{Generator, Scripted};

use crate::cli::{ModelArgs, Pace};
use crate::screen;
use crate::stack::Error;

#[cfg(feature = "real-model")]
mod download;
#[cfg(feature = "real-model")]
mod real;

#[cfg(feature = "real-model")]
pub(crate) use real::ModelUnavailable;

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
