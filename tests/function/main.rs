//! The function as it is deployed, over the real protocols: a client's HTTP request through the stand-in for
//! Lambda to the real binary, and from there to the stand-in for Bedrock.
//!
//! The binary is the one that `BRO_BUDDY_BIN` names, built in release mode and without any development
//! dependency's features; `make test` builds it and sets the variable.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a test crate has no outside")]

mod adapter;
mod app;
mod connection;
mod failures;
mod faults;
mod frames;
mod frozen;
mod governance;
mod keys;
mod network;
mod page;
mod raw_bedrock;
mod record;
mod refusals;
mod reply;
mod runtime_api;
mod slow_reader;
mod sse;
mod start;
mod terminator;
mod time_outs;
mod tls;
