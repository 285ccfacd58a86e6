//! Where the functions' log lines go, and what a person at the console gets to see.
//!
//! A sink that cannot be written to is left alone: there is no one else to tell, and a full disk
//! or a closed terminal must not stop the functions.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tokio::sync::mpsc::UnboundedSender;

use crate::failure::Failure;
use crate::fleet::Number;

mod metric_record;
mod printable;

use printable::printable;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const QUIET: Style = Style::new().dimmed();

/// The places asked for.
#[derive(Default)]
pub(crate) struct Sinks {
    pub(crate) console: Option<Box<dyn Write + Send>>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) lines: Option<UnboundedSender<String>>,
}

/// The places, open for writing.
pub(crate) struct Logs {
    console: Mutex<Option<Box<dyn Write + Send>>>,
    file: Mutex<Option<File>>,
    lines: Option<UnboundedSender<String>>,
}

impl Logs {
    pub(crate) fn open(sinks: Sinks) -> io::Result<Self> {
        let open = |path: PathBuf| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(|error| io::Error::new(error.kind(), format!("the log file {}: {error}", path.display())))
        };
        Ok(Self {
            console: Mutex::new(sinks.console),
            file: Mutex::new(sinks.file.map(open).transpose()?),
            lines: sinks.lines,
        })
    }

    /// One line that a function wrote, without its line end.
    pub(crate) fn line(&self, line: &[u8]) {
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // One write for line and end: other writers of the same file cannot come between.
            let _ = file.write_all(&[line, b"\n"].concat());
        }
        let text = String::from_utf8_lossy(line);
        match metric_record::summary(&text) {
            Some(summary) => self.show(&summary),
            None => self.show(&printable(&text)),
        }
        if let Some(lines) = &self.lines {
            let _ = lines.send(text.into_owned());
        }
    }

    /// A process has asked for its first invocation, `took` after its start.
    pub(crate) fn started(&self, sandbox: Number, took: Duration) {
        let took = took.as_secs_f64() * 1000.0;
        self.show(&format!("{QUIET}sandbox {sandbox} · cold start {took:.0} ms{QUIET:#}"));
    }

    /// An invocation has failed and its sandbox lives on.
    pub(crate) fn failed(&self, request_id: &str, failure: &Failure) {
        let failure = printable(&failure.to_string());
        self.show(&format!("{BAD}✗{BAD:#} {request_id} {failure}"));
    }

    /// A sandbox has ended, in the middle of an invocation if one is given.
    pub(crate) fn ended(&self, sandbox: Number, request_id: Option<&str>, failure: &Failure) {
        if failure.is_shutdown() {
            return;
        }
        let request_id = request_id.map(|id| format!(" · {id}")).unwrap_or_default();
        let failure = printable(&failure.to_string());
        self.show(&format!("{BAD}✗{BAD:#} sandbox {sandbox}{request_id} {failure}"));
    }

    /// No sandbox was free for a request, and there may be no more.
    pub(crate) fn throttled(&self, request_id: &str) {
        self.show(&format!("{BAD}✗{BAD:#} {request_id} throttled: every sandbox is busy"));
    }

    /// Shows a line of ours; what others wrote in it is [`printable`].
    fn show(&self, line: &str) {
        if let Some(console) = self.console.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = console.write_all(format!("{line}\n").as_bytes()).and_then(|()| console.flush());
        }
    }
}
