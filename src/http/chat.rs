//! `/api/chat`: who may ask, what they ask, and the reply.

use std::panic::AssertUnwindSafe;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use tokio::time::timeout;

use super::Service;
use super::answer::{Answer, Body};
use super::chat_request::ChatRequest;
use super::error::{HttpError, Refusal};
use super::event_stream::{EventStream, Events};
use super::{problem, sse};
use crate::chat::{ChatError, ChatEvent, Turn};
use crate::config::ApiKeyId;
use crate::invocation::{Invocation, Start};
use crate::model::{Model, Prompt};
use crate::telemetry::{Outcome, Phases, Record, SharedRecord, millis};

const POST: &str = "POST /api/chat";
const GET: &str = "GET /api/chat";

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The route's name in records, for the methods it takes.
pub(super) fn route_name(method: &Method) -> Option<&'static str> {
    match *method {
        Method::POST => Some(POST),
        Method::GET => Some(GET),
        _ => None,
    }
}

impl<M: Model> Service<M> {
    /// Answers a chat request, and records it whatever becomes of it.
    pub(super) async fn chat(
        &self,
        route: &'static str,
        request: Request<Bytes>,
        invocation: &Invocation,
        edge_received: Option<SystemTime>,
    ) -> Answer {
        let record = SharedRecord::new(Record::new(invocation, route));
        record.lock().edge_received = edge_received;

        let replied = AssertUnwindSafe(self.reply(route, &request, invocation, &record)).catch_unwind().await;
        let answer = match replied {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => refuse(&error, &record),
            Err(_) => refuse(&HttpError::Failed(ChatError::Internal), &record),
        };
        answer.recorded(record)
    }

    async fn reply(
        &self,
        route: &'static str,
        request: &Request<Bytes>,
        invocation: &Invocation,
        record: &SharedRecord,
    ) -> Result<Answer, HttpError> {
        {
            let mut record = record.lock();
            record.policy = Some((self.policy.version().to_owned(), self.policy.sha256().to_owned()));
            record.model = Some(self.profile.id().to_owned());
        }
        let api_key = self.admit(request.headers())?;
        record.lock().api_key = api_key;

        let ChatRequest { conversation, mode } = if route == GET {
            guard_event_source(request.headers())?;
            ChatRequest::from_query(request.uri().query().unwrap_or_default(), &self.policy)?
        } else {
            require_json(request.headers())?;
            ChatRequest::from_json(request.body(), &self.policy)?
        };
        {
            let mut record = record.lock();
            record.mode = Some(mode.id().to_owned());
            record.phases.parse = Some(record.elapsed());
        }
        let prompt = Prompt::governed(&self.policy, mode, conversation).traced(invocation.trace_id.clone());
        {
            let mut record = record.lock();
            record.phases.govern = Some(record.elapsed());
        }

        let turn = Turn::new(self.model.clone(), prompt, self.timeouts, invocation.deadline);
        let mut events: Events = Box::pin(turn.events());
        match timeout(self.timeouts.hold, events.next()).await {
            Ok(Some(ChatEvent::Opened)) => {
                let mut record = record.lock();
                record.phases.bedrock_head = Some(record.elapsed());
            }
            // Too late for a status line by a hair: the deadline is told within the stream.
            Ok(Some(late @ ChatEvent::Failed { error: ChatError::DeadlineExceeded, .. })) => {
                events = Box::pin(futures::stream::iter([late]));
            }
            Ok(Some(ChatEvent::Failed { error, detail, .. })) => {
                let code = HttpError::Failed(error).code();
                tracing::warn!(
                    request_id = invocation.request_id,
                    code,
                    detail,
                    "the model did not accept the request"
                );
                return Err(HttpError::Failed(error));
            }
            Ok(other) => {
                let came = if other.is_some() { "another event" } else { "nothing" };
                tracing::error!(request_id = invocation.request_id, came, "a turn that does not begin with Opened");
                return Err(HttpError::Failed(ChatError::Internal));
            }
            // Committed to 200: what goes wrong from here on is an error event.
            Err(_) => {}
        }

        let mut buffer = BytesMut::with_capacity(1024);
        if route == GET {
            sse::write_id(&mut buffer, &invocation.request_id);
        }
        let start = sse::Start {
            id: &invocation.request_id,
            model: self.profile.id(),
            mode: mode.id(),
            policy: self.policy.version(),
            limits: self.policy.limits(),
        };
        sse::write_event(&mut buffer, "start", &start);
        let phases = record.lock().phases;
        let stream = EventStream::new(events, buffer, record.clone(), self.prices.clone(), self.timeouts.keep_alive);
        Ok(Answer { response: event_stream_response(stream, invocation, &phases), record: None })
    }

    /// Lets a caller in: anybody where no keys are configured.
    fn admit(&self, headers: &HeaderMap) -> Result<Option<ApiKeyId>, Refusal> {
        let Some(keys) = &self.api_keys else {
            return Ok(None);
        };
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
        });
        let key = bearer.or_else(|| headers.get(X_API_KEY).and_then(|value| value.to_str().ok()));
        let known = key.and_then(|key| keys.identify(key)).ok_or(Refusal::Unauthorized)?;
        Ok(Some(known.clone()))
    }
}

/// The problem document of an error, with the error in the record.
fn refuse(error: &HttpError, record: &SharedRecord) -> Answer {
    let mut record = record.lock();
    record.error_code = Some(error.code());
    record.outcome = Some(match error {
        HttpError::Refused(_) => Outcome::Refused,
        HttpError::Failed(_) => Outcome::Failed,
    });
    record.last_write = Some(record.elapsed());
    problem::answer(error, record.request_id())
}

/// What only the `EventSource` form has to fear, since any page can make a browser send a GET.
fn guard_event_source(headers: &HeaderMap) -> Result<(), Refusal> {
    // Browsers send sec-fetch-mode and pages cannot forge it: an image tag says no-cors, a link navigate.
    let foreign = |mode: &HeaderValue| !matches!(mode.as_bytes(), b"cors" | b"same-origin");
    if headers.get(SEC_FETCH_MODE).is_some_and(foreign) {
        return Err(Refusal::CrossSite);
    }
    // An EventSource comes back after every end of stream, unless it gets another status than 200.
    if headers.contains_key(LAST_EVENT_ID) {
        return Err(Refusal::AlreadyAnswered);
    }
    Ok(())
}

fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
}

fn event_stream_response(stream: EventStream, invocation: &Invocation, phases: &Phases) -> Response<Body> {
    let mut response = Response::new(Body::Events(Box::new(stream)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    if let Ok(id) = HeaderValue::from_str(&invocation.request_id) {
        headers.insert(sse::X_REQUEST_ID, id);
    }
    if let Ok(timing) = HeaderValue::from_str(&server_timing(phases, invocation.start)) {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// `parse;dur=0.1, govern;dur=0.2, bedrock_head;dur=45`, and `cold` on a sandbox's first request.
fn server_timing(phases: &Phases, start: Start) -> String {
    let known = phases.named().into_iter().filter_map(|(name, moment)| {
        let name = name.trim_end_matches("_ms");
        moment.map(|moment| format!("{name};dur={}", millis(moment)))
    });
    let cold = (start == Start::Cold).then(|| "cold".to_owned());
    known.chain(cold).collect::<Vec<_>>().join(", ")
}
