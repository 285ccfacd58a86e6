//! How far a download is: a moving line on a terminal, a line for each tenth elsewhere.

use std::io::{self, IsTerminal};

use crate::screen;

/// The line, until it is dropped.
pub(super) struct Download {
    terminal: bool,
    shown: Option<u64>,
}

impl Download {
    pub(super) fn new() -> Self {
        Self { terminal: io::stdout().is_terminal(), shown: None }
    }

    /// Shows how many of how many bytes are there, where that makes a difference to the line.
    pub(super) fn show(&mut self, bytes: u64, total: u64) {
        let percent = bytes.saturating_mul(100).checked_div(total).unwrap_or(100);
        let step = if self.terminal { percent } else { percent / 10 };
        if self.shown.replace(step) != Some(step) {
            let megabytes = total / 1_000_000;
            let end = if self.terminal { '\r' } else { '\n' };
            screen::write(&format!("Downloading the language model, {megabytes} MB: {percent:>3} %{end}"));
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            screen::write("\n");
        }
    }
}
