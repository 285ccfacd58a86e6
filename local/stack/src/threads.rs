//! On how many threads the language model computes.

use std::os::unix::process::CommandExt;
use std::process::Command;

const VARIABLE: &str = "CANDLE_NUM_THREADS";

/// Starts this program anew, in the same process, with one thread for candle unless the environment names a number.
///
/// Left alone, candle takes a thread for each core, and they wait for each other by spinning. Beside other work a first
/// token then takes more than ten seconds, close to where the function gives a silent stream up. candle reads nothing
/// but the environment, which a running program cannot change safely.
#[allow(clippy::disallowed_methods, reason = "candle is told by its environment and by nothing else")]
pub(crate) fn limit() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Comes back only where that fails. It then goes on as it is, and the screen says with how many threads.
    let _error = command.args(arguments).env(VARIABLE, "1").exec();
}
