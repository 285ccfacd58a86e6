//! A stand-in for Amazon Bedrock's `ConverseStream`, for tests and for one machine without an AWS account.
//!
//! [`run`] serves `POST /model/{modelId}/converse-stream` over HTTP/1.1 and HTTP/2 without TLS, and answers as
//! Bedrock does: the same validation, the same errors, the same binary event stream. What is said comes from a
//! [`Generator`]: the [`Scripted`] one here, or a real model elsewhere. A [`Fault`] makes it fail on purpose, a
//! [`NetworkFault`] makes its connections bad, and a [`Guardrail`] denies what it is told to; `README.md` lists them,
//! and [`run_control`] serves a port to switch them.
//!
//! One request goes through the files in this order:
//! `server` (connections) → `network` (their faults) → `service` (routing, order of checks) → [`Journal`] →
//! `signature` → `profile` → [`Faults`] → [`Prompt`] → `guardrail` → [`Generator`] → `reply` (the event stream, bounded
//! by `limits`, and its faults) → `event` (JSON) → `frames` (bytes).
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::{sync::Arc, time::Duration};
//! use local_bedrock::{Config, Fault, Faults, Journal, Scripted};
//!
//! let faults = Faults::default();
//! let journal = Journal::default();
//! let config = Config::new(Arc::new(Scripted::default().ttft(Duration::from_millis(5))))
//!     .with_faults(faults.clone())
//!     .with_journal(journal.clone());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! faults.once("throttle".parse::<Fault>().map_err(std::io::Error::other)?);
//! local_bedrock::run(listener, config, async { tokio::signal::ctrl_c().await.ok(); }).await?;
//! assert_eq!(journal.conversations().len(), 1);
//! # Ok(()) }
//! ```
//!
//! # What is as on Bedrock
//!
//! - The binary frames, with checksums and padding; the order of events, and the errors' names, statuses and headers.
//! - The rules for a conversation and its settings, and inference profiles alone as models.
//! - `maxTokens` and `stopSequences`, and tokens that were generated but cut off in the count.
//! - Guardrails: input and output side, `sync` and `async`, the trace in `metadata`, no tokens for a model not run.
//! - Signatures: for service `bedrock` and the profile's region, and where credentials are
//!   [known](Config::with_credentials) verified to the last header, with AWS's own errors. Bearer tokens, likewise.
//!
//! # What is not
//!
//! - Where no credentials are given to it, a signature's scope is checked, the signature is not. There is no TLS.
//! - Any account, region and profile exists and may be used. There are no quotas but a generator's own.
//! - A guardrail is a list of keywords, and any id is one unless told otherwise. `sync` judges a reply as a whole;
//!   Bedrock judges some text at a time. That a block in `async` mode ends with the blocked message is not documented.
//! - Tools, images and documents are refused, as by a model that reads text only; reasoning and tool deltas come by a
//!   fault alone.
//! - Each piece of text is a delta of its own, most of them one token; Bedrock may put several tokens into one.
//!   Padding repeats from reply to reply.
//! - No operation but `ConverseStream`: all else is a 404.
//! - The wording of most messages, and a body beyond 25 MB, are not documented; nothing should depend on them.

mod arguments;
mod config;
mod control;
mod error;
mod event;
mod fault;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod generator;
mod guardrail;
mod journal;
mod limits;
mod network;
mod profile;
mod prompt;
mod reply;
mod scripted;
mod server;
mod service;
mod signature;

pub use arguments::FaultArgs;
pub use config::Config;
pub use control::run_control;
pub use error::{ErrorKind, ServiceError};
pub use fault::{
    Breakage, Fault, FaultEntry, FaultGroup, Faults, Insertion, Portion, Side, Speech, StreamException, UnknownFault,
};
pub use generator::{Failure, Generation, Generator, Piece, Refusal, Step, StopReason};
pub use guardrail::Guardrail;
pub use journal::{Journal, Received};
pub use local_signature::Credentials;
pub use network::{Network, NetworkFault, NetworkFaultEntry, UnknownNetworkFault};
pub use prompt::{Message, Prompt, Role};
pub use scripted::Scripted;
pub use server::run;
