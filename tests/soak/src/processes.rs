//! The function's processes, and this one: memory, file descriptors, threads, processor time. From `/proc`, and so on
//! Linux only.

use std::path::Path;
use std::time::Duration;

/// What one process uses at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) pid: i32,
    /// Resident memory in KiB.
    pub(crate) rss_kib: u64,
    /// Open file descriptors.
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    /// Processor time since its start.
    pub(crate) cpu: Duration,
}

/// This process, with the client and the stand-ins in it.
#[cfg(target_os = "linux")]
pub(crate) fn own() -> Option<Usage> {
    linux::usage(&procfs::process::Process::myself().ok()?)
}

/// The processes of the function that this one has started and that still live, by process id.
#[cfg(target_os = "linux")]
pub(crate) fn of_the_function(program: &Path) -> Vec<Usage> {
    linux::children(program)
}

/// There is no `/proc`: memory is not judged.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own() -> Option<Usage> {
    None
}

/// There is no `/proc`: nothing is seen of the processes.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_the_function(_program: &Path) -> Vec<Usage> {
    Vec::new()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::time::Duration;

    use procfs::process::{Process, all_processes};

    use super::Usage;

    pub(super) fn children(program: &Path) -> Vec<Usage> {
        let Ok(own) = i32::try_from(std::process::id()) else { return Vec::new() };
        let processes = all_processes().into_iter().flatten().flatten();
        // A process may end between any two looks at it; then it is not among those that live.
        let children = processes.filter(|process| {
            process.stat().is_ok_and(|stat| stat.ppid == own && stat.state != 'Z')
                && process.exe().is_ok_and(|exe| exe == program)
        });
        let mut children: Vec<_> = children.filter_map(|process| usage(&process)).collect();
        children.sort_by_key(|usage| usage.pid);
        children
    }

    pub(super) fn usage(process: &Process) -> Option<Usage> {
        let stat = process.stat().ok()?;
        let ticks = (stat.utime + stat.stime) * 1_000 / procfs::ticks_per_second();
        Some(Usage {
            pid: process.pid,
            rss_kib: stat.rss * procfs::page_size() / 1024,
            descriptors: process.fd_count().ok()?,
            threads: usize::try_from(stat.num_threads).ok()?,
            cpu: Duration::from_millis(ticks),
        })
    }
}
