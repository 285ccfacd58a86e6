//! Ends a sandbox's processes when the stand-in dies without a chance to do so itself.

use std::io;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Pid;
use tokio::process::{Child, Command};

const SHELL: &str = "/bin/sh";
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
    /// # Errors
    /// When the shell is missing, or no process more may be started.
    pub(super) fn start(group: Pid) -> io::Result<Self> {
        Self::start_with(Path::new(SHELL), group)
    }

    fn start_with(shell: &Path, group: Pid) -> io::Result<Self> {
        let started = Command::new(shell)
            .args(["-c", SCRIPT, "sh"])
            .arg(group.as_raw_nonzero().to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of the terminal's Ctrl-C, which would end it before its time.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        match started {
            Ok(started) => Ok(Self { _shell: started }),
            // Without a name it reads as if the function's own program were missing.
            Err(error) => Err(io::Error::new(error.kind(), format!("{}, which guards it: {error}", shell.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_shell_that_cannot_be_started_is_named() {
        let no_group = Pid::from_raw(i32::MAX).expect("a number above zero");
        let error = Guard::start_with(Path::new("/no/such/shell"), no_group).err().expect("an error");
        assert!(error.to_string().starts_with("/no/such/shell, which guards it: "), "{error}");
    }
}
