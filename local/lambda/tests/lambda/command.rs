//! The `local-lambda` command.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{TEST_FUNCTION, gone, within};

struct Running {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

async fn running(arguments: &[&str]) -> Running {
    let mut process = Command::new(env!("CARGO_BIN_EXE_local-lambda"))
        .args(["--port", "0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the command");
    let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
    let line = within("the first line", output.next_line()).await.expect("output").expect("a line");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    Running { process, output, address }
}

impl Running {
    async fn get(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).await.expect("a connection");
        let request = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut response = String::new();
        within("the response", stream.read_to_string(&mut response)).await.expect("a response");
        response.split_once("\r\n\r\n").expect("a head").1.to_owned()
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("a signal");
    }
}

#[tokio::test]
async fn ctrl_c_ends_the_functions_and_is_no_failure() {
    let mut command = running(&["--env", "GREETING=yo", "--", TEST_FUNCTION, "child"]).await;
    let processes = command.get().await;
    command.signal(Signal::INT);
    let status = within("the end", command.process.wait()).await.expect("a status");
    assert!(status.success(), "{status}");
    for process in processes.split(' ') {
        gone(process).await;
    }
}

#[tokio::test]
async fn the_functions_die_with_a_stand_in_that_is_killed() {
    let mut command = running(&["--", TEST_FUNCTION, "child"]).await;
    let processes = command.get().await;
    command.signal(Signal::KILL);
    within("the end", command.process.wait()).await.expect("a status");
    for process in processes.split(' ') {
        gone(process).await;
    }
}

#[tokio::test]
async fn variables_memory_and_time_out_reach_the_function() {
    let arguments = ["--env", "GREETING=yo", "--memory", "512", "--", TEST_FUNCTION, "environment"];
    let mut command = running(&arguments).await;
    let environment: serde_json::Value = serde_json::from_str(&command.get().await).expect("JSON");
    assert_eq!(environment["GREETING"], "yo");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    let line = within("the cold start", command.output.next_line()).await.expect("output").expect("a line");
    assert!(line.contains("cold start"), "{line}");
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let command =
        Command::new(env!("CARGO_BIN_EXE_local-lambda")).args(["--port", &port, "--", TEST_FUNCTION, "echo"]).output();
    let output = within("the end", command).await.expect("output");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains(&format!("127.0.0.1:{port}")) && message.contains("--port"), "{message}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_and_no_address_is_printed() {
    let command =
        Command::new(env!("CARGO_BIN_EXE_local-lambda")).args(["--port", "0", "--", "/no/such/function"]).output();
    let output = within("the end", command).await.expect("output");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/function"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[tokio::test]
async fn settings_that_aws_would_refuse_are_refused_at_the_start() {
    for (arguments, words) in [
        (&["--cors", r#"{"AllowMethods":["OPTIONS"]}"#][..], "the URL answers OPTIONS without being told"),
        (&["--auth", "aws-iam"], "--access-key"),
        (&["--auth", "aws-iam", "--access-key", "no secret"], "ID:SECRET"),
        (&["--platform-logs"], "--log-file"),
    ] {
        let command = Command::new(env!("CARGO_BIN_EXE_local-lambda"))
            .args(["--port", "0"])
            .args(arguments)
            .args(["--", TEST_FUNCTION, "echo"])
            .output();
        let output = within("the end", command).await.expect("output");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
}
