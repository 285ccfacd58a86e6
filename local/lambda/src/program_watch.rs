//! Notices that the function's program has changed, and that it is complete again.
//!
//! Compilers replace a program in their own ways: written in place, renamed over, removed first. Its metadata shows
//! them all, on every file system, at the price of a look now and then.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_millis(100);
/// In how many looks in a row a file must be the same to count as complete.
const STEADY_LOOKS: u32 = 3;
/// How long a sandbox waits for a program that is being written, before it is started as it is.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// What tells one content of a file from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Stamp {
    /// Nothing while the file is missing.
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() }
    }
}

type Stamps = Vec<Option<Stamp>>;

/// The files that make up the program, and the last state of theirs that was steady.
#[derive(Clone)]
pub(crate) struct ProgramWatch {
    files: Arc<[PathBuf]>,
    steady: watch::Receiver<Stamps>,
}

impl ProgramWatch {
    /// Watches until every copy of the watch is dropped; calls `changed` each time the files have changed and are
    /// steady again. All of them must be there for that.
    pub(crate) fn start(files: Vec<PathBuf>, changed: impl Fn() + Send + 'static) -> Self {
        let files: Arc<[PathBuf]> = files.into();
        let (sender, steady) = watch::channel(stamps(&files));
        let watched = Arc::clone(&files);
        tokio::spawn(async move {
            let mut seen = stamps(&watched);
            let mut looks = 0;
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    () = tokio::time::sleep(INTERVAL) => {}
                }
                let now = stamps(&watched);
                looks = if now == seen { looks + 1 } else { 0 };
                seen = now;
                let complete = looks >= STEADY_LOOKS && seen.iter().all(Option::is_some);
                if complete && *sender.borrow() != seen {
                    sender.send_replace(seen.clone());
                    changed();
                }
            }
        });
        Self { files, steady }
    }

    /// Waits while a file is being written.
    pub(crate) async fn settled(&self) {
        let settled = async {
            while *self.steady.borrow() != stamps(&self.files) {
                tokio::time::sleep(INTERVAL).await;
            }
        };
        // Past the limit the process is started as it is, and its error says what is wrong.
        let _ = tokio::time::timeout(SETTLE_LIMIT, settled).await;
    }
}

fn stamps(files: &[PathBuf]) -> Stamps {
    files.iter().map(|file| Stamp::of(file)).collect()
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_being_replaced_is_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("bootstrap");
        std::fs::write(&program, "old").expect("a file");
        let (sender, mut changes) = unbounded_channel();
        let watch = ProgramWatch::start(vec![program.clone()], move || sender.send(()).expect("the test runs"));
        watch.settled().await;

        std::fs::remove_file(&program).expect("a file");
        assert!(tokio::time::timeout(LONG, watch.settled()).await.is_err(), "the program is missing");
        assert!(changes.try_recv().is_err(), "nothing can be started in its place");

        std::fs::write(&program, "half of the n").expect("a file");
        let replaced = async {
            // One look finds the half, and it must not count.
            tokio::time::sleep(INTERVAL + INTERVAL / 2).await;
            std::fs::write(&program, "half of the new program, and the rest").expect("a file");
            changes.recv().await.expect("a change");
            stamps(std::slice::from_ref(&program))
        };
        let (stamps, ()) = tokio::join!(replaced, watch.settled());
        assert_eq!(*watch.steady.borrow(), stamps);
        assert!(changes.try_recv().is_err(), "the half counted as a program");
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_stays_away_is_not_waited_for_any_longer() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("bootstrap");
        std::fs::write(&program, "old").expect("a file");
        let watch = ProgramWatch::start(vec![program.clone()], || ());
        std::fs::remove_file(&program).expect("a file");
        tokio::time::timeout(2 * SETTLE_LIMIT, watch.settled()).await.expect("within the limit");
    }
}
