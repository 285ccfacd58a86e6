//! The language model, had or not.

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{FUNCTION, stack, within};

#[tokio::test]
async fn where_the_model_cannot_be_had_the_script_replies_and_the_screen_says_why() {
    let temporary = tempfile::tempdir().expect("a directory");
    let mut command = stack(&["--function", FUNCTION, "--env", "BEHAVIOUR=pid"]);
    // No Python, so no pip, so no model.
    let command = command.env("PATH", temporary.path()).env("XDG_CACHE_HOME", temporary.path());
    let mut process = command.env("TMPDIR", temporary.path()).spawn().expect("the stack");
    let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut seen = String::new();
    while !seen.contains("Ctrl-C") {
        seen += &within("the facts", output.next_line()).await.expect("output").expect("a line");
    }
    assert!(seen.contains("--model PATH.gguf") && seen.contains("none: 60 scripted tokens"), "{seen}");

    let mut warning = String::new();
    let mut errors = BufReader::new(process.stderr.take().expect("its errors"));
    within("the warning", errors.read_line(&mut warning)).await.expect("output");
    assert!(warning.starts_with("warning: no language model: python3 cannot be started"), "{warning}");
}

#[tokio::test]
async fn the_model_computes_on_one_thread_unless_the_environment_says_otherwise() {
    for (told, threads) in [(None, "1"), (Some("2"), "2")] {
        let mut command = stack(&["--scripted", "--function", FUNCTION]);
        match told {
            Some(told) => command.env("CANDLE_NUM_THREADS", told),
            None => command.env_remove("CANDLE_NUM_THREADS"),
        };
        let mut process = command.spawn().expect("the stack");
        let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut line = String::new();
        while !line.contains("Ctrl-C") {
            line = within("the facts", output.next_line()).await.expect("output").expect("a line");
        }
        let id = process.id().expect("it runs");
        let environment = std::fs::read_to_string(format!("/proc/{id}/environ")).expect("its environment");
        let expected = format!("CANDLE_NUM_THREADS={threads}");
        assert!(environment.split('\0').any(|variable| variable == expected), "{expected}");
    }
}

#[tokio::test]
async fn a_model_that_was_asked_for_and_cannot_be_used_is_an_error() {
    let output = stack(&["--function", FUNCTION, "--model", "no/such/model.gguf"]).output();
    let output = within("the end of the stack", output).await.expect("output");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert!(message.contains("no/such/model.gguf"), "{message}");
}
