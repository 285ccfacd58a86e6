//! The program `local-bedrock` itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{net::TcpListener, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::Command,
    time::timeout,
};

/// Runs a program that must refuse to start; one that serves instead is ended.
async fn program(options: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-bedrock"));
    let ended = command.args(options).env_clear().stdin(Stdio::null()).kill_on_drop(true).output();
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

#[tokio::test]
async fn the_help_lists_every_fault() {
    let output = Command::new(env!("CARGO_BIN_EXE_local-bedrock")).arg("--help").stdin(Stdio::null()).output();
    let output = timeout(Duration::from_secs(10), output).await.expect("it does not end").unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for group in local_bedrock::FaultGroup::ALL {
        for entry in group.entries() {
            assert!(help.contains(&format!("{}{}", entry.name(), entry.parameters())), "{}: {help}", entry.name());
        }
    }
    for entry in local_bedrock::NetworkFaultEntry::ALL {
        assert!(help.contains(&entry.form()), "{}: {help}", entry.name());
    }
}

#[tokio::test]
async fn the_control_port_is_printed_behind_bedrocks_own() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-bedrock"));
    command.args(["--control-port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut line =
        async || timeout(Duration::from_secs(10), lines.next_line()).await.expect("no line").unwrap().unwrap();
    assert!(line().await.starts_with("http://127.0.0.1:"));
    let control = line().await;
    let address = control.strip_prefix("control: http://").unwrap().strip_suffix("/faults").unwrap();
    assert!(TcpStream::connect(address).await.is_ok(), "{control}");
}

#[tokio::test]
async fn a_key_without_its_secret_is_refused() {
    let (success, complaint) = program(&["--access-key-id", "AKID"]).await;
    assert!(!success);
    assert!(complaint.contains("--secret-access-key"), "{complaint}");
}
