//! The function URL: an HTTP server whose every request is one invocation.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. A function behind a URL
//! is not told when its client goes away, so an invocation always runs to its end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Once};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::config::{Auth, InvokeMode, UrlSettings};
use crate::cors::Cors;
use crate::discarded::discard;
use crate::failure::Failure;
use crate::fleet::{Fleet, Throttled};
use crate::invocation::{Framing, Reply};
use crate::runtime_api::{Cut, StreamedBody};

mod answer;
mod buffered;
mod event;
mod iam;
mod prelude;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use answer::Answer;
use event::{Endpoints, Ids};
use iam::IamGate;

/// Lambda's limit for an invocation's payload, which here is the event with the body in it.
const MAX_EVENT: usize = 6 * 1024 * 1024;
/// How long a client may take for the head of a request, a connection's idle time included.
const HEAD_LIMIT: Duration = Duration::from_secs(300);
/// How long a client may take for the body of a request.
const BODY_LIMIT: Duration = Duration::from_secs(60);
/// The pause after a failed accept: out of file descriptors, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A function URL with its function behind it.
pub(crate) struct FunctionUrl {
    invoke_mode: InvokeMode,
    cors: Option<Cors>,
    gate: Option<IamGate>,
    fleet: Fleet,
    /// Said once, since it would be true of every further answer.
    hint: Once,
}

impl FunctionUrl {
    /// The URL of a function in `region`.
    pub(crate) fn new(settings: UrlSettings, region: &str, fleet: Fleet) -> Self {
        let UrlSettings { invoke_mode, cors, auth } = settings;
        let gate = match auth {
            Auth::Everyone => None,
            Auth::AwsIam(credentials) => Some(IamGate::new(credentials, region.to_owned())),
        };
        Self { invoke_mode, cors, gate, fleet, hint: Once::new() }
    }

    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Accepts connections until `shutdown` completes, then cuts those that are left.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let local = listener.local_addr()?;
        let mut shutdown = pin!(shutdown);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                accepted = listener.accept() => match accepted {
                    Ok((connection, client)) => {
                        let endpoints = Endpoints { client, local };
                        connections.spawn(serve_connection(connection, endpoints, Arc::clone(&self)));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Answers a request with the CORS headers it gets; a preflight without the function.
    async fn answer(&self, request: Request<Incoming>, endpoints: Endpoints) -> http::Response<Answer> {
        let ids = Ids::generate();
        let (head, body) = request.into_parts();
        if let Some(headers) = self.cors.as_ref().and_then(|cors| cors.preflight(&head)) {
            return answer::preflight(headers, &ids);
        }
        let mut response = self.invoke(&head, body, endpoints, &ids).await;
        if let Some(cors) = &self.cors {
            cors.add_to(response.headers_mut(), &head.headers);
        }
        if head.method == Method::HEAD || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        {
            answer::unwanted(response.body_mut());
        }
        response
    }

    async fn invoke(&self, head: &Parts, body: Incoming, endpoints: Endpoints, ids: &Ids) -> http::Response<Answer> {
        let body = match whole(body).await {
            Ok(body) => body,
            Err(NoBody::TooLarge) => return answer::too_large(ids),
            Err(NoBody::Broken) => return answer::bad_request(ids),
            Err(NoBody::Late) => return answer::request_timeout(ids),
        };
        let caller = match self.gate.as_ref().map(|gate| gate.admit(head, &body)).transpose() {
            Ok(caller) => caller,
            Err(error) => return answer::forbidden(&error, ids),
        };
        let Ok(invocation) = event::invocation(head, &body, endpoints, ids, caller) else {
            return answer::bad_request(ids);
        };
        if invocation.event.len() > MAX_EVENT {
            return answer::too_large(ids);
        }
        let replied = match self.fleet.invoke(invocation).await {
            Ok(replied) => replied,
            Err(Throttled) => {
                self.fleet.logs().throttled(&ids.request_id);
                return answer::throttled(ids);
            }
        };
        // A failure has been shown where it was found.
        let Ok(reply) = replied else { return answer::bad_gateway(ids) };
        match self.read(reply).await {
            Ok(response) => answer::identified(response, ids),
            Err(NoResponse::Cut) => answer::bad_gateway(ids),
            Err(NoResponse::Invalid(failure)) => {
                self.fleet.logs().failed(&ids.request_id, &failure);
                answer::bad_gateway(ids)
            }
        }
    }

    /// Makes the response that the URL makes of a reply in its invoke mode.
    async fn read(&self, reply: Reply) -> Result<http::Response<Answer>, NoResponse> {
        match (reply, self.invoke_mode) {
            // As LocalStack's tests saw it on AWS (test_lambda_url_echo_invoke[RESPONSE_STREAM]).
            (Reply::Buffered(document), InvokeMode::ResponseStream) => {
                self.hint.call_once(|| self.fleet.logs().not_streamed());
                Ok(answer::raw(None, Either::Left(Full::new(document))))
            }
            (Reply::Buffered(document), InvokeMode::Buffered) => Ok(buffered::read(&document)?),
            (Reply::Streamed { framing, body }, InvokeMode::ResponseStream) => streamed(framing, body).await,
            (Reply::Streamed { framing, body }, InvokeMode::Buffered) => {
                answer::held_back(streamed(framing, body).await?).await
            }
        }
    }
}

/// Why a request has no body that could be used.
enum NoBody {
    TooLarge,
    Broken,
    Late,
}

/// The whole body of a request.
async fn whole(mut body: Incoming) -> Result<Bytes, NoBody> {
    let until = Instant::now() + BODY_LIMIT;
    match timeout_at(until, Limited::new(&mut body, MAX_EVENT).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // A client that is slower than this gets its answer in the middle of its request.
            let _ = timeout_at(until, discard(&mut body)).await;
            Err(NoBody::TooLarge)
        }
        Ok(Err(_)) => Err(NoBody::Broken),
        Err(_) => Err(NoBody::Late),
    }
}

/// Why a reply makes no response.
#[derive(Debug, PartialEq, Eq)]
enum NoResponse {
    /// It was cut; that has been shown where it was found.
    Cut,
    /// It cannot be read.
    Invalid(Failure),
}

impl From<Cut> for NoResponse {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

impl From<Failure> for NoResponse {
    fn from(failure: Failure) -> Self {
        Self::Invalid(failure)
    }
}

async fn streamed(framing: Framing, mut body: StreamedBody) -> Result<http::Response<Answer>, NoResponse> {
    match framing {
        Framing::Raw(content_type) => {
            // A runtime that streams reports by trailers what failed before the first byte: then no head is sent.
            body.begin().await?;
            Ok(answer::raw(content_type, Either::Right(body)))
        }
        Framing::HttpIntegration => {
            let head = prelude::take(&mut body).await.and_then(|prelude| Ok(answer::streamed(&prelude)?));
            match head {
                Ok(head) => Ok(head.map(|()| Either::Right(body))),
                Err(error) => {
                    body.unwanted();
                    Err(error)
                }
            }
        }
    }
}

async fn serve_connection(connection: TcpStream, endpoints: Endpoints, url: Arc<FunctionUrl>) {
    // Without it every token after the first waits for the client's delayed ACK, some 40 ms.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| {
        let url = Arc::clone(&url);
        async move { Ok::<_, Infallible>(url.answer(request, endpoints).await) }
    });
    // Both a client that goes away and an answer that is cut on purpose end here as errors.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(connection), service)
        .await;
}
