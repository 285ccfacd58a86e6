//! What the screen says, and what the log file has.

use rustix::process::Signal;

use crate::support::{Stack, within};

#[tokio::test]
async fn the_screen_says_what_runs_and_the_file_has_the_functions_lines() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path");
    let arguments = ["--log-file", path, "--fault", "throttle", "--ttft", "5", "--gap", "1", "--tokens", "7"];
    let mut stack = Stack::running("exit-in-init", &arguments).await;
    assert_eq!(stack.facts["model"], "none: 7 scripted tokens, the first after 5 ms, then one every 1 ms");
    assert_eq!(stack.facts["fault"], "throttle: every request to Bedrock");
    assert_eq!(stack.facts["log"], path);
    assert_eq!(stack.facts["stop"], "Ctrl-C");

    assert_eq!(stack.get().await, "Internal Server Error");
    let mut seen = String::new();
    while !seen.contains("exit status: 3") {
        seen += &within("the reason", stack.output.next_line()).await.expect("output").expect("a line");
    }
    assert!(seen.contains("no configuration"), "{seen}");
    assert!(!seen.contains('\u{1b}'), "no styles where there is no terminal: {seen}");
    // Lambda tries a failed initialisation once more.
    assert_eq!(std::fs::read_to_string(path).expect("the file"), "no configuration\n".repeat(2));
}

#[tokio::test]
async fn without_a_log_file_named_there_is_a_new_one() {
    let mut stack = Stack::running("log", &[]).await;
    let log = std::path::PathBuf::from(&stack.facts["log"]);
    assert!(log.starts_with(stack.temporary.path()), "{log:?}");
    stack.stop(Signal::TERM).await;
    assert_eq!(std::fs::read_to_string(log).expect("a file that stays after the run"), "");
}
