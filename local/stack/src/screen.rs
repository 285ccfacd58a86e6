//! What a person sees: short, calm and aligned; styles only on a terminal.
//!
//! A closed output is ignored: there is no one else to tell.

use std::fmt::Display;
use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

const STRONG: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// What runs, one fact a line: a name of at most seven characters, and a value.
pub(crate) fn running(facts: &[(&str, String)]) {
    let mut text = format!("\n{STRONG}Bro-Buddy runs on this machine.{STRONG:#}\n\n");
    for (name, value) in facts {
        text.push_str(&format!("  {QUIET}{name:<7}{QUIET:#} {value}\n"));
    }
    text.push('\n');
    write(&text);
}

/// A sentence of its own.
pub(crate) fn note(sentence: &str) {
    write(&format!("{sentence}\n"));
}

/// Something is not as asked for, and it goes on.
pub(crate) fn warning(sentence: &str) {
    let _ = writeln!(AutoStream::auto(io::stderr()), "{UNSURE}warning:{UNSURE:#} {sentence}");
}

/// It does not go on.
pub(crate) fn error(error: &dyn Display) {
    let _ = writeln!(AutoStream::auto(io::stderr()), "{BAD}error:{BAD:#} {error}");
}

/// Text as it is, at once.
pub(crate) fn write(text: &str) {
    let mut stdout = AutoStream::auto(io::stdout());
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
