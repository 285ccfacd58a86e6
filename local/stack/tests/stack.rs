//! The `bro-stack` command with a test function in place of Bro-Buddy.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test panics")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use http::Request;
use local_signature::{Credentials, sign};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};

const FUNCTION: &str = env!("CARGO_BIN_EXE_stack-test-function");
const VIEWER_REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/viewer-request.js");

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what}: not within {limit:?}"))
}

fn stack(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-stack"));
    command.args(["--port", "0"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running stack and the facts it has printed.
struct Stack {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    facts: BTreeMap<String, String>,
    /// Where the stack keeps what it was given no place for.
    temporary: tempfile::TempDir,
}

impl Stack {
    async fn running(behaviour: &str, arguments: &[&str]) -> Self {
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

    fn url(&self) -> &str {
        let url = self.facts["open"].strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
        url.expect("a URL that a browser opens")
    }

    async fn get(&self) -> String {
        get(self.url()).await
    }

    async fn stop(&mut self, signal: Signal) {
        let id = self.process.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("a signal");
        let status = within("the end of the stack", self.process.wait()).await.expect("a status");
        assert!(status.success(), "{status}");
    }
}

/// The body that `GET /` has for an answer.
async fn get(address: &str) -> String {
    exchange(address, &format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")).await
}

/// The body of the answer to `request`.
async fn exchange(address: &str, request: &str) -> String {
    answer(address, request).await.1
}

/// Status and body of the answer to `request`.
async fn answer(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut response = String::new();
    within("the response", stream.read_to_string(&mut response)).await.expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).expect("a status").to_owned(), body.to_owned())
}

/// A `GET /` that is signed for the function URL.
fn signed(address: &str, id: &str, secret: &str) -> String {
    let (mut head, ()) = Request::get("/").header("host", address).body(()).expect("a request").into_parts();
    let caller = Credentials::new(id, secret, None, None, "test");
    sign(&mut head, b"", &caller, "us-east-1", "lambda", SystemTime::now()).expect("signed");
    raw("GET / HTTP/1.1\r\nconnection: close\r\n", &head.headers)
}

fn raw(beginning: &str, headers: &http::HeaderMap) -> String {
    let mut request = beginning.to_owned();
    for (name, value) in headers {
        request += &format!("{name}: {}\r\n", value.to_str().expect("ASCII"));
    }
    request + "\r\n"
}

/// Waits until a process has ended; the kernel says when.
async fn gone(process: &str) {
    let process = process.parse().ok().and_then(Pid::from_raw).expect("a process id");
    // An error means that there is no such process any more.
    let Ok(process) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
    let ended = tokio::task::spawn_blocking(move || poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)));
    assert_eq!(ended.await.expect("no panic"), Ok(1), "a process did not end");
}

#[tokio::test]
async fn the_function_is_told_its_model_and_where_bedrock_is() {
    let stack = Stack::running("environment", &["--env", "EXTRA=yes"]).await;
    let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
    assert_eq!(
        environment["MODEL_ID"],
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.local.scripted-v1:0"
    );
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "bro-buddy");
    assert_eq!(environment["EXTRA"], "yes");
    let bedrock = environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].as_str().expect("an address");
    let answer = get(bedrock.strip_prefix("http://").expect("no TLS")).await;
    assert!(answer.to_lowercase().contains("message"), "an error document of Bedrock's: {answer}");
}

