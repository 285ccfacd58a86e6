//! The program as people and CI run it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Server, Step, done, end, head, reply, token, tokens_at_once};

fn bro_load(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-load"));
    command.args(arguments).env_remove("BRO_LOAD_API_KEY").output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_run_prints_its_table_and_ends_with_0() {
    let server = Server::always(reply());
    let output = bro_load(&[&server.url(), "--requests", "3"]);
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    for line in ["3 done, 0 failed", "first token, TTFT", "p99.9", "cannot be told"] {
        assert!(table.contains(line), "{line} in {table}");
    }
}

#[test]
fn json_goes_to_standard_output_alone_and_keeps_to_its_schema() {
    let server = Server::always(reply());
    let output = bro_load(&[&server.url(), "-n", "2", "--json", "-", "--fail-if", "errors>0", "--mode", "zen"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((status(&output), &report["schema"]), (0, &Value::from("bro-load/1")));
    assert_eq!((&report["requests"]["done"], &report["runs"][0]["mode"]), (&Value::from(2), &Value::from("zen")));
    assert_eq!(report["thresholds"][0]["failed"], false);
    let schema: Value = serde_json::from_str(include_str!("../../schema/report.json")).unwrap();
    let errors: Vec<_> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_committed_schema_is_the_programs() {
    let output = bro_load(&["schema"]);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        printed == include_str!("../../schema/report.json"),
        "write it anew: bro-load schema > load/schema/report.json"
    );
}

#[test]
fn a_threshold_that_is_met_ends_with_1() {
    let server = Server::always(vec![head(), token(), Step::Close]);
    let output = bro_load(&[&server.url(), "-n", "2", "--fail-if", "cut_off>0", "--fail-if", "ttft.p99>1s"]);
    assert_eq!(status(&output), 1, "{output:?}");
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(table.contains("FAILED      fail if cut_off>0: measured 2.000"), "{table}");
    assert!(table.contains("FAILED      fail if ttft.p99>1s: nothing was measured"), "{table}");
}

#[test]
fn buffered_replies_end_with_1_where_streaming_is_required() {
    let server = Server::always(vec![head(), Step::Pause(150), tokens_at_once(10), done(), end()]);
    assert_eq!(status(&bro_load(&[&server.url(), "-n", "1"])), 0);
    let output = bro_load(&[&server.url(), "-n", "1", "--require-streaming"]);
    assert_eq!(status(&output), 1);
    assert!(String::from_utf8(output.stdout.clone()).unwrap().contains("NO: replies were held back"), "{output:?}");
    // A reply that is too short proves nothing.
    assert_eq!(status(&bro_load(&[&Server::always(reply()).url(), "-n", "1", "--require-streaming"])), 1);
}

#[test]
fn nobody_there_ends_with_3() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = bro_load(&[&url, "-n", "2", "--fail-if", "errors>0"]);
    assert_eq!(status(&output), 3, "{output:?}");
    assert!(String::from_utf8(output.stdout.clone()).unwrap().contains("2 × no connection"), "{output:?}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_write() {
    let url = "http://127.0.0.1:9";
    for (arguments, advice) in [
        (vec![], "URL"),
        (vec!["localhost:3000"], "http://"),
        (vec![url, "--format", "openai"], "--model"),
        (vec![url, "--model", "m"], "--format openai"),
        (vec![url, "--format", "openai", "--model", "m", "--mode", "zen"], "--format bro-buddy"),
        (vec![url, "--rate", "10..200"], "--duration"),
        (vec![url, "--rate", "0"], "10..200"),
        (vec![url, "--rate", "5", "--concurrency", "2"], "--concurrency"),
        (vec![url, "--duration", "soon"], "30s"),
        (vec![url, "--duration", "0s"], "more than 0s"),
        (vec![url, "--warm-up", "a bit"], "no number of requests"),
        (vec![url, "--fail-if", "ttft>1s"], "METRIC.STATISTIC"),
        (vec![url, "--prompts", "/nowhere/prompts.txt"], "/nowhere/prompts.txt"),
        (vec![url, "--header", "x"], "NAME:VALUE"),
        (vec!["merge"], "<FILE>"),
        (vec!["merge", "/nowhere/a.json"], "/nowhere/a.json"),
    ] {
        let output = bro_load(&arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {output:?}");
        assert!(told(&output).contains(advice), "{arguments:?}: {}", told(&output));
    }
}

#[test]
fn reports_of_several_machines_merge_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let server = Server::always(reply());
    for name in ["a.json", "b.json"] {
        assert_eq!(status(&bro_load(&[&server.url(), "-n", "3", "--json", &file(name)])), 0);
    }
    let (a, b, html) = (file("a.json"), file("b.json"), file("all.html"));
    let arguments = ["merge", &a, &b, "--json", "-", "--html", &html, "--fail-if", "errors>0"];
    let output = bro_load(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((status(&output), report["latency"]["ttft"]["count"].as_u64()), (0, Some(6)));
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(2));
    assert!(std::fs::read_to_string(html).unwrap().contains("<!DOCTYPE html>"));

    std::fs::write(&a, "{}").unwrap();
    let output = bro_load(&["merge", &a, &b]);
    assert_eq!(status(&output), 2);
    assert!(told(&output).contains("a.json is no report"), "{output:?}");
}

#[test]
fn the_key_comes_from_the_environment_and_is_shown_nowhere() {
    let server = Server::always(reply());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-load"));
    let url = server.url();
    let output = command.args([&url, "-n", "1", "--json", "-"]).env("BRO_LOAD_API_KEY", "s3cret").output().unwrap();
    assert!(server.requests()[0].head.contains("x-api-key: s3cret"));
    assert!(!String::from_utf8(output.stdout).unwrap().contains("s3cret"));
    let help = Command::new(env!("CARGO_BIN_EXE_bro-load")).arg("--help").env("BRO_LOAD_API_KEY", "s3cret").output();
    assert!(!String::from_utf8(help.unwrap().stdout).unwrap().contains("s3cret"));
}

#[test]
#[cfg(unix)]
fn ctrl_c_says_what_it_does_the_first_time_and_the_second() {
    let server = Server::start(|_| vec![Step::Hang]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_bro-load"))
        .args([&server.url(), "-d", "50s", "--timeout", "50s", "--drain", "50s"])
        .env_remove("BRO_LOAD_API_KEY")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while server.requests().is_empty() {
        std::thread::yield_now();
    }
    let (tell, told) = std::sync::mpsc::channel();
    let lines = BufReader::new(program.stderr.take().unwrap()).lines();
    // A line of progress may come between.
    let lines = lines.map(Result::unwrap).filter(|line| !line.contains("under way,"));
    std::thread::spawn(move || lines.for_each(|line| drop(tell.send(line))));
    for expected in ["No more requests are started.", "Those under way are given up."] {
        let sentence = (0..10).find_map(|_| {
            // Again where it came in a moment in which nobody listened.
            Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
            told.recv_timeout(Duration::from_secs(2)).ok()
        });
        assert!(sentence.as_ref().is_some_and(|sentence| sentence.starts_with(expected)), "{sentence:?}");
    }
    // Nothing was answered.
    assert_eq!(program.wait().unwrap().code(), Some(3));
}

#[test]
fn a_file_that_cannot_be_written_ends_with_2_before_a_request_is_made() {
    let server = Server::always(reply());
    for option in ["--json", "--html"] {
        let output = bro_load(&[&server.url(), "-n", "1", option, "/nowhere/run"]);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(told(&output).contains("/nowhere/run cannot be written"), "{output:?}");
    }
    assert!(server.requests().is_empty());
}
