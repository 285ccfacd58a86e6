//! The one line that says why the function does not start.

use std::time::SystemTime;

use serde::Serialize;

use super::write_line;
use crate::StartError;
use crate::config::Problem;

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    timestamp: String,
    message: &'static str,
    error_type: &'static str,
    error: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [Problem],
}

/// Writes the line, with each bad variable and what it must be.
pub fn log(error: &StartError) {
    let line = Line {
        level: "FATAL",
        timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        message: "the function does not start",
        error_type: error.error_type(),
        error: error.to_string(),
        problems: match error {
            StartError::Config(error) => error.problems(),
            StartError::Policy(_) => &[],
        },
    };
    // Strings only: nothing that JSON could refuse.
    write_line(&mut serde_json::to_vec(&line).unwrap_or_default());
}
