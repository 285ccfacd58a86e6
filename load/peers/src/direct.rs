//! The least that a client of Bedrock can be: one kept connection, one write a request, each frame looked at when it
//! is read. What any other arm adds is counted from its times.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::{HeaderValue, Message};
use bro_load::{Outcome, Sample, Tally};
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::load::Load;
use crate::model::{self, PROFILE};
use crate::turns::{Turn, Turns};

/// The longest wait for anything of Bedrock's.
const PATIENCE: Duration = Duration::from_secs(30);
/// The peers' system prompt.
const SYSTEM: &str = "You are a friendly conversation partner. Keep replies short and useful: a few sentences at most.
You do not give medical or legal advice. When someone asks for it, say kindly that you cannot help with that, and point to a professional.
Talk like a good friend: casual, warm and upbeat, with light slang, never crude. Get to the point.";

/// Why there is no whole reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the connection to Bedrock: {0}")]
    Connection(#[from] io::Error),
    #[error("the exchange with Bedrock: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("a request that cannot be written: {0}")]
    Request(#[from] http::Error),
    #[error("Bedrock answered with status {0}")]
    Status(http::StatusCode),
    #[error("a frame that cannot be read: {0}")]
    Frame(#[from] aws_smithy_eventstream::error::Error),
    #[error("Bedrock ended the reply with {0}")]
    Exception(String),
    #[error("Bedrock was silent for {} s", PATIENCE.as_secs())]
    Silent,
    #[error("the reply ended without messageStop")]
    CutOff,
    #[error("a client broke: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// When the parts of one reply were read.
#[derive(Debug)]
pub(crate) struct Reply {
    /// When the request was about to be written.
    pub(crate) asked: Instant,
    pub(crate) head: Instant,
    /// One for each token, in order.
    pub(crate) tokens: Vec<Instant>,
    /// Reads that held a token.
    pub(crate) reads: u64,
    pub(crate) end: Instant,
}

/// One kept connection to Bedrock.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    path: String,
}

impl Client {
    pub(crate) async fn connect(bedrock: SocketAddr) -> Result<Self, Error> {
        let stream = timeout(PATIENCE, TcpStream::connect(bedrock)).await.map_err(|_| Error::Silent)??;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender. What ends it before is seen by whoever waits for a reply.
        tokio::spawn(connection);
        // The SDKs' own way of writing an ARN into a path.
        let path = format!("/model/{}/converse-stream", PROFILE.replace(':', "%3A").replace('/', "%2F"));
        Ok(Self { sender, host: bedrock.to_string(), path })
    }

    /// Asks for a reply of so many tokens, and reads it to its end.
    pub(crate) async fn ask(&mut self, tokens: u32) -> Result<Reply, Error> {
        let body = json!({
            "system": [{ "text": SYSTEM }],
            "messages": [{ "role": "user", "content": [{ "text": model::prompt(tokens) }] }],
            "inferenceConfig": { "maxTokens": 150, "temperature": 0.3 },
        });
        let request = http::Request::post(&self.path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, "Bearer any-key-will-do")
            .body(Full::from(body.to_string()))?;
        timeout(PATIENCE, self.sender.ready()).await.map_err(|_| Error::Silent)??;

        let asked = Instant::now();
        let response = timeout(PATIENCE, self.sender.send_request(request)).await.map_err(|_| Error::Silent)??;
        let head = Instant::now();
        if response.status() != http::StatusCode::OK {
            return Err(Error::Status(response.status()));
        }
        let mut body = response.into_body();
        let mut frames = MessageFrameDecoder::new();
        let mut unread = BytesMut::new();
        let mut reply = Reply { asked, head, tokens: Vec::new(), reads: 0, end: head };
        let mut stopped = false;
        while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(|_| Error::Silent)? {
            let Ok(data) = frame?.into_data() else { continue };
            let read = Instant::now();
            unread.extend_from_slice(&data);
            let before = reply.tokens.len();
            while let DecodedFrame::Complete(message) = frames.decode_frame(&mut unread)? {
                match event(&message)? {
                    Event::Delta => reply.tokens.push(read),
                    Event::Stop => stopped = true,
                    Event::Other => {}
                }
            }
            reply.reads += u64::from(reply.tokens.len() > before);
        }
        reply.end = Instant::now();
        if stopped { Ok(reply) } else { Err(Error::CutOff) }
    }
}

/// A load of such clients, each with a connection of its own.
///
/// # Errors
/// When a client cannot connect, or an exchange fails: the stand-in for Bedrock is part of the harness.
pub(crate) async fn load(bedrock: SocketAddr, load: &Load) -> Result<Tally, Error> {
    let turns = Arc::new(Turns::new(*load));
    let mut clients = JoinSet::new();
    for _ in 0..load.clients.get() {
        let (turns, tokens) = (Arc::clone(&turns), load.tokens);
        clients.spawn(async move {
            let mut client = Client::connect(bedrock).await?;
            let mut tally = Tally::default();
            while let Some(turn) = turns.next() {
                let intended = SystemTime::now();
                let reply = client.ask(tokens).await?;
                match turn {
                    Turn::LeftOut => tally.leave_out(),
                    Turn::Measured => tally.record(&reply.sample(intended)),
                }
            }
            Ok::<_, Error>(tally)
        });
    }
    let mut tally = Tally::default();
    while let Some(client) = clients.join_next().await {
        tally.merge(&client??);
    }
    Ok(tally)
}

impl Reply {
    fn sample(&self, intended: SystemTime) -> Sample {
        let since = |moment: Instant| moment.duration_since(self.asked);
        let mut sample = Sample::without_answer(intended, since(self.end), Outcome::Done);
        sample.head = Some(since(self.head));
        sample.first_event = self.tokens.first().copied().map(since);
        sample.first_token = sample.first_event;
        sample.last_token = self.tokens.last().copied().map(since);
        sample.gaps =
            self.tokens.windows(2).filter_map(|pair| Some(pair.last()?.duration_since(*pair.first()?))).collect();
        sample.tokens = self.tokens.len() as u64;
        sample.token_reads = self.reads;
        sample
    }
}

/// What a message says, as far as it is looked at.
enum Event {
    /// More text.
    Delta,
    /// The model is done.
    Stop,
    /// The start, the metadata.
    Other,
}

fn event(message: &Message) -> Result<Event, Error> {
    let header = |name| message.headers().iter().find(|header| header.name().as_str() == name);
    let text = |name| match header(name)?.value() {
        HeaderValue::String(text) => Some(text.as_str()),
        _ => None,
    };
    match text(":event-type") {
        Some("contentBlockDelta") => Ok(Event::Delta),
        Some("messageStop") => Ok(Event::Stop),
        Some(_) => Ok(Event::Other),
        None => Err(Error::Exception(text(":exception-type").unwrap_or("an unknown message").to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Bedrock;

    #[tokio::test]
    async fn a_reply_has_its_tokens_one_by_one_and_the_next_one_comes_over_the_same_connection() {
        let bedrock = Bedrock::start().await.expect("a port");
        let mut client = Client::connect(bedrock.address()).await.expect("a connection");
        for tokens in [1, 3] {
            let reply = client.ask(tokens).await.expect("a reply");
            let sample = reply.sample(SystemTime::now());
            assert_eq!(sample.tokens, u64::from(tokens));
            assert_eq!(sample.gaps.len(), tokens as usize - 1);
            assert!(sample.first_token >= Some(model::FIRST_TOKEN), "{sample:?}");
            assert!(sample.end >= model::reply(tokens), "{sample:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_bedrock_refuses_is_an_error() {
        let bedrock = Bedrock::start().await.expect("a port");
        let mut client = Client::connect(bedrock.address()).await.expect("a connection");
        client.path = "/model/none/converse-stream".to_owned();
        let error = client.ask(1).await.expect_err("an error");
        assert!(matches!(error, Error::Status(status) if status.is_client_error()), "{error:?}");
    }

    #[test]
    fn an_exception_in_the_stream_is_no_event() {
        let header = |name: &'static str, value: &'static str| {
            aws_smithy_types::event_stream::Header::new(name, HeaderValue::String(value.into()))
        };
        let message = Message::new(Bytes::new()).add_header(header(":exception-type", "throttlingException"));
        assert!(matches!(event(&message), Err(Error::Exception(name)) if name == "throttlingException"));
    }
}
