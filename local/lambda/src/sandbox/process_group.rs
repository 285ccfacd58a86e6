//! A sandbox's processes as one thing: to be stopped, to go on, and to end.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

/// The process that was started, and every descendant that stayed in its group.
///
/// A signal that finds no process any more is no error: the supervisor sees the end for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessGroup(Pid);

impl ProcessGroup {
    pub(crate) fn led_by(leader: Pid) -> Self {
        Self(leader)
    }

    pub(crate) fn leader(self) -> Pid {
        self.0
    }

    /// Stops every process, as Lambda freezes a sandbox.
    pub(crate) fn freeze(self) {
        let _ = kill_process_group(self.0, Signal::STOP);
    }

    /// Lets stopped processes go on. Does nothing to others.
    pub(crate) fn thaw(self) {
        let _ = kill_process_group(self.0, Signal::CONT);
    }

    /// Asks the leader to end.
    pub(super) fn terminate(self) {
        self.thaw();
        let _ = kill_process(self.0, Signal::TERM);
    }

    /// Ends every process.
    pub(super) fn kill(self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }

    /// The most memory that the leader has had in use, in MB, as far as the kernel says.
    pub(crate) fn peak_memory_mb(self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.as_raw_nonzero())).ok()?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = kilobytes.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes.div_ceil(1024))
    }

    /// Whether the leader has ended, which the supervisor may not have noticed yet.
    pub(crate) fn has_ended(self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.0), options) {
            Ok(status) => status.is_some(),
            Err(error) => error == Errno::CHILD,
        }
    }
}
