//! One request and its reply, with the time of everything that happens.

mod draft;
mod refusal;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::timeout;

pub(crate) use draft::Draft;

use crate::client::Client;
use crate::connection::{Connection, Read, Unanswered};
use crate::format::{End, Text};
use crate::outcome::Outcome;
use crate::sample::Start;
use crate::sse::Decoder;

/// How long after its terminal event a response may take to end, so that its connection can be used again.
const LONGEST_END: Duration = Duration::from_secs(1);

/// A response that was read as far as it is of interest.
pub(crate) struct Rest {
    connection: Connection,
    body: Incoming,
}

/// Makes a request. The facts go into `draft` as they happen, so that they are there whenever this is given up.
pub(crate) async fn exchange(
    client: &Client,
    request: Request<Full<Bytes>>,
    draft: &mut Draft,
) -> (Outcome, Option<Rest>) {
    draft.started = Some(Instant::now());
    let (mut connection, mut response) = match head(client, request, draft).await {
        Ok(answered) => answered,
        Err(outcome) => return (outcome, None),
    };
    draft.head = Some(connection.last_read().at);
    draft.start = start(response.headers());
    let outcome = if response.status() != StatusCode::OK {
        refusal::read(&client.format, &mut connection, &mut response, draft).await
    } else if is_event_stream(response.headers()) {
        stream(client, &mut connection, response.body_mut(), draft).await
    } else {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("none");
        draft.detail = Some(format!("its content type is {kind}"));
        Outcome::NotAStream
    };
    (outcome, Some(Rest { connection, body: response.into_body() }))
}

/// Sends the request on a kept connection or a new one, and waits for the response's head.
async fn head(
    client: &Client,
    mut request: Request<Full<Bytes>>,
    draft: &mut Draft,
) -> Result<(Connection, Response<Incoming>), Outcome> {
    if let Some(mut connection) = client.kept_connection().await {
        match connection.send(request).await {
            Ok(response) => return Ok((connection, response)),
            // It was closed before a byte of the request was written: as if it had not been kept.
            Err(Unanswered { unsent: Some(unsent), .. }) => request = unsent,
            Err(unanswered) => return Err(no_head(&unanswered.error, draft)),
        }
    }
    let dialed = client.dialer.dial().await.map_err(|error| {
        draft.detail = Some(error.to_string());
        Outcome::ConnectFailed
    })?;
    (draft.connect, draft.tls) = (Some(dialed.connect), dialed.tls);
    let mut connection = dialed.connection;
    match connection.send(request).await {
        Ok(response) => Ok((connection, response)),
        Err(unanswered) => Err(no_head(&unanswered.error, draft)),
    }
}

fn no_head(error: &hyper::Error, draft: &mut Draft) -> Outcome {
    draft.detail = Some(told(error));
    if error.is_parse() { Outcome::Malformed } else { Outcome::Broken }
}

/// Hyper's errors tell their cause only as their source.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn start(headers: &HeaderMap) -> Start {
    let values = headers.get_all("server-timing").iter().filter_map(|value| value.to_str().ok());
    let is_cold = |entry: &str| entry.split(';').next().is_some_and(|name| name.trim() == "cold");
    if values.flat_map(|value| value.split(',')).any(is_cold) { Start::Cold } else { Start::Warm }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

/// Reads events up to the terminal one.
async fn stream(client: &Client, connection: &mut Connection, body: &mut Incoming, draft: &mut Draft) -> Outcome {
    let mut decoder = Decoder::default();
    while let Some(piece) = connection.piece(body).await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                draft.detail = Some(told(&error));
                return Outcome::CutOff;
            }
        };
        let read = connection.last_read();
        let mut outcome = None;
        let taken = decoder.take(&piece, |event| {
            // What comes after the end is none of the reply.
            if outcome.is_none() {
                draft.event(read);
                outcome = match client.format.meaning(event) {
                    Ok(meaning) => apply(meaning, read, draft),
                    Err(error) => Some(malformed(&error, draft)),
                };
            }
        });
        if let Err(error) = taken {
            outcome.get_or_insert_with(|| malformed(&error, draft));
        }
        if let Some(outcome) = outcome {
            draft.end = Some(read.at);
            return outcome;
        }
    }
    draft.detail = Some("the response ended properly".to_owned());
    Outcome::CutOff
}

fn malformed(error: &impl ToString, draft: &mut Draft) -> Outcome {
    draft.detail = Some(error.to_string());
    Outcome::Malformed
}

fn apply(meaning: crate::format::Meaning, read: Read, draft: &mut Draft) -> Option<Outcome> {
    if meaning.text == Text::Some {
        draft.token(read);
    }
    draft.output_tokens = meaning.output_tokens.or(draft.output_tokens);
    meaning.end.map(|end| match end {
        End::Done(server) => {
            draft.server = server;
            Outcome::Done
        }
        End::Error(code) => Outcome::error(&code),
    })
}

impl Rest {
    /// Reads what is left, so that the connection can be used again. Where that takes long it is closed instead.
    pub(crate) async fn finish(mut self, client: &Client) {
        let to_its_end = async {
            while let Some(piece) = self.connection.piece(&mut self.body).await {
                if piece.is_err() {
                    return false;
                }
            }
            true
        };
        if timeout(LONGEST_END, to_its_end).await.unwrap_or(false) {
            client.keep(self.connection).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_cold_in_server_timing_is_a_cold_start() {
        for (value, expected) in [
            ("cold", Start::Cold),
            ("parse;dur=0.1, cold, govern;dur=0.2", Start::Cold),
            ("parse;dur=0.1,cold;desc=\"first\"", Start::Cold),
            ("parse;dur=0.1, coldish", Start::Warm),
            ("", Start::Warm),
        ] {
            let mut headers = HeaderMap::new();
            headers.append("server-timing", HeaderValue::from_static(value));
            assert_eq!(start(&headers), expected, "{value:?}");
        }
        assert_eq!(start(&HeaderMap::new()), Start::Warm);
    }
}
