//! The program `local-bedrock` itself.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{net::TcpListener, process::Command};

fn program(options: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_local-bedrock")).args(options).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (success, complaint) = program(&["--port", &port]);
    assert!(!success);
    assert!(complaint.contains(&port) && complaint.contains("--port"), "{complaint}");
}

#[test]
fn an_unknown_fault_is_refused_with_the_list() {
    let (success, complaint) = program(&["--fault", "gremlins"]);
    assert!(!success);
    assert!(complaint.contains("`gremlins` is no fault; the faults are throttle, not-ready, 500"), "{complaint}");
}
