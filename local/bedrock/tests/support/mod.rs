//! A stand-in on a free port and a client that sees the bytes.
#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses a part of this one")]

use std::{net::SocketAddr, sync::Mutex, time::Duration};

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;
use bytes::{Buf, Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use local_bedrock::{Config, Failure, Generation, Generator, Prompt, Refusal, Step, run};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

pub const PROFILE: &str = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-micro-v1%3A0/converse-stream";
pub const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0";

/// Nothing in these tests takes this long unless it hangs.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.expect("it hangs")
}

/// A running stand-in, stopped when dropped.
pub struct Bedrock {
    pub address: SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub served: JoinHandle<std::io::Result<()>>,
}

impl Bedrock {
    pub async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(run(listener, config, async {
            let _dropped = stopped.await;
        }));
        Self { address, stop, served }
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Sends `request` on a connection of its own and reads every byte that comes back, until the stand-in closes the
    /// connection (`Ok`) or resets it.
    pub async fn bytes(&self, request: Request<Full<Bytes>>) -> (Vec<u8>, std::io::Result<()>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&wire(request).await).await.unwrap();
        let mut read = Vec::new();
        loop {
            match soon(stream.read_buf(&mut read)).await {
                Ok(0) => return (read, Ok(())),
                Ok(_) => {}
                Err(error) => return (read, Err(error)),
            }
        }
    }

    /// Asks over HTTP/2 without TLS, on a connection of its own, and reads what comes until the body's end or break.
    pub async fn ask_by_http2(&self, mut request: Request<Full<Bytes>>) -> (Vec<u8>, Result<(), hyper::Error>) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let uri = format!("http://bedrock{}", request.uri().path());
        *request.uri_mut() = uri.parse().unwrap();
        request.headers_mut().remove("host");
        let mut body = soon(sender.send_request(request)).await.unwrap().into_body();
        let mut read = Vec::new();
        loop {
            match soon(body.frame()).await {
                None => return (read, Ok(())),
                Some(Ok(frame)) => read.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return (read, Err(error)),
            }
        }
    }

    /// Asks on a connection of its own and reads the whole answer.
    pub async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        self.connect().await.send(request).await.whole().await
    }
}

/// A request as HTTP/1.1 has it, for a connection that is closed after the answer unless a header says otherwise.
async fn wire(request: Request<Full<Bytes>>) -> Vec<u8> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    head.headers.entry("connection").or_insert(HeaderValue::from_static("close"));
    let mut wire = format!("{} {} HTTP/1.1\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        wire.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    wire.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
    wire.extend(body);
    wire
}

/// The text of all the deltas whose frames are whole in `bytes`, whatever else is there.
pub fn text_in(bytes: &[u8]) -> String {
    let bytes = String::from_utf8_lossy(bytes);
    let deltas = bytes.split(r#""delta":{"text":""#).skip(1);
    deltas.filter_map(|delta| delta.split_once('"')).map(|(text, _)| text).collect()
}

pub struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// Ready when the server has closed the connection.
    pub async fn closed(&mut self) {
        while self.sender.ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        soon(self.sender.ready()).await.unwrap();
        let (head, body) = soon(self.sender.send_request(request)).await.unwrap().into_parts();
        Reply { status: head.status, headers: head.headers, body, unread: BytesMut::new() }
    }
}

/// An answer whose body is still coming.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    unread: BytesMut,
}

impl Reply {
    /// The next frame, `None` at the end of the body, or how the body broke off.
    pub async fn frame(&mut self) -> Result<Option<Message>, hyper::Error> {
        loop {
            let length = self.unread.first_chunk().map(|length| u32::from_be_bytes(*length) as usize);
            if length.is_some_and(|length| self.unread.len() >= length) {
                let frame = self.unread.split_to(length.unwrap()).freeze();
                return Ok(Some(read_message_from(frame.chunk()).unwrap()));
            }
            match soon(self.body.frame()).await {
                Some(frame) => self.unread.extend_from_slice(&frame?.into_data().unwrap()),
                None => {
                    assert!(self.unread.is_empty(), "the body ends within a frame");
                    return Ok(None);
                }
            }
        }
    }

    pub async fn whole(self) -> Answer {
        let body = soon(self.body.collect()).await.map(http_body_util::Collected::to_bytes);
        Answer { status: self.status, headers: self.headers, body: body.unwrap() }
    }
}

/// A complete answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn error_type(&self) -> &str {
        self.headers["x-amzn-errortype"].to_str().unwrap().split(':').next().unwrap()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.events().into_iter().map(|(kind, _)| kind).collect()
    }

    /// The payload of the one event of `kind`.
    pub fn payload(&self, kind: &str) -> Value {
        let mut payloads = self.events().into_iter().filter(|(found, _)| found == kind).map(|(_, payload)| payload);
        let payload = payloads.next().expect(kind);
        assert!(payloads.next().is_none(), "more than one {kind}");
        payload
    }

    /// Each event's kind and payload without its padding.
    pub fn events(&self) -> Vec<(String, Value)> {
        let mut rest = self.body.clone();
        let mut events = Vec::new();
        while rest.has_remaining() {
            events.push(event(&read_message_from(&mut rest).unwrap()));
        }
        events
    }

    pub fn text(&self) -> String {
        self.events().iter().filter_map(|(_, payload)| payload["delta"]["text"].as_str().map(str::to_owned)).collect()
    }
}

/// A frame's `:event-type` or `:exception-type` and its payload without its padding.
pub fn event(message: &Message) -> (String, Value) {
    let kind = message.headers()[0].value().as_string().unwrap().as_str().to_owned();
    let mut payload: Value = serde_json::from_slice(message.payload()).unwrap();
    payload.as_object_mut().unwrap().remove("p");
    (kind, payload)
}

/// A signed request for a reply to "Yo", with `inference` as its settings.
pub fn question(inference: &Value) -> Request<Full<Bytes>> {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Yo"}]}], "inferenceConfig": inference});
    post(PROFILE, SIGNED, &body.to_string())
}

/// `question`, with `members` added to its body.
pub fn question_with(members: &Value) -> Request<Full<Bytes>> {
    let mut body = json!({"messages": [{"role": "user", "content": [{"text": "Yo"}]}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    post(PROFILE, SIGNED, &body.to_string())
}

pub fn post(path: &str, authorization: &str, body: &str) -> Request<Full<Bytes>> {
    let builder = Request::post(path).header("host", "bedrock").header("content-type", "application/json");
    let builder = if authorization.is_empty() { builder } else { builder.header("authorization", authorization) };
    builder.body(Full::from(body.to_owned())).unwrap()
}

/// A generator whose one reply is written by the test, step by step.
pub struct Dictated(Mutex<Option<mpsc::Receiver<Result<Step, Failure>>>>);

impl Dictated {
    pub fn new() -> (mpsc::Sender<Result<Step, Failure>>, Self) {
        let (steps, reply) = mpsc::channel(8);
        (steps, Self(Mutex::new(Some(reply))))
    }
}

impl Generator for Dictated {
    fn generate(&self, _prompt: Prompt) -> Result<Generation, Refusal> {
        let mut reply = self.0.lock().unwrap().take().ok_or(Refusal::Throttled)?;
        Ok(Generation::new(7, stream::poll_fn(move |context| reply.poll_recv(context))))
    }
}
