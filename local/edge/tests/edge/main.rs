//! The edge over real HTTP, in front of an origin that verifies signatures as a function URL does.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]

mod command;
mod forwarding;
mod headers;
mod readme;
mod support;
mod viewer_request;
