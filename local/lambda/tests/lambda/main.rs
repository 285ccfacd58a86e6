//! The stand-in over real HTTP with real processes: what a client, a function and a person at the
//! console see of it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]

mod command;
mod console;
mod cors;
mod event;
mod failures;
mod iam;
mod lifecycle;
mod platform_logs;
mod readme;
mod response;
mod runtime_api;
mod sandboxes;
mod streaming;
mod support;
