//! How the stand-in is set up: the function, how many sandboxes it may have, where its logs go.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use crate::function::Function;
use crate::logs::Sinks;

/// Sandboxes at most, unless the caller says otherwise: four.
const DEFAULT_SANDBOXES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// The set-up of one stand-in, in builder style.
pub struct Config {
    pub(crate) function: Function,
    pub(crate) sandboxes: NonZeroUsize,
    pub(crate) sinks: Sinks,
}

impl Config {
    /// A stand-in for `function` with at most four sandboxes and no place for logs.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self { function, sandboxes: DEFAULT_SANDBOXES, sinks: Sinks::default() }
    }

    /// How many sandboxes there may be at once: Lambda's reserved concurrency. One more
    /// invocation than this is answered with 429.
    #[must_use]
    pub fn sandboxes(mut self, sandboxes: NonZeroUsize) -> Self {
        self.sandboxes = sandboxes;
        self
    }

    /// Where people read along: the functions' log lines, each metric record as one short line,
    /// cold starts and failures. Written with ANSI styles; wrap the writer in
    /// `anstream::AutoStream` to drop them where it is no terminal.
    #[must_use]
    pub fn console(mut self, writer: impl Write + Send + 'static) -> Self {
        self.sinks.console = Some(Box::new(writer));
        self
    }

    /// A file to which every log line of the functions is appended unchanged, one line each.
    #[must_use]
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sinks.file = Some(path.into());
        self
    }

    /// A channel that gets every log line of the functions, without its line end. Bytes that are
    /// not UTF-8 are replaced.
    #[must_use]
    pub fn log_lines(mut self, sender: UnboundedSender<String>) -> Self {
        self.sinks.lines = Some(sender);
        self
    }
}
