//! The platform's end of the Runtime API, played after a plan: it reads all, slowly, or not to the end; it refuses,
//! cuts the connection, or never says that it has had everything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, RuntimeApiClient};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

/// What the platform does with a response. Counts are bytes of the request, head included.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    /// Reads what is there, and acknowledges the whole after a while.
    Takes { acknowledges_after: Duration },
    /// Reads so much at a time, with a pause before each.
    Sips { bytes: usize, pause: Duration },
    /// Reads all and never answers.
    NeverAcknowledges,
    /// Stops reading, and keeps the connection.
    Hangs { after: usize },
    /// Closes the connection.
    Cuts { after: usize },
    /// Answers with an error before it has read all, and reads no more.
    Refuses { after: usize },
}

impl Behaviour {
    /// Reads and acknowledges without a wait.
    pub(super) fn is_willing(self) -> bool {
        matches!(self, Self::Takes { acknowledges_after: Duration::ZERO })
    }

    /// Reads without a wait.
    pub(super) fn is_prompt(self) -> bool {
        matches!(self, Self::Takes { .. } | Self::NeverAcknowledges)
    }

    /// How many bytes to read before something happens.
    fn limit(self) -> usize {
        match self {
            Self::Hangs { after } | Self::Cuts { after } | Self::Refuses { after } => after,
            Self::Takes { .. } | Self::Sips { .. } | Self::NeverAcknowledges => usize::MAX,
        }
    }
}

pub(super) fn behaviour() -> impl Strategy<Value = Behaviour> {
    let after = || prop_oneof![0_usize..3_000, 0_usize..200_000];
    let milliseconds = |range: std::ops::Range<u64>| range.prop_map(Duration::from_millis);
    prop_oneof![
        6 => Just(Behaviour::Takes { acknowledges_after: Duration::ZERO }),
        1 => milliseconds(0..70_000).prop_map(|acknowledges_after| Behaviour::Takes { acknowledges_after }),
        2 => (1_usize..50_000, milliseconds(0..2_000)).prop_map(|(bytes, pause)| Behaviour::Sips { bytes, pause }),
        1 => Just(Behaviour::NeverAcknowledges),
        1 => after().prop_map(|after| Behaviour::Hangs { after }),
        1 => after().prop_map(|after| Behaviour::Cuts { after }),
        1 => after().prop_map(|after| Behaviour::Refuses { after }),
    ]
}

/// Plays one behaviour to every request; the receiver gets each of them.
pub(super) struct Platform {
    behaviour: Behaviour,
    posts: UnboundedSender<Post>,
}

/// One request, as it comes in.
#[derive(Clone, Default)]
pub(super) struct Post(Arc<Mutex<Progress>>);

#[derive(Default)]
struct Progress {
    read: Vec<u8>,
    /// When something was read.
    moments: Vec<Instant>,
    acknowledged: Option<Instant>,
}

/// What the platform has seen of one request.
pub(super) struct Posted {
    /// When it was acknowledged.
    pub(super) acknowledged: Option<Instant>,
    /// Status and payload of a response that came to its proper end.
    pub(super) whole: Option<(u64, String)>,
    moments: Vec<Instant>,
}

impl Platform {
    pub(super) fn new(behaviour: Behaviour) -> (Self, UnboundedReceiver<Post>) {
        let (posts, received) = unbounded_channel();
        (Self { behaviour, posts }, received)
    }
}

impl RuntimeApiClient for Platform {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Incoming>, BoxError>> {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        let post = Post::default();
        let _ = self.posts.send(post.clone());
        tokio::spawn(answer(theirs, self.behaviour, post));
        async move {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(ours)).await?;
            tokio::spawn(connection);
            Ok(sender.send_request(request).await?)
        }
        .boxed()
    }
}

async fn answer(mut connection: DuplexStream, behaviour: Behaviour, post: Post) {
    loop {
        let (so_far, complete) = {
            let progress = post.0.lock().expect("no panic");
            (progress.read.len(), progress.read.ends_with(b"\r\n0\r\n\r\n"))
        };
        if complete || so_far >= behaviour.limit() {
            break;
        }
        let mut piece = vec![0; behaviour.limit().saturating_sub(so_far).min(64 * 1024)];
        if let Behaviour::Sips { bytes, pause } = behaviour {
            sleep(pause).await;
            piece.truncate(bytes);
        }
        let Ok(length @ 1..) = connection.read(&mut piece).await else { return };
        let mut progress = post.0.lock().expect("no panic");
        progress.read.extend_from_slice(&piece[..length]);
        progress.moments.push(Instant::now());
    }
    let status = match behaviour {
        Behaviour::Cuts { .. } => return,
        Behaviour::Hangs { .. } | Behaviour::NeverAcknowledges => return std::future::pending().await,
        Behaviour::Refuses { .. } => "413 Payload Too Large",
        Behaviour::Takes { .. } | Behaviour::Sips { .. } => "202 Accepted",
    };
    if let Behaviour::Takes { acknowledges_after } = behaviour {
        sleep(acknowledges_after).await;
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    if connection.write_all(answer.as_bytes()).await.is_ok() && status.starts_with('2') {
        post.0.lock().expect("no panic").acknowledged = Some(Instant::now());
    }
    std::future::pending::<()>().await;
}

impl Post {
    pub(super) fn seen(&self) -> Posted {
        let progress = self.0.lock().expect("no panic");
        Posted { acknowledged: progress.acknowledged, whole: whole(&progress.read), moments: progress.moments.clone() }
    }
}

impl Posted {
    /// The longest time between two reads.
    pub(super) fn longest_silence(&self) -> Duration {
        self.moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

/// Status and payload of a request that came to its proper end.
fn whole(request: &[u8]) -> Option<(u64, String)> {
    let body = after(request, b"\r\n\r\n")?;
    let body = dechunked(body)?;
    let payload = after(&body, &[0; 8])?;
    let prelude: serde_json::Value =
        serde_json::from_slice(&body[..body.len() - payload.len() - 8]).expect("a prelude");
    let status = prelude["statusCode"].as_u64().expect("a status");
    Some((status, String::from_utf8(payload.to_vec()).expect("UTF-8")))
}

/// A chunked body, if its last chunk is there.
fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let after_size = after(rest, b"\r\n")?;
        let size = &rest[..rest.len() - after_size.len() - 2];
        let size = usize::from_str_radix(std::str::from_utf8(size).expect("ASCII"), 16).expect("a chunk's size");
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(after_size.get(..size)?);
        rest = after_size.get(size + 2..)?;
    }
}

/// What follows the first `mark`.
fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    bytes.get(at + mark.len()..)
}
