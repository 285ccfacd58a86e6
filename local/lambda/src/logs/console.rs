//! What people read, written by a thread of its own: a stopped terminal must not hold up a function.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

/// Lines that wait while the terminal takes none.
const QUEUE: usize = 1024;
/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(500);
/// The pause before another try where the queue is full.
const RETRY: Duration = Duration::from_millis(5);

enum Message {
    Line(String),
    /// All before it is written.
    Written(oneshot::Sender<()>),
}

/// The way to the thread.
pub(super) struct Console {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicUsize>,
}

impl Console {
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(writer: Box<dyn Write + Send>) -> io::Result<Self> {
        let (queue, messages) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&dropped);
        std::thread::Builder::new().name("console".to_owned()).spawn(move || write(writer, &messages, &counted))?;
        Ok(Self { queue, dropped })
    }

    /// Shows a line, or counts it where there is no room.
    pub(super) fn show(&self, line: String) {
        if self.queue.try_send(Message::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all lines are written, for a bounded time.
    pub(super) async fn written(&self) {
        let written = async {
            let (written, all) = oneshot::channel();
            let mut message = Message::Written(written);
            while let Err(TrySendError::Full(returned)) = self.queue.try_send(message) {
                message = returned;
                tokio::time::sleep(RETRY).await;
            }
            let _ = all.await;
        };
        let _ = tokio::time::timeout(LAST_LINES, written).await;
    }
}

/// Ends when the last sender has gone. A writer that fails is left alone: there is no one else to tell.
fn write(mut writer: Box<dyn Write + Send>, messages: &Receiver<Message>, dropped: &AtomicUsize) {
    let mut write = |line: &str| {
        let _ = writer.write_all(format!("{line}\n").as_bytes()).and_then(|()| writer.flush());
    };
    while let Ok(message) = messages.recv() {
        match message {
            Message::Line(line) => write(&line),
            Message::Written(written) => {
                // Without a receiver nobody waits any more.
                let _ = written.send(());
            }
        }
        let dropped = dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            write(&format!("… {dropped} lines left out: they came faster than this place takes them"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::Sender;

    use super::*;

    /// Takes a write only when it is let.
    struct Stopped {
        entered: Sender<()>,
        go_on: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stopped {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            // An error means that the test lets everything through.
            let _ = self.go_on.recv();
            self.written.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_stopped_terminal_takes_nothing_holds_nothing_up_and_is_told_what_it_missed() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ((entered, first_write), (release, go_on)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        let console = Console::start(Box::new(Stopped { entered, go_on, written: Arc::clone(&written) }));
        let console = console.expect("a thread");
        console.show("first".to_owned());
        first_write.recv_timeout(Duration::from_secs(20)).expect("a write");
        for number in 0..QUEUE + 3 {
            console.show(format!("line {number}"));
        }
        drop(release);
        // The queue is full until the thread gets going.
        while console.queue.try_send(Message::Line("last".to_owned())).is_err() {
            tokio::task::yield_now().await;
        }
        let (all, done) = oneshot::channel();
        console.queue.send(Message::Written(all)).expect("the thread still runs");
        tokio::time::timeout(Duration::from_secs(20), done).await.expect("in time").expect("written");
        let text = String::from_utf8(written.lock().expect("no panic").clone()).expect("UTF-8");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"first"));
        assert_eq!(lines.get(1), Some(&"… 3 lines left out: they came faster than this place takes them"));
        assert_eq!(lines.get(2), Some(&"line 0"));
        assert_eq!(lines.last(), Some(&"last"));
        assert_eq!(lines.len(), QUEUE + 3);
    }
}
