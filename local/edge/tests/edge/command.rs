//! The `local-edge` command.

use std::process::{Output, Stdio};

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::support::{Origin, PATIENCE, echoed, serving};

const VIEWER_REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/viewer-request.js");

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-edge"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn refused(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        timeout(PATIENCE, command(arguments).output()).await.expect("an end").expect("output");
    let message = String::from_utf8(stderr).expect("UTF-8");
    assert!(!status.success() && stdout.is_empty(), "{arguments:?}: {message}");
    message
}

#[tokio::test]
async fn it_signs_with_the_access_key_that_the_function_url_knows_and_runs_the_function() {
    let (_stop, stopped) = watch::channel(());
    let origin = format!("http://{}/", serving(Origin::Echoes, stopped).await);
    let arguments =
        ["--port", "0", "--access-key", "ASIAEDGE:secret:token", "--viewer-request", VIEWER_REQUEST, &origin];
    let mut edge = command(&arguments).spawn().expect("the command");
    let mut output = BufReader::new(edge.stdout.take().expect("its output")).lines();
    let line = timeout(PATIENCE, output.next_line()).await.expect("in time").expect("output").expect("a line");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL").to_owned();

    let client = Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let seen = echoed(client.get(&url).header("authorization", "Bearer key-of-alice")).await;
    assert_eq!(seen["headers"]["x-api-key"], "key-of-alice");
    let authorization = seen["headers"]["authorization"].as_str().expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAEDGE/"), "{authorization}");

    let id = edge.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw).expect("a process");
    kill_process(id, Signal::INT).expect("a signal");
    let status = timeout(PATIENCE, edge.wait()).await.expect("an end").expect("a status");
    assert!(status.success(), "Ctrl-C is no failure: {status}");
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_an_address_is_printed() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (origin, key) = ("http://127.0.0.1:9/", ["--access-key", "ID:SECRET"]);
    for (arguments, words) in [
        (&["--port", "0", origin][..], "--access-key <ID:SECRET[:TOKEN]>"),
        (&["--access-key", "no secret", origin], "write it as ID:SECRET"),
        (&[&key[..], &["https://127.0.0.1:9/"]].concat(), "write it as http://HOST:PORT/"),
        (&[&key[..], &["http://127.0.0.1/"]].concat(), "write it as http://HOST:PORT/"),
        (&[&key[..], &["http://127.0.0.1:9/path"]].concat(), "write it as http://HOST:PORT/"),
        (&[&key[..], &["--viewer-request", "no/such.js", origin]].concat(), "no/such.js: No such file"),
        (&[&key[..], &["--viewer-request", "/dev/null", origin]].concat(), "/dev/null: no CloudFront function"),
        (&[&key[..], &["--port", &port, origin]].concat(), "choose another port with --port"),
    ] {
        let message = refused(arguments).await;
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
}
