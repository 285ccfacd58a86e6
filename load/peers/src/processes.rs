//! What the processes of a deployment use: memory and processor time. From `/proc` and the processes' own clocks, and so on
//! Linux only.

use std::collections::BTreeMap;
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
struct Usage {
    /// Resident memory in KiB.
    rss_kib: u64,
    /// The most that it ever was.
    peak_rss_kib: u64,
    /// Processor time since its start.
    cpu: Duration,
}

/// The processes of a deployment that lived at one moment, by their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Processes(BTreeMap<i32, Usage>);

impl Processes {
    /// Processor time of all since an earlier look. None where one of those seen then is gone, and its time with it, or
    /// where none was seen.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Option<Duration> {
        let total = |processes: &Self| processes.0.values().map(|usage| usage.cpu).sum::<Duration>();
        (!earlier.ended_by(self) && !earlier.0.is_empty()).then(|| total(self).saturating_sub(total(earlier)))
    }

    /// Whether any of them is gone by a later look.
    pub(crate) fn ended_by(&self, later: &Self) -> bool {
        self.0.keys().any(|id| !later.0.contains_key(id))
    }

    /// The largest resident memory of one in KiB.
    pub(crate) fn rss_kib(&self) -> Option<u64> {
        self.0.values().map(|usage| usage.rss_kib).max()
    }

    /// The most that any one of them ever held, in KiB.
    pub(crate) fn peak_rss_kib(&self) -> Option<u64> {
        self.0.values().map(|usage| usage.peak_rss_kib).max()
    }
}

/// The processes that live.
#[cfg(target_os = "linux")]
pub(crate) fn of(marker: &Marker) -> Processes {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let marked = processes.filter(|process| {
        let environment = process.environ().unwrap_or_default();
        environment.get(std::ffi::OsStr::new(VARIABLE)).is_some_and(|value| value.as_os_str() == marker.value())
    });
    // A process may end between any two looks at it; then it is not among those that live.
    Processes(marked.filter_map(|process| Some((process.pid, linux_usage(&process)?))).collect())
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
pub(crate) fn of(_marker: &Marker) -> Processes {
    Processes::default()
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
            .args(["-c", "/bin/sh -c 'echo ready; read -r _'; :"])
            .env(VARIABLE, marker.value())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut ready = [0; 6];
        shell.stdout.take().expect("its output").read_exact(&mut ready).expect("ready");
        let processes = of(&marker);
        assert_eq!(processes.0.len(), 2, "{processes:?}");
        for usage in processes.0.values() {
            assert!(usage.peak_rss_kib >= usage.rss_kib && usage.rss_kib > 0, "{usage:?}");
            assert!(usage.cpu > Duration::ZERO, "{usage:?}");
        }
        assert!(of(&other).0.is_empty());
        drop(shell.stdin.take());
        shell.wait().expect("its end");
    }

    fn processes(cpu_millis: &[(i32, u64)]) -> Processes {
        let usage = |millis| Usage { rss_kib: 1, peak_rss_kib: 1, cpu: Duration::from_millis(millis) };
        Processes(cpu_millis.iter().map(|(id, millis)| (*id, usage(*millis))).collect())
    }

    #[test]
    fn processor_time_counts_those_that_came_and_is_none_where_one_has_gone() {
        let before = processes(&[(1, 10), (2, 20)]);
        assert_eq!(processes(&[(1, 15), (2, 21), (3, 4)]).cpu_since(&before), Some(Duration::from_millis(10)));
        assert_eq!(processes(&[(1, 15), (3, 400)]).cpu_since(&before), None, "the second is gone");
        assert_eq!(before.cpu_since(&Processes::default()), None, "nothing was seen");
    }
}
