//! What the function says about itself: log lines, and one wide record per chat request.
//!
//! Both are single JSON lines on standard output, with `level` and an RFC 3339 `timestamp` as Lambda's JSON
//! logging wants them. Neither ever holds a prompt, a reply, a header, a key or an address.

mod causes;
mod emf;
mod log;
mod phases;
mod record;
mod refused_start;

pub(crate) use causes::with_causes;
pub use log::init as init_log;
pub use phases::Phases;
pub(crate) use phases::millis;
pub use record::{Outcome, Record, SharedRecord};
pub use refused_start::log as log_refused_start;

/// Writes one line to standard output, whole. A closed standard output is no reason to fail a request.
fn write_line(line: &mut Vec<u8>) {
    use std::io::Write as _;
    line.push(b'\n');
    let _ = std::io::stdout().lock().write_all(line);
}
