//! One request and its answer: the route, and the order in which Bedrock checks things.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header::CONTENT_TYPE, request::Parts};
use http_body::Frame;
use http_body_util::{BodyExt, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::{
    Config, ErrorKind, Fault, Prompt, Received, ServiceError,
    guardrail::{Guard, GuardrailSettings, Verdict},
    limits::Limits,
    network::Closer,
    profile::InferenceProfile,
    reply::{Broken, Reply},
};

/// The longest request body that Bedrock takes.
const MAX_BODY_BYTES: usize = 25_000_000;
/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Names a fault for the request that carries it. Clients that sign need not sign it.
const FAULT_HEADER: &str = "x-local-bedrock-fault";

/// One connection's view of the stand-in.
pub(crate) struct Service {
    pub(crate) config: Arc<Config>,
    pub(crate) connection: u64,
    pub(crate) peer: SocketAddr,
    /// Closes the connection, where a fault asks for it.
    pub(crate) closer: Closer,
}

impl Service {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<UnsyncBoxBody<Bytes, Broken>> {
        let accepted = Instant::now();
        let mut response = match self.converse(request, accepted).await {
            Ok(response) => response,
            Err(error) => error.into_response().map(|body| body.map_err(|never| match never {}).boxed_unsync()),
        };
        if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        response
    }

    async fn converse(
        &self,
        request: Request<Incoming>,
        accepted: Instant,
    ) -> Result<Response<UnsyncBoxBody<Bytes, Broken>>, ServiceError> {
        let (head, body) = request.into_parts();
        // Even where no one will look at it: an unread body would cost the client its connection.
        let body = read(body).await?;
        if let Some(journal) = &self.config.journal {
            journal.record(Received::new(self.connection, self.peer, &head, body.clone()));
        }
        let model_id = route(&head)?;
        // Where the profile's region is known the signature must be for it; what is wrong with a profile is told to
        // those who may ask.
        let profile = InferenceProfile::parse(&model_id);
        let region = profile.as_ref().ok().and_then(InferenceProfile::region);
        self.config.gate.admit(&head, &body, region, SystemTime::now())?;
        profile?;
        let fault = self.fault(&head.headers, &body)?;
        if let Some(Fault::Refuse(kind)) = fault {
            return Err(kind.into());
        }
        let prompt = Prompt::parse(&body)?;
        if let Some(Fault::SlowHead(delay)) = fault {
            sleep(delay).await;
        }
        let bytes = self.reply(prompt, fault, accepted)?.into_bytes(fault, self.closer.clone());
        let frames = bytes.map_ok(Frame::data);
        let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)));
        let content_type = HeaderValue::from_static("application/vnd.amazon.eventstream");
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        Ok(response)
    }

    /// The reply that a guardrail lets through or puts in the model's place.
    fn reply(&self, prompt: Prompt, fault: Option<Fault>, accepted: Instant) -> Result<Reply, ServiceError> {
        let forced = if let Some(Fault::Guardrail(side)) = fault { Some(side) } else { None };
        if let Some(settings) = prompt.guardrail() {
            self.config.guardrail.admit(settings)?;
        }
        let settings = prompt.guardrail().cloned().or_else(|| forced.map(|_| GuardrailSettings::default()));
        let guard = settings.map(|settings| Guard::new(Arc::clone(&self.config.guardrail), &settings, forced));
        let guard = match guard.map(|guard| guard.judge(prompt.guarded(), prompt.characters())) {
            Some(Verdict::Blocked(said)) => {
                return Ok(Reply { said: stream::iter(said).boxed(), input_tokens: 0, accepted });
            }
            Some(Verdict::Passed(guard)) => Some(guard),
            None => None,
        };
        let limits = Limits::of(&prompt);
        let generation = self.config.generator.generate(prompt)?;
        Ok(Reply::generated(generation, limits, guard, fault, accepted))
    }

    fn fault(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Fault>, ServiceError> {
        let Some(name) = headers.get(FAULT_HEADER) else {
            let by_rule = || self.config.fault_rule.as_ref()?(&Prompt::parse(body).ok()?);
            return Ok(self.config.faults.take().or_else(by_rule));
        };
        let fault = String::from_utf8_lossy(name.as_bytes()).parse();
        fault.map(Some).map_err(|unknown| ServiceError::validation(format!("{FAULT_HEADER}: {unknown}")))
    }
}

/// The model id of `POST /model/{id}/converse-stream`. The path is taken apart before it is decoded, because an
/// ARN holds slashes, which clients send as `%2F`.
fn route(head: &Parts) -> Result<String, ServiceError> {
    let segments: Vec<&str> = head.uri.path().split('/').collect();
    match segments.as_slice() {
        ["", "model", id, "converse-stream"] if head.method == Method::POST => {
            Ok(percent_decode_str(id).decode_utf8_lossy().into_owned())
        }
        _ => Err(ErrorKind::UnknownOperation.into()),
    }
}

async fn read(body: Incoming) -> Result<Bytes, ServiceError> {
    let unreadable =
        |why: String| ServiceError::new(ErrorKind::Serialization, format!("The request body could not be read: {why}"));
    match timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => Err(unreadable(error.to_string())),
        Err(_elapsed) => Err(unreadable(format!("it did not arrive within {} s", BODY_TIMEOUT.as_secs()))),
    }
}
