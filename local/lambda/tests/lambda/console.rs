//! Where a function's log lines go.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::support::{Lambda, behaving};

const RECORD: &str = concat!(
    r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"BroBuddy","Dimensions":[[]],"#,
    r#""Metrics":[{"Name":"TimeToFirstToken","Unit":"Milliseconds"}]}]},"#,
    r#""mode":"bro","stop_reason":"end_turn","TimeToFirstToken":812.4}"#
);

#[tokio::test]
async fn a_metric_record_is_one_short_line_for_people_and_unchanged_in_the_file() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_owned();
    let mut lambda = Lambda::with(behaving("log"), |config| config.log_file(path)).await;
    assert_eq!(lambda.post(RECORD).await.text().await, "logged");

    assert_eq!(lambda.console("ttft").await, "✓ bro end_turn · ttft 812 ms");
    let mut lines = [lambda.line().await, lambda.line().await];
    lines.sort();
    assert_eq!(lines, ["to stderr", RECORD]);
    lambda.stop().await;

    let written = std::fs::read_to_string(file.path()).expect("the file");
    let mut written: Vec<_> = written.lines().collect();
    written.sort_unstable();
    assert_eq!(written, ["to stderr", RECORD]);
}

#[tokio::test]
async fn escape_sequences_reach_the_file_and_not_the_terminal() {
    let mut lambda = Lambda::running("log").await;
    lambda.post("\u{1b}[2Jcleared\u{7} screen").await.text().await;
    assert_eq!(lambda.console("cleared").await, "cleared screen");
    let lines = [lambda.line().await, lambda.line().await];
    assert!(lines.contains(&"\u{1b}[2Jcleared\u{7} screen".to_owned()), "{lines:?}");
    lambda.stop().await;
}

#[tokio::test]
async fn the_file_is_appended_to() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "from before\n").expect("a write");
    let path = file.path().to_owned();
    let mut lambda = Lambda::with(behaving("log"), |config| config.log_file(path)).await;
    lambda.post("plain words").await.text().await;
    lambda.console("plain words").await;
    lambda.console("to stderr").await;
    lambda.stop().await;
    let written = std::fs::read_to_string(file.path()).expect("the file");
    assert!(written.starts_with("from before\n"), "{written}");
    assert!(written.contains("plain words\n"), "{written}");
}

#[tokio::test]
async fn a_cold_start_is_shown_once_per_sandbox() {
    let mut lambda = Lambda::running("pid").await;
    lambda.get("/").await.text().await;
    lambda.get("/").await.text().await;
    let line = lambda.console("cold start").await;
    assert!(line.starts_with("sandbox 1 · cold start ") && line.ends_with(" ms"), "{line}");
    assert!(!lambda.stop().await.console.iter().any(|line| line.contains("cold start")));
}

/// A stopped terminal: says that it was written to, and takes nothing until the test ends.
struct Stopped {
    written_to: Sender<()>,
    end: Receiver<()>,
}

impl Write for Stopped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.written_to.send(());
        let _ = self.end.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_stopped_terminal_holds_nobody_up() {
    let ((written_to, first_write), (_test, end)) = (channel(), channel());
    let mut lambda = Lambda::with(behaving("log"), |config| config.console(Stopped { written_to, end })).await;
    for _ in 0..3 {
        assert_eq!(lambda.post("words").await.text().await, "logged");
        lambda.line().await;
        lambda.line().await;
    }
    first_write.recv_timeout(Duration::from_secs(20)).expect("the terminal was written to");
    lambda.stop().await;
}
