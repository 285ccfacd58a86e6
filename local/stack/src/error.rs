//! Why the stack does not run, in words for whoever started it.

use std::io;
use std::path::PathBuf;

#[cfg(feature = "real-model")]
use crate::generator::ModelUnavailable;

/// Why the stack does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The function URL's port cannot be had.
    #[error("port {port}: {source}; choose another one with --port, or 0 for a free one")]
    Port {
        /// The port asked for.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// There is no function to run.
    #[error(
        "{}: {source}; build the function with `cargo build --release -p bro-buddy`, or name another program with --function",
        path.display()
    )]
    Function {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be run.
        source: io::Error,
    },
    /// The model asked for cannot be used.
    #[cfg(feature = "real-model")]
    #[error(transparent)]
    Model(ModelUnavailable),
    /// The CloudFront function cannot be used.
    #[error("{}: {why}; name the deployment's function with --viewer-request", path.display())]
    ViewerRequest {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be used.
        why: String,
    },
    /// An option says what nothing here would use.
    #[error("{option} needs {with}")]
    Unused {
        /// The option given.
        option: &'static str,
        /// What would use it.
        with: &'static str,
    },
    /// The log file cannot be made.
    #[error("the log file: {0}")]
    LogFile(io::Error),
    /// The operating system refuses a local socket or a signal handler.
    #[error("{0}")]
    System(#[from] io::Error),
}
