//! Ends a sandbox's processes when the stand-in dies without a chance to do so itself.

use std::io;
use std::process::Stdio;

use rustix::process::Pid;
use tokio::process::{Child, Command};

/// `read` returns when the pipe's other end is closed: by the kernel, however the stand-in ends.
/// Only with `-s` does every POSIX shell take a process group after `--`.
const SCRIPT: &str = r#"read -r _; kill -s KILL -- "-$1""#;

/// A shell that waits for the end of the stand-in and then kills a process group.
///
/// `PR_SET_PDEATHSIG` would need unsafe code, watches the parent's *thread*, and misses
/// grandchildren. To drop the guard stands it down.
pub(super) struct Guard {
    _shell: Child,
}

impl Guard {
    pub(super) fn start(group: Pid) -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(group.as_raw_nonzero().to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of the terminal's Ctrl-C, which would end it before its time.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { _shell: shell })
    }
}
