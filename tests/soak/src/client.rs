//! A client of the function URL: sends one request, and keeps what came.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::time::timeout;

use crate::events::{Event, Events};
use crate::fixed::{Body, Fixed, KEY};
use crate::plan::{Chat, Form, Reader};

/// The longest wait for the head of an answer: the function's own limit for Bedrock's is 20 s, and a busy machine adds to it.
const HEAD: Duration = Duration::from_secs(40);
/// The longest silence within a reply. The function breaks one with a comment every 10 s.
const SILENCE: Duration = Duration::from_secs(30);
/// Before each read of a slow reader.
const SLOW_READ: Duration = Duration::from_millis(40);

/// Sends requests to one function URL.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// From the request to the answer's head.
    pub(crate) head_after: Duration,
    pub(crate) payload: Payload,
}

/// An answer's body.
#[derive(Debug)]
pub(crate) enum Payload {
    /// A document.
    Document(Bytes),
    /// A stream of events.
    Reply(Reply),
}

/// A reply, as far as it was read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) events: Vec<Event>,
    pub(crate) ending: Ending,
    /// From the request to the first `token` event.
    pub(crate) first_token: Option<Duration>,
}

/// How a reply's stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By a proper end of the response.
    Whole,
    /// The client went away, as it was to do.
    Left,
    /// Otherwise: how.
    Broken(String),
}

/// Why there is no answer, or none of the form that there may be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("no head of an answer within {} s", HEAD.as_secs())]
    Late,
    #[error("the document did not end within {} s", SILENCE.as_secs())]
    Endless,
    #[error("the exchange failed: {0:?}")]
    Failed(#[from] reqwest::Error),
}

impl Client {
    pub(crate) fn new(url: String) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { http, url })
    }

    /// Asks for a reply, and reads it in the way of the chat's reader.
    pub(crate) async fn chat(&self, chat: &Chat) -> Result<Answer, NoAnswer> {
        let (message, mode) = (chat.marker.to_string(), chat.mode);
        let post = |body: serde_json::Value| {
            let request = self.request(&Method::POST, "/api/chat").bearer_auth(KEY);
            request.header(CONTENT_TYPE, "application/json").body(body.to_string())
        };
        let request = match chat.form {
            Form::Message => post(json!({ "message": message, "mode": mode })),
            Form::Conversation => {
                let turn = |role: &str, content: &str| json!({ "role": role, "content": content });
                let turns = [turn("user", "Yo"), turn("assistant", "Sup?"), turn("user", &message)];
                post(json!({ "messages": turns, "mode": mode }))
            }
            Form::EventSource => {
                // The marker's words hold nothing else that a query would have to escape.
                let query = message.replace(' ', "%20");
                let request = self.request(&Method::GET, &format!("/api/chat?message={query}&mode={mode}"));
                request.header("x-api-key", KEY).header("sec-fetch-mode", "cors")
            }
        };
        self.send(request, chat.reader).await
    }

    /// Sends one of the requests with an answer that is always the same.
    pub(crate) async fn fixed(&self, fixed: &Fixed) -> Result<Answer, NoAnswer> {
        let request = self.request(&fixed.method, fixed.path);
        let request = fixed.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match fixed.body {
            Body::Empty => request,
            Body::Text(text) => request.body(text),
            Body::Spaces(count) => request.body(" ".repeat(count)),
        };
        self.send(request, Reader::Steady).await
    }

    fn request(&self, method: &Method, path: &str) -> RequestBuilder {
        self.http.request(method.clone(), format!("{}{path}", self.url))
    }

    async fn send(&self, request: RequestBuilder, reader: Reader) -> Result<Answer, NoAnswer> {
        let sent = Instant::now();
        let response = timeout(HEAD, request.send()).await.map_err(|_| NoAnswer::Late)??;
        let head_after = sent.elapsed();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let is_stream = headers.get(CONTENT_TYPE).is_some_and(|declared| declared == "text/event-stream");
        let payload = if is_stream {
            Payload::Reply(read(response, reader, sent).await)
        } else {
            Payload::Document(timeout(SILENCE, response.bytes()).await.map_err(|_| NoAnswer::Endless)??)
        };
        Ok(Answer { status, headers, head_after, payload })
    }
}

async fn read(mut response: reqwest::Response, reader: Reader, sent: Instant) -> Reply {
    let mut read = Events::default();
    let mut events: Vec<Event> = Vec::new();
    let mut tokens = 0;
    let mut first_token = None;
    let ending = loop {
        if matches!(reader, Reader::Leaving { after } if tokens >= after) {
            break Ending::Left;
        }
        if reader == Reader::Slow {
            tokio::time::sleep(SLOW_READ).await;
        }
        let chunk = match timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break read.end().map_or_else(Ending::Broken, |()| Ending::Whole),
            Ok(Err(error)) => break Ending::Broken(format!("the response was cut: {error:?}")),
            Err(_) => break Ending::Broken(format!("silent for {} s", SILENCE.as_secs())),
        };
        match read.take(&chunk) {
            Ok(more) => {
                tokens += more.iter().filter(|event| event.is_token()).count();
                if tokens > 0 {
                    first_token.get_or_insert_with(|| sent.elapsed());
                }
                events.extend(more);
            }
            Err(error) => break Ending::Broken(error),
        }
    };
    Reply { events, ending, first_token }
}

impl Answer {
    /// A header's value, where it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
