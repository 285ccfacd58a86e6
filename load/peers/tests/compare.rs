//! The whole comparison in seconds: two arms that need nothing installed, through the command line.

use std::io;
use std::process::{Command, Output};

use serde_json::{Value, json};

const FLOOR: &str = env!("CARGO_BIN_EXE_floor");

fn compare(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_compare"))
        .env("BRO_BUDDY_BIN", "/no/such/function")
        .args(["--rounds", "1", "--requests", "3", "--load-rounds", "1", "--load-time", "500ms", "--levels", "2"])
        .args(["--starts", "1", "--stage", "3"])
        .args(arguments)
        .output()
}

#[test]
fn every_part_gives_figures_of_both_arms_and_no_verdict_on_what_was_not_measured() {
    let json = std::env::temp_dir().join(format!("compare-{}.json", std::process::id()));
    let output = compare(&[
        "--arms",
        "direct,floor",
        "--floor",
        FLOOR,
        "--require-targets",
        "--json",
        json.to_str().expect("a path"),
    ])
    .expect("the comparison");
    let (markdown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "no target was measured\n{said}");
    assert!(markdown.contains("| added TTFT less the floor's, p50 | ≤ 0.3 ms | – | – | not measured |"), "{markdown}");

    let document: Value = serde_json::from_slice(&std::fs::read(&json).expect("figures")).expect("JSON");
    std::fs::remove_file(&json).expect("the file");
    for arm in ["direct", "floor"] {
        let latency = &document["latency"][arm];
        assert_eq!((&latency["requests"], &latency["failed"]), (&json!(3), &json!(0)), "{latency}");
        assert_eq!(latency["ttft_ms"]["p99"], Value::Null, "of three requests");
        // The pace is the model's in both arms.
        assert!(latency["gap_ms"]["p50"].as_f64().is_some_and(|gap| gap > 4.0), "{latency}");
        let level = &document["load"][arm][0];
        let tokens = level["tokens_per_second"].as_f64().zip(level["requests_per_second"].as_f64());
        let tokens = tokens.map(|(tokens, requests)| tokens / requests);
        assert!(tokens.is_some_and(|tokens| (tokens - 60.0).abs() < 1e-6), "tokens of a reply: {level}");
    }
    assert_eq!(document["start"]["floor"]["starts"], json!(1));
    assert_eq!(document["endurance"]["floor"]["requests"], json!(30));
}

#[cfg(unix)]
#[test]
fn what_was_measured_is_written_when_a_later_part_fails() {
    use std::os::unix::fs::PermissionsExt;

    // Its first process, that of the latency, is the floor; all others end at once.
    let folder = std::env::temp_dir().join(format!("compare-once-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    let once = folder.join("once");
    let script = format!("#!/bin/sh\nmkdir \"$0.started\" && exec '{FLOOR}'\nexit 1\n");
    std::fs::write(&once, script).expect("a script");
    std::fs::set_permissions(&once, std::fs::Permissions::from_mode(0o755)).expect("a program");

    let once = once.to_str().expect("a path");
    let output =
        compare(&["--arms", "direct,floor", "--parts", "latency,start", "--floor", once]).expect("the comparison");
    std::fs::remove_dir_all(&folder).expect("the folder");
    let (markdown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("compare: floor: none of 1 requests came to a whole reply"), "{said}");
    assert!(markdown.contains("| floor | 3 | 0 |"), "{markdown}");
}
