//! Where the functions' log lines go, and what a person at the console gets to see.
//!
//! A sink that cannot be written to is left alone: there is no one else to tell, and a full disk
//! or a closed or stopped terminal must not stop the functions.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tokio::sync::mpsc::UnboundedSender;

use crate::failure::Failure;
use crate::fleet::Number;

mod console;
mod metric_record;
mod platform;
mod printable;

use console::Console;
pub(crate) use platform::{Phase, PlatformRecord, Span, Status};
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
    /// Whether Lambda's own log lines go to the file and the channel, too.
    pub(crate) platform: bool,
}

/// The places, open for writing.
pub(crate) struct Logs {
    console: Option<Console>,
    file: Mutex<Option<File>>,
    lines: Option<UnboundedSender<String>>,
    platform: bool,
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
            console: sinks.console.map(Console::start).transpose()?,
            file: Mutex::new(sinks.file.map(open).transpose()?),
            lines: sinks.lines,
            platform: sinks.platform,
        })
    }

    /// Waits until the console shows everything, for a bounded time.
    pub(crate) async fn written(&self) {
        if let Some(console) = &self.console {
            console.written().await;
        }
    }

    pub(crate) fn wants_platform_records(&self) -> bool {
        self.platform && (self.lines.is_some() || self.has_file())
    }

    fn has_file(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// One of Lambda's own log lines, if they are wanted. The console has a form of its own for what matters.
    pub(crate) fn platform(&self, record: &PlatformRecord) {
        if self.wants_platform_records() {
            let line = record.line();
            self.keep(line.as_bytes());
            self.pass_on(line);
        }
    }

    /// One line that a function wrote, without its line end.
    pub(crate) fn line(&self, line: &[u8]) {
        self.keep(line);
        let text = String::from_utf8_lossy(line);
        match metric_record::summary(&text) {
            Some(summary) => self.show(&summary),
            None => self.show(&printable(&text)),
        }
        self.pass_on(text.into_owned());
    }

    fn keep(&self, line: &[u8]) {
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // One write for line and end: other writers of the same file cannot come between.
            let _ = file.write_all(&[line, b"\n"].concat());
        }
    }

    fn pass_on(&self, line: String) {
        if let Some(lines) = &self.lines {
            // Without a receiver nobody wants to know any more.
            let _ = lines.send(line);
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
        if failure.is_wanted() {
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

    /// A URL in `RESPONSE_STREAM` mode got an answer that was not streamed, which is seldom meant.
    pub(crate) fn not_streamed(&self) {
        self.show(&format!(
            "{QUIET}an answer that was not streamed goes on as it is · for a function that does not stream: --invoke-mode buffered{QUIET:#}"
        ));
    }

    /// The function's program has changed, and every sandbox is replaced.
    pub(crate) fn replaced(&self) {
        self.show(&format!("{QUIET}the program has changed · new sandboxes run it{QUIET:#}"));
    }

    /// Shows a line of ours; what others wrote in it is [`printable()`].
    fn show(&self, line: &str) {
        if let Some(console) = &self.console {
            console.show(line.to_owned());
        }
    }
}
