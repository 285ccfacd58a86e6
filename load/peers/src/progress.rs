//! A line for whoever waits, on standard error.

use std::io::Write;

/// Where standard error is closed nobody waits.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
