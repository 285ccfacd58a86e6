//! What does not start, and what is then said.

use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::{FUNCTION, VIEWER_REQUEST, refusal, within};

#[tokio::test]
async fn an_option_that_nothing_would_use_is_an_error() {
    for (arguments, words) in [
        (&["--api-key", "key-of-alice"][..], "--api-key needs --access public or --access cloudfront"),
        (&["--api-key", "key-of-alice", "--access", "iam"], "--api-key needs"),
        (&["--viewer-request", VIEWER_REQUEST, "--access", "public"], "--viewer-request needs --access cloudfront"),
        (&["--api-key", "", "--access", "public"], "a value is required for '--api-key <KEY>'"),
        (&["--access", "cloudfront", "--viewer-request", "no/such.js"], "no/such.js"),
    ] {
        let message = refusal(&[&["--function", FUNCTION], arguments].concat()).await;
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_bro-stack"))
        .args(["--scripted", "--function", FUNCTION, "--port", &port])
        .kill_on_drop(true)
        .output();
    let output = within("the end of the stack", output).await.expect("output");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert!(message.contains(&port) && message.contains("--port"), "{message}");
}

#[tokio::test]
async fn a_function_that_is_not_built_is_an_error_that_says_how() {
    let message = refusal(&["--function", "no/such/bro-buddy"]).await;
    assert!(message.contains("no/such/bro-buddy"), "{message}");
    assert!(message.contains("cargo build --release -p bro-buddy"), "{message}");
}

#[tokio::test]
async fn an_unknown_fault_is_an_error_that_lists_the_faults() {
    let message = refusal(&["--function", FUNCTION, "--fault", "earthquake"]).await;
    assert!(message.contains("earthquake") && message.contains("throttle"), "{message}");
}
