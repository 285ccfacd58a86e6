//! A running stack, requests to it, and waits that end with words.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use http::Request;
use local_signature::{Credentials, sign};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

pub(crate) const FUNCTION: &str = env!("CARGO_BIN_EXE_stack-test-function");
pub(crate) const VIEWER_REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/viewer-request.js");

/// Waits for what must happen soon, and says what did not.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what}: not within {limit:?}"))
}

/// The command, on a free port.
pub(crate) fn stack(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-stack"));
    command.args(["--port", "0"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running stack and the facts it has printed.
pub(crate) struct Stack {
    pub(crate) process: Child,
    pub(crate) output: Lines<BufReader<ChildStdout>>,
    pub(crate) facts: BTreeMap<String, String>,
    /// Where the stack keeps what it was given no place for.
    pub(crate) temporary: tempfile::TempDir,
}

impl Stack {
    /// Starts it over the test function, with scripted replies, and reads its facts.
    pub(crate) async fn running(behaviour: &str, arguments: &[&str]) -> Self {
        let behaviour = format!("BEHAVIOUR={behaviour}");
        let temporary = tempfile::tempdir().expect("a directory");
        let mut command = stack(&["--scripted", "--function", FUNCTION, "--env", &behaviour]);
        let mut process = command.args(arguments).env("TMPDIR", temporary.path()).spawn().expect("the stack");
        let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut facts = BTreeMap::new();
        while !facts.contains_key("stop") {
            let line = within("the facts", output.next_line()).await.expect("output").expect("a line");
            if let Some((name, value)) = line.trim_start().split_once(' ') {
                facts.insert(name.to_owned(), value.trim().to_owned());
            }
        }
        Self { process, output, facts, temporary }
    }

    pub(crate) fn url(&self) -> &str {
        let url = self.facts["open"].strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
        url.expect("a URL that a browser opens")
    }

    pub(crate) async fn get(&self) -> String {
        get(self.url()).await
    }

    pub(crate) async fn stop(&mut self, signal: Signal) {
        let id = self.process.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("a signal");
        let status = within("the end of the stack", self.process.wait()).await.expect("a status");
        assert!(status.success(), "{status}");
    }
}

/// The body that `GET /` has for an answer.
pub(crate) async fn get(address: &str) -> String {
    exchange(address, &format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")).await
}

/// The body of the answer to `request`.
pub(crate) async fn exchange(address: &str, request: &str) -> String {
    answer(address, request).await.1
}

/// Status and body of the answer to `request`.
pub(crate) async fn answer(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut response = String::new();
    within("the response", stream.read_to_string(&mut response)).await.expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).expect("a status").to_owned(), body.to_owned())
}

/// A `GET /` that is signed for the function URL.
pub(crate) fn signed(address: &str, id: &str, secret: &str) -> String {
    let (mut head, ()) = Request::get("/").header("host", address).body(()).expect("a request").into_parts();
    let caller = Credentials::new(id, secret, None, None, "test");
    sign(&mut head, b"", &caller, "us-east-1", "lambda", SystemTime::now()).expect("signed");
    raw("GET / HTTP/1.1\r\nconnection: close\r\n", &head.headers)
}

/// A request as it is sent: `beginning`, then `headers`.
pub(crate) fn raw(beginning: &str, headers: &http::HeaderMap) -> String {
    let mut request = beginning.to_owned();
    for (name, value) in headers {
        request += &format!("{name}: {}\r\n", value.to_str().expect("ASCII"));
    }
    request + "\r\n"
}

/// What the stack says when it does not start.
pub(crate) async fn refusal(arguments: &[&str]) -> String {
    let output = stack(arguments).arg("--scripted").output();
    let output = within("the end of the stack", output).await.expect("output");
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}
