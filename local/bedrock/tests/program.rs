//! The program `local-bedrock` itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{net::TcpListener, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// Runs a program that must refuse to start; one that serves instead is ended.
async fn program(options: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-bedrock"));
    let ended = command.args(options).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(Duration::from_secs(10), ended).await.expect("it does not end").unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (success, complaint) = program(&["--port", &port]).await;
    assert!(!success);
    assert!(complaint.contains(&port) && complaint.contains("--port"), "{complaint}");
}

#[tokio::test]
async fn an_unknown_fault_is_refused_with_the_list() {
    let (success, complaint) = program(&["--fault", "gremlins"]).await;
    assert!(!success);
    assert!(complaint.contains("`gremlins` is no fault; the faults are throttle, not-ready, 500"), "{complaint}");
}