#[tokio::test]
async fn bedrock_answers_the_functions_role_alone() {
    let stack = Stack::running("environment", &[]).await;
    let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
    let variable = |name: &str| environment[name].as_str().expect("a variable").to_owned();
    let bedrock = variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME").strip_prefix("http://").expect("no TLS").to_owned();
    let ask = async |secret: &str| {
        let request = Request::post("/model/us.local.scripted-v1%3A0/converse-stream").header("host", &bedrock);
        let (mut head, ()) = request.body(()).expect("a request").into_parts();
        let token = Some(variable("AWS_SESSION_TOKEN"));
        let role = Credentials::new(variable("AWS_ACCESS_KEY_ID"), secret, token, None, "test");
        sign(&mut head, b"{}", &role, &variable("AWS_REGION"), "bedrock", SystemTime::now()).expect("signed");
        let beginning = format!("POST {} HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n", head.uri);
        exchange(&bedrock, &(raw(&beginning, &head.headers) + "{}")).await
    };
    let answer = ask(&variable("AWS_SECRET_ACCESS_KEY")).await;
    assert!(answer.contains("must start with a user message"), "{answer}");
    let answer = ask("guess").await;
    assert!(answer.contains("The request signature we calculated does not match"), "{answer}");
}

/// `printf '{}' | sha256sum`.
const HASH: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
/// Of `key-of-alice`.
const DIGEST: &str = "local:d16a80956c32f3f5fb979bea408abac8c3eef6c54ecb234279e337146cf87b47";

#[tokio::test]
async fn the_function_wants_a_key_where_the_world_can_reach_it() {
    for (access, wanted) in [
        (&["--access", "open"][..], None),
        (&["--access", "public", "--api-key", "key-of-alice"], Some(DIGEST)),
        (&["--access", "cloudfront", "--api-key", "key-of-alice", "--viewer-request", VIEWER_REQUEST], Some(DIGEST)),
    ] {
        let stack = Stack::running("environment", access).await;
        let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
        assert_eq!(environment["API_KEY_SHA256"].as_str(), wanted, "{access:?}");
        assert_eq!(environment["REQUIRE_API_KEY"].as_str(), wanted.map(|_| "true"), "{access:?}");
        assert_eq!(stack.facts.get("key").map(String::as_str), wanted.map(|_| "key-of-alice"), "{access:?}");
    }
}

#[tokio::test]
async fn only_who_signs_as_the_screen_says_is_let_in_under_iam() {
    let stack = Stack::running("environment", &["--access", "iam"]).await;
    let said: BTreeMap<_, _> = stack.facts["sign"].split(' ').filter_map(|pair| pair.split_once('=')).collect();
    let (id, secret) = (said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(said["AWS_REGION"], "us-east-1");
    let url = stack.url();
    let unsigned = format!("GET / HTTP/1.1\r\nhost: {url}\r\nconnection: close\r\n\r\n");
    assert_eq!(answer(url, &unsigned).await.0, "403");
    assert_eq!(answer(url, &signed(url, id, "guess")).await.0, "403");
    let (status, body) = answer(url, &signed(url, id, secret)).await;
    assert_eq!(status, "200");
    let environment: Value = serde_json::from_str(&body).expect("JSON");
    assert!(environment["REQUIRE_API_KEY"].is_null(), "who signs needs no key");
}

#[tokio::test]
async fn behind_the_edge_the_functions_own_url_lets_in_nobody_else() {
    let stack = Stack::running("environment", &["--access", "cloudfront", "--viewer-request", VIEWER_REQUEST]).await;
    let origin = stack.facts["origin"].strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL").0;
    let unsigned = format!("GET / HTTP/1.1\r\nhost: {origin}\r\nconnection: close\r\n\r\n");
    assert_eq!(answer(origin, &unsigned).await.0, "403");
    assert_eq!(answer(origin, &signed(origin, "AKIALOCALCALLER00000", "local-caller-secret")).await.0, "403");
    assert!(stack.facts["key"].len() > 32, "one UUID has 122 random bits, a key 128 or more: {:?}", stack.facts);
    assert_eq!(answer(stack.url(), &unsigned).await.0, "200");
    let post = |hash: &str| {
        format!("POST / HTTP/1.1\r\nhost: edge\r\n{hash}connection: close\r\ncontent-length: 2\r\n\r\n{{}}")
    };
    assert_eq!(answer(stack.url(), &post("")).await.0, "403", "without the hash of its body");
    assert_eq!(answer(stack.url(), &post(&format!("x-amz-content-sha256: {HASH}\r\n"))).await.0, "200");
}

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
async fn the_screen_says_what_runs_and_the_file_has_the_functions_lines() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path");
    let arguments = ["--log-file", path, "--fault", "throttle", "--ttft", "5", "--gap", "1", "--tokens", "7"];
    let mut stack = Stack::running("exit-in-init", &arguments).await;
    assert_eq!(stack.facts["model"], "none: 7 scripted tokens, the first after 5 ms, then one every 1 ms");
    assert_eq!(stack.facts["fault"], "throttle: every request to Bedrock");
    assert_eq!(stack.facts["log"], path);
    assert_eq!(stack.facts["stop"], "Ctrl-C");

    assert_eq!(stack.get().await, "Internal Server Error");
    let mut seen = String::new();
    while !seen.contains("exit status: 3") {
        seen += &within("the reason", stack.output.next_line()).await.expect("output").expect("a line");
    }
    assert!(seen.contains("no configuration"), "{seen}");
    assert!(!seen.contains('\u{1b}'), "no styles where there is no terminal: {seen}");
    // Lambda tries a failed initialisation once more.
    assert_eq!(std::fs::read_to_string(path).expect("the file"), "no configuration\n".repeat(2));
}

