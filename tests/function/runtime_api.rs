//! A Runtime API that a test plays by hand: it sees every request of the function as it comes, and may answer it
//! in ways that the stand-in for Lambda never would.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::app::{PROFILE, binary};
use crate::sse::PATIENCE;

/// The function's process, and the requests it makes.
pub struct RuntimeApi {
    process: Child,
    requests: UnboundedReceiver<Request>,
    sender: UnboundedSender<Request>,
    logs: UnboundedReceiver<String>,
}

/// A request whose head is read, and the connection that it came on.
pub struct Request {
    head: String,
    body: Vec<u8>,
    connection: TcpStream,
}

impl RuntimeApi {
    /// Starts the function with these variables beside the ones that it cannot do without.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let mut process = Command::new(binary())
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("MODEL_ID", PROFILE)
            // Nobody is there, and AWS itself is not to be asked.
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the function");
        let (sender, requests) = unbounded_channel();
        let accepted = sender.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(read_head(connection, accepted.clone()));
            }
        });
        let (lines, logs) = unbounded_channel();
        let stdout = process.stdout.take().expect("a pipe");
        tokio::spawn(async move {
            let mut read = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = read.next_line().await {
                let _ = lines.send(line);
            }
        });
        Self { process, requests, sender, logs }
    }

    /// The function's next request, on whichever connection.
    pub async fn request(&mut self) -> Request {
        timeout(PATIENCE, self.requests.recv()).await.expect("no request").expect("a request")
    }

    /// Waits for the function to poll, and hands it an invocation.
    pub async fn invoke(&mut self, request_id: &str, event: &Value) {
        let poll = self.poll().await;
        self.hand(poll, request_id, event).await;
    }

    /// Waits for the function to poll.
    pub async fn poll(&mut self) -> Request {
        let poll = self.request().await;
        assert_eq!(poll.line(), "GET /2018-06-01/runtime/invocation/next HTTP/1.1");
        poll
    }

    /// Answers a poll with an invocation that may take a minute.
    pub async fn hand(&self, poll: Request, request_id: &str, event: &Value) {
        self.hand_for(Duration::from_secs(60), poll, request_id, event).await;
    }

    /// Answers a poll with an invocation that may take so long.
    pub async fn hand_for(&self, timeout: Duration, poll: Request, request_id: &str, event: &Value) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let deadline = (now + timeout).as_millis();
        let headers = format!(
            "lambda-runtime-aws-request-id: {request_id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:bro-buddy\r\n\
             lambda-runtime-invocation-id: i-{request_id}\r\nlambda-runtime-trace-id: Root={request_id}\r\n"
        );
        self.answer(poll, "200 OK", &headers, &event.to_string()).await;
    }

    /// Answers a request and waits for the next one on its connection.
    pub async fn answer(&self, mut request: Request, status: &str, headers: &str, body: &str) {
        let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        request.connection.write_all(answer.as_bytes()).await.expect("a connection");
        tokio::spawn(read_head(request.connection, self.sender.clone()));
    }

    /// The function's next log line.
    pub async fn log_line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.logs.recv()).await.expect("no log line").expect("the log is closed");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next record; other log lines before it are passed over.
    pub async fn record(&mut self) -> Value {
        self.log_line_with("_aws").await
    }

    /// The next log line with such a message.
    pub async fn log_line_that(&mut self, message: &str) -> Value {
        loop {
            let line = self.log_line().await;
            if line["message"] == message {
                return line;
            }
        }
    }

    /// The next log line that has such a field.
    pub async fn log_line_with(&mut self, field: &str) -> Value {
        loop {
            let line = self.log_line().await;
            if line.get(field).is_some() {
                return line;
            }
        }
    }

    /// Stops the process, as Lambda does between two invocations.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.process_id().try_into().expect("a small number")).expect("not zero");
        kill_process(id, signal).expect("a signal");
    }

    pub fn process_id(&self) -> u32 {
        self.process.id().expect("a process")
    }

    /// How the process ended.
    pub async fn exit(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.expect("it runs on").expect("a status")
    }

    /// Whether the function has asked for anything that no test has looked at.
    pub fn is_silent(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }
}

impl Request {
    /// Method, path and version.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// A header's value; the function writes their names in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body of a request with a content length, as JSON.
    pub async fn json(&mut self) -> Value {
        let length: usize = self.header("content-length").and_then(|text| text.parse().ok()).expect("a length");
        while self.body.len() < length {
            assert!(self.read().await > 0, "half a body");
        }
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Reads until the body holds `text`.
    pub async fn until(&mut self, text: &str) {
        while !self.body.windows(text.len()).any(|window| window == text.as_bytes()) {
            assert!(self.read().await > 0, "the end, before {text:?}");
        }
    }

    /// Reads to the end of a chunked body, which must hold `text`.
    pub async fn read_to_end_with(&mut self, text: &str) {
        self.until(text).await;
        self.until("\r\n0\r\n\r\n").await;
    }

    /// Reads to the end of a chunked body of any size, and keeps none of it.
    pub async fn drain(&mut self) {
        const END: &[u8] = b"\r\n0\r\n\r\n";
        while !self.body.ends_with(END) {
            self.body.drain(..self.body.len().saturating_sub(END.len()));
            assert!(self.read().await > 0, "the end, before the last chunk");
        }
    }

    async fn read(&mut self) -> usize {
        timeout(PATIENCE, self.connection.read_buf(&mut self.body)).await.expect("silence").expect("a connection")
    }
}

/// Reads the head of one request, and whatever came with it. A connection that ends instead is of no interest.
async fn read_head(mut connection: TcpStream, requests: UnboundedSender<Request>) {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = read.split_off(end + 4);
            let head = String::from_utf8_lossy(&read).into_owned();
            let _ = requests.send(Request { head, body, connection });
            return;
        }
        if !matches!(connection.read_buf(&mut read).await, Ok(1..)) {
            return;
        }
    }
}

/// A function URL's event.
pub fn event(method: &str, path: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method}, "timeEpoch": 1_700_000_000_000_u64},
        "body": body, "isBase64Encoded": false
    })
}
