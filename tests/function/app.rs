//! The whole product on ports of its own, and a client's view of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use local_bedrock::{Credentials, Fault, Faults, Generator, Journal, Network, Scripted};
use local_lambda::Function;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::sse::{Event, Events, PATIENCE};

pub const PROFILE: &str =
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0";
pub const PROFILE_ID: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

/// The role that the function signs with and Bedrock verifies: key id, secret and session token.
const ROLE: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "ASIAFUNCTIONSROLE000"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "t0ken//+=="),
];

/// A running product. Dropping it stops everything.
pub struct App {
    url: String,
    client: reqwest::Client,
    pub bedrock: Journal,
    pub faults: Faults,
    pub network: Network,
    logs: Mutex<Logs>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// The function's log lines: those to come, and all that were looked at.
struct Logs {
    unread: UnboundedReceiver<String>,
    read: Vec<String>,
}

/// What a test wants otherwise than usual.
pub struct Setup {
    generator: Arc<dyn Generator>,
    variables: Vec<(String, String)>,
    timeout: Duration,
}

impl Setup {
    /// Replies of these tokens, at once.
    pub fn saying(mut self, pieces: &[&str]) -> Self {
        self.generator = Arc::new(instant().pieces(pieces.iter().copied()));
        self
    }

    /// Replies of this generator.
    pub fn generator(mut self, generator: impl Generator) -> Self {
        self.generator = Arc::new(generator);
        self
    }

    /// One variable of the function's environment; an empty value takes a usual one away.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long Lambda lets an invocation run.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub async fn start(self) -> App {
        let (bedrock, faults, network) = (Journal::default(), Faults::default(), Network::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for Bedrock");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let config = local_bedrock::Config::new(self.generator)
            .with_credentials(role())
            .with_journal(bedrock.clone())
            .with_faults(faults.clone())
            .with_network(network.clone());
        let stand_in_for_bedrock = tokio::spawn(async move {
            local_bedrock::run(listener, config, std::future::pending()).await.expect("Bedrock");
        });

        let mut function = Function::new(binary())
            .env("MODEL_ID", PROFILE)
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", endpoint)
            .timeout(self.timeout);
        let role = ROLE.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in role.into_iter().chain(self.variables) {
            function = function.env(name, value);
        }
        let (lines, logs) = unbounded_channel();
        let config = local_lambda::Config::new(function).sandboxes(NonZeroUsize::MIN).log_lines(lines);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the function URL");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stand_in_for_lambda = tokio::spawn(async move {
            local_lambda::run(listener, config, std::future::pending()).await.expect("Lambda");
        });
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let tasks = vec![stand_in_for_bedrock, stand_in_for_lambda];
        App { url, client, bedrock, faults, network, logs: Mutex::new(Logs { unread: logs, read: Vec::new() }), tasks }
    }
}

impl App {
    pub fn setup() -> Setup {
        Setup { generator: Arc::new(instant().tokens(12)), variables: Vec::new(), timeout: Duration::from_secs(60) }
    }

    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// A request to be refined and sent with [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    /// Posts a body to `/api/chat` as JSON.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        send(self.request(Method::POST, "/api/chat").header(CONTENT_TYPE, "application/json").body(body)).await
    }

    /// Asks, and returns the events as they come.
    pub async fn ask(&self, message: &str) -> Events {
        Events::of(self.post(serde_json::json!({ "message": message }).to_string()).await)
    }

    /// Asks, and returns the whole reply.
    pub async fn reply(&self, message: &str) -> Vec<Event> {
        self.ask(message).await.all().await
    }

    /// The next request fails in this way.
    pub fn fails_once(&self, fault: &str) {
        self.faults.once(fault.parse::<Fault>().expect("a fault"));
    }

    /// Every request fails in this way.
    pub fn fails(&self, fault: &str) {
        self.faults.set(Some(fault.parse::<Fault>().expect("a fault")));
    }

    /// The function's next log line, as it wrote it.
    pub async fn log_line(&self) -> String {
        let mut logs = self.logs.lock().await;
        let line = tokio::time::timeout(PATIENCE, logs.unread.recv()).await;
        let line = line.expect("no log line").expect("the log is closed");
        logs.read.push(line.clone());
        line
    }

    /// The next record; other log lines before it are passed over.
    pub async fn record(&self) -> Value {
        loop {
            let line = self.log_line().await;
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if line.get("_aws").is_some() {
                return line;
            }
        }
    }

    /// Every log line so far, looked at or not.
    pub async fn log_lines_so_far(&self) -> Vec<String> {
        let mut logs = self.logs.lock().await;
        while let Ok(line) = logs.unread.try_recv() {
            logs.read.push(line);
        }
        logs.read.clone()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

pub async fn send(request: RequestBuilder) -> Response {
    tokio::time::timeout(PATIENCE, request.send()).await.expect("no response").expect("a response")
}

/// A problem document: status, retry-after, and the document itself.
pub async fn problem(response: Response) -> (u16, Option<String>, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "status {status}");
    let header = |name| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    let (retry_after, request_id) = (header("retry-after"), header("x-request-id"));
    let body = tokio::time::timeout(PATIENCE, response.bytes()).await.expect("no body").expect("a body");
    let document: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(document["status"], status);
    assert_eq!(document["request_id"].as_str(), request_id.as_deref());
    for field in ["type", "title", "detail", "code"] {
        assert!(document[field].as_str().is_some_and(|text| !text.is_empty()), "no {field} in {document}");
    }
    (status, retry_after, document)
}

fn role() -> Credentials {
    let [(_, id), (_, secret), (_, token)] = ROLE;
    Credentials::new(id, secret, Some(token.to_owned()), None, "role")
}

/// Tokens without a wait between them.
pub fn instant() -> Scripted {
    Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("BRO_BUDDY_BIN").map(PathBuf::from);
    path.expect(
        "BRO_BUDDY_BIN must name the function's release binary: run `make test`, or build it and set the variable",
    )
}
