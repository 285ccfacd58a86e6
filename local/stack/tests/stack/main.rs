//! The `bro-stack` command with a test function in place of Bro-Buddy.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]

mod access;
mod ending;
#[cfg(feature = "real-model")]
mod model;
mod refusals;
mod screen;
mod support;
mod wiring;
