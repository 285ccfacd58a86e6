//! The load tester against servers whose every byte and pause is scripted, over real TCP.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod command;
mod connections;
mod figures;
mod loops;
mod outcomes;
mod signing;
mod streaming;
mod support;
mod tls;
