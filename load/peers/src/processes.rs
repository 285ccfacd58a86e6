//! What the processes of a deployment use: memory and processor time. From `/proc` and the processes' own clocks, and so on
//! Linux only.

use std::time::Duration;

/// The environment variable by which a deployment's processes are known, with all that they start.
pub(crate) const VARIABLE: &str = "COMPARE_DEPLOYMENT";

/// The value of that variable: no other deployment on this machine has it.
#[derive(Debug, Clone)]
pub(crate) struct Marker(String);

impl Marker {
    pub(crate) fn new(number: u64) -> Self {
        Self(format!("{}-{number}", std::process::id()))
    }

    pub(crate) fn value(&self) -> &str {
        &self.0
    }
}

/// What one process uses at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory in KiB.
    pub(crate) rss_kib: u64,
    /// The most that it ever was.
    pub(crate) peak_rss_kib: u64,
    /// Processor time since its start.
    pub(crate) cpu: Duration,
}

/// Processor time of all.
pub(crate) fn cpu(usages: &[Usage]) -> Duration {
    usages.iter().map(|usage| usage.cpu).sum()
}

/// The processes that live.
#[cfg(target_os = "linux")]
pub(crate) fn of(marker: &Marker) -> Vec<Usage> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let marked = processes.filter(|process| {
        let environment = process.environ().unwrap_or_default();
        environment.get(std::ffi::OsStr::new(VARIABLE)).is_some_and(|value| value.as_os_str() == marker.value())
    });
    // A process may end between any two looks at it; then it is not among those that live.
    marked.filter_map(|process| linux_usage(&process)).collect()
}

#[cfg(target_os = "linux")]
fn linux_usage(process: &procfs::process::Process) -> Option<Usage> {
    use nix::time::clock_getcpuclockid;
    use nix::unistd::Pid;

    let status = process.status().ok()?;
    // The same that `stat` tells in ticks of 10 ms, to the nanosecond.
    let clock = clock_getcpuclockid(Pid::from_raw(process.pid)).ok()?;
    Some(Usage { rss_kib: status.vmrss?, peak_rss_kib: status.vmhwm?, cpu: clock.now().ok()?.into() })
}

/// There is no `/proc`: nothing is seen of the processes.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_marker: &Marker) -> Vec<Usage> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_deployments_processes_are_those_with_its_marker_and_what_they_started() {
        let (marker, other) = (Marker::new(u64::MAX), Marker::new(u64::MAX - 1));
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "sleep 60 & echo ready; read -r _; kill $!"])
            .env(VARIABLE, marker.value())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut ready = [0; 6];
        shell.stdout.take().expect("its output").read_exact(&mut ready).expect("ready");
        let usages = of(&marker);
        assert_eq!(usages.len(), 2, "{usages:?}");
        assert!(usages.iter().all(|usage| usage.peak_rss_kib >= usage.rss_kib && usage.rss_kib > 0), "{usages:?}");
        assert!(usages.iter().all(|usage| usage.cpu > Duration::ZERO), "{usages:?}");
        assert!(of(&other).is_empty());
        drop(shell.stdin.take());
        shell.wait().expect("its end");
    }
}
