//! Answers with another status than 200: the service's own, and those of a platform in front of it.

use http::Response;
use http::header::CONTENT_TYPE;
use hyper::body::Incoming;
use serde::Deserialize;

use super::Draft;
use crate::connection::Connection;
use crate::format::Format;
use crate::outcome::Outcome;

/// As much of a body as is read.
const LARGEST_BODY: usize = 64 * 1024;
/// As much of a body as is shown.
const LONGEST_EXCERPT: usize = 200;

/// RFC 9457, as far as it is read.
#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

pub(super) async fn read(
    format: &Format,
    connection: &mut Connection,
    response: &mut Response<Incoming>,
    draft: &mut Draft,
) -> Outcome {
    let status = response.status().as_u16();
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|kind| is_problem(kind.as_bytes()));
    let body = bounded(connection, response.body_mut()).await;
    let problem = if is_problem { serde_json::from_slice::<Problem>(&body).ok() } else { None };
    if let Some((code, problem)) = problem.and_then(|problem| Some((problem.code()?, problem))) {
        draft.detail = problem.detail.or(problem.title).map(|text| excerpt(&text));
        return Outcome::problem(status, &code);
    }
    draft.detail = Some(excerpt(&String::from_utf8_lossy(&body))).filter(|text| !text.is_empty());
    match format.refusal_code(&body) {
        Some(code) => Outcome::problem(status, &code),
        None => Outcome::Status { status },
    }
}

impl Problem {
    fn code(&self) -> Option<String> {
        let last_part = |kind: &String| kind.rsplit(['/', ':', '#']).next().map(ToOwned::to_owned);
        let code = self.code.clone().or_else(|| self.kind.as_ref().and_then(last_part));
        code.filter(|code| !code.is_empty())
    }
}

fn is_problem(kind: &[u8]) -> bool {
    kind.to_ascii_lowercase().starts_with(b"application/problem+json")
}

/// What came, as far as it came.
async fn bounded(connection: &mut Connection, body: &mut Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = connection.piece(body).await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LARGEST_BODY {
            break;
        }
    }
    bytes
}

/// The beginning of a text on one line.
fn excerpt(text: &str) -> String {
    let text: String = text.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_EXCERPT).collect()
}
