//! What comes of a run or a merge: the table, the files, the exit status.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bro_load::report::{InvalidReport, Report};
use bro_load::table::Table;
use bro_load::threshold::Threshold;

use crate::cli::OutputArgs;

/// A `--fail-if` was met, or `--require-streaming` not.
const FAILED: u8 = 1;
/// No request was answered.
const UNANSWERED: u8 = 3;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{} cannot be read: {source}", .file.display())]
    Read { file: PathBuf, source: io::Error },
    #[error("{} is no report of bro-load: {source}", .file.display())]
    Json { file: PathBuf, source: serde_json::Error },
    #[error("{} is no report of bro-load: {source}", .file.display())]
    Invalid { file: PathBuf, source: InvalidReport },
    #[error("{} cannot be written: {source}", .file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Reads reports that `--json` has written, and makes one of them.
pub(crate) fn merge(files: &[PathBuf]) -> Result<Report, FileError> {
    let mut reports = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|source| FileError::Read { file: file.clone(), source })?;
        let report = serde_json::from_str(&text).map_err(|source| FileError::Json { file: file.clone(), source })?;
        // Each by itself first, so that the error names its file.
        Report::merged([&report]).map_err(|source| FileError::Invalid { file: file.clone(), source })?;
        reports.push(report);
    }
    Report::merged(&reports)
        .map_err(|source| FileError::Invalid { file: files.first().cloned().unwrap_or_default(), source })
}

/// Prints the JSON Schema of reports.
pub(crate) fn print_schema() -> Result<ExitCode, FileError> {
    print(&bro_load::report::schema())?;
    Ok(ExitCode::SUCCESS)
}

/// Sees that the files can be written, before a long run is made for them. What they hold stays until there is a report.
pub(crate) fn check(output: &OutputArgs) -> Result<(), FileError> {
    let json = output.json.as_deref().filter(|file| *file != Path::new("-"));
    for file in json.into_iter().chain(output.html.as_deref()) {
        let opened = fs::OpenOptions::new().create(true).append(true).open(file);
        opened.map_err(|source| FileError::Write { file: file.to_owned(), source })?;
    }
    Ok(())
}

/// Judges the report, shows it, and writes the files.
pub(crate) fn conclude(mut report: Report, output: &OutputArgs) -> Result<ExitCode, FileError> {
    let streaming = output.require_streaming.then(Threshold::streaming);
    let thresholds = output.fail_if.iter().cloned().chain(streaming.into_iter().flatten());
    report.thresholds = thresholds.map(|threshold| threshold.judge(&report)).collect();
    let to_output = output.json.as_deref() == Some(Path::new("-"));
    if !to_output {
        print(&Table(&report).to_string())?;
    }
    if let Some(file) = &output.json {
        let mut json = serde_json::to_string_pretty(&report).map_err(io::Error::from)?;
        json.push('\n');
        if to_output { print(&json)? } else { write(file, &json)? }
    }
    if let Some(file) = &output.html {
        write(file, &bro_load::html::render(&report))?;
    }
    Ok(status(&report))
}

fn status(report: &Report) -> ExitCode {
    if !report.outcomes.iter().any(|each| each.outcome.is_answer()) {
        ExitCode::from(UNANSWERED)
    } else if report.thresholds.iter().any(|threshold| threshold.failed) {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

/// A reader who has seen enough is no error.
fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn write(file: &Path, text: &str) -> Result<(), FileError> {
    fs::write(file, text).map_err(|source| FileError::Write { file: file.to_owned(), source })
}
