//! `bro-stack`: Bro-Buddy on one machine, behind one URL.
//!
//! Starts the stand-in for Bedrock with a real or a scripted model, and the stand-in for Lambda with the
//! function's own binary, joins the two by the variables that join them on AWS, and ends both together.
//! What is as on AWS and what is not, each stand-in says itself: `local/lambda/README.md`, `local/bedrock/src/lib.rs`,
//! `local/model/src/lib.rs`.

mod access;
mod cli;
mod error;
mod generator;
mod role;
mod screen;
mod stack;
#[cfg(feature = "real-model")]
mod threads;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::stack::Stack;

fn main() -> ExitCode {
    #[cfg(feature = "real-model")]
    threads::limit();
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let served = match Stack::start(Cli::parse()).await {
        Ok(stack) => stack.serve().await,
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen::error(&error);
            ExitCode::FAILURE
        }
    }
}