#[tokio::test]
async fn without_a_log_file_named_there_is_a_new_one() {
    let mut stack = Stack::running("log", &[]).await;
    let log = std::path::PathBuf::from(&stack.facts["log"]);
    assert!(log.starts_with(stack.temporary.path()), "{log:?}");
    stack.stop(Signal::TERM).await;
    assert_eq!(std::fs::read_to_string(log).expect("a file that stays after the run"), "");
}

#[tokio::test]
async fn ctrl_c_ends_every_child_and_is_no_failure() {
    let mut stack = Stack::running("child", &[]).await;
    let children = stack.get().await;
    assert_eq!(children.split(' ').count(), 2, "{children}");
    stack.stop(Signal::INT).await;
    for child in children.split(' ') {
        gone(child).await;
    }
}

#[tokio::test]
async fn ctrl_c_ends_it_while_a_request_is_under_way() {
    let mut stack = Stack::running("hang", &[]).await;
    let mut client = TcpStream::connect(stack.url()).await.expect("a connection");
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("a request");
    let mut line = String::new();
    while !line.contains("cold start") {
        line = within("the sandbox", stack.output.next_line()).await.expect("output").expect("a line");
    }
    stack.stop(Signal::INT).await;
}

/// What the stack says when it does not start.
async fn refusal(arguments: &[&str]) -> String {
    let output = stack(arguments).arg("--scripted").output();
    let output = within("the end of the stack", output).await.expect("output");
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
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

#[tokio::test]
async fn the_control_port_is_shown_and_switches_bedrocks_faults() {
    let arguments = ["--control-port", "0", "--network", "latency:latency=1", "--network", "slow_close:delay=1"];
    let stack = Stack::running("pid", &arguments).await;
    assert_eq!(stack.facts["network"], "latency:latency=1,jitter=0 slow_close:delay=1");
    let (address, path) =
        stack.facts["control"].strip_prefix("http://").expect("a URL").split_once('/').expect("a path");
    assert_eq!(path, "faults");
    let request = |method: &str, body: &str| {
        let length = body.len();
        format!(
            "{method} /faults HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let answer = exchange(address, &request("PUT", r#"{"fault": "stall@2"}"#)).await;
    let state: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(state["standing"], "stall@2");
}

#[cfg(feature = "real-model")]
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

#[cfg(feature = "real-model")]
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

#[cfg(feature = "real-model")]
#[tokio::test]
async fn a_model_that_was_asked_for_and_cannot_be_used_is_an_error() {
    let output = stack(&["--function", FUNCTION, "--model", "no/such/model.gguf"]).output();
    let output = within("the end of the stack", output).await.expect("output");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert!(message.contains("no/such/model.gguf"), "{message}");
}
