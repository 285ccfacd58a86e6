//! A stand-in for Amazon Bedrock's `ConverseStream`, for tests and for one machine without an AWS account.
//!
//! [`run`] serves `POST /model/{modelId}/converse-stream` over HTTP/1.1 and HTTP/2 without TLS, and answers as
//! Bedrock does: the same validation, the same errors, the same binary event stream. What is said comes from a
//! [`Generator`]: the [`Scripted`] one here, or a real model elsewhere. A [`Fault`] makes it fail on purpose.
//!
//! One request goes through the files in this order:
//! `server` (connections) → `service` (routing, order of checks) → [`Journal`] → `signature` → `profile` →
//! [`Faults`] → [`Prompt`] → [`Generator`] → `reply` (the event stream, bounded by `limits`) → `frames` (bytes).
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
//! Not here: the real model (`local-model`), signatures checked against a secret key, TLS, any other Bedrock operation.

mod config;
mod error;
mod fault;
mod frames;
mod generator;
mod journal;
mod limits;
mod profile;
mod prompt;
mod reply;
mod scripted;
mod server;
mod service;
mod signature;

pub use config::Config;
pub use error::{ErrorKind, ServiceError};
pub use fault::{Fault, Faults, StreamException, UnknownFault};
pub use generator::{Failure, Generation, Generator, Piece, Refusal, Step, StopReason};
pub use journal::{Journal, Received};
pub use prompt::{Message, Prompt, Role};
pub use scripted::Scripted;
pub use server::run;
