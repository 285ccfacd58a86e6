//! The functions that the integration tests run: the first argument, or `BEHAVIOUR`, names what they do.
//!
//! They speak the Runtime API by hand over a socket, so that no client library smooths over what
//! the stand-in does, and so that a test can say which bytes go out in which write.

#![allow(clippy::disallowed_methods, reason = "a function is configured by its environment")]

mod behaviours;
mod extension;
mod runtime;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let behaviour = std::env::args().nth(1).map_or_else(|| std::env::var("BEHAVIOUR"), Ok)?;
    behaviours::run(&behaviour)
}
