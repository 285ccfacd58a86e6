//! Requests whose answer is always the same: such as break a rule, and those for something else than a reply.

use reqwest::Method;

/// A key the function knows.
pub(crate) const KEY: &str = "soak-key-0123456789abcdef0123456789abcdef";
/// The same as the function is told it: an id, and the key's SHA-256.
pub(crate) const KEY_DIGEST: &str = "soak:81003b4b6ffa5afce232629bfcde27f404d94c4caa5d056d30a32652a61c9e8d";

/// One such request.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: &'static str,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) answer: Answer,
}

/// A request's body.
#[derive(Debug)]
pub(crate) enum Body {
    /// None.
    Empty,
    /// This text.
    Text(&'static str),
    /// So many spaces.
    Spaces(usize),
}

/// What the answer must be.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Status 200 and this content type.
    Content(&'static str),
    /// A problem document.
    Problem {
        status: u16,
        code: &'static str,
        /// To the field that is at fault.
        pointer: Option<&'static str>,
        /// A header that must be there.
        header: Option<(&'static str, &'static str)>,
    },
}

impl Fixed {
    /// Whether a metric record is written of it: of every request for a reply, refused or not.
    pub(crate) fn is_chat(&self) -> bool {
        let path = self.path.split('?').next();
        path == Some("/api/chat") && matches!(self.method, Method::GET | Method::POST)
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const WITH_KEY: (&str, &str) = ("x-api-key", KEY);

type Headers = &'static [(&'static str, &'static str)];

const fn problem(status: u16, code: &'static str, pointer: Option<&'static str>) -> Answer {
    Answer::Problem { status, code, pointer, header: None }
}

const fn with_header(status: u16, code: &'static str, header: (&'static str, &'static str)) -> Answer {
    Answer::Problem { status, code, pointer: None, header: Some(header) }
}

const fn unauthorized() -> Answer {
    with_header(401, "unauthorized", ("www-authenticate", r#"Bearer realm="bro-buddy""#))
}

const fn post(headers: Headers, body: Body, answer: Answer) -> Fixed {
    Fixed { method: Method::POST, path: "/api/chat", headers, body, answer }
}

/// A body that is JSON by its declaration, with a key.
const fn json(text: &'static str, answer: Answer) -> Fixed {
    post(&[JSON, WITH_KEY], Body::Text(text), answer)
}

const fn bare(method: Method, path: &'static str, headers: Headers, answer: Answer) -> Fixed {
    Fixed { method, path, headers, body: Body::Empty, answer }
}

const SOUND: Body = Body::Text(r#"{"message":"Yo"}"#);

/// Each breaks one rule.
pub(crate) static MALFORMED: [Fixed; 19] = [
    json("", problem(400, "invalid_json", None)),
    json("not JSON", problem(400, "invalid_json", None)),
    json(r#"{"message":"Yo"#, problem(400, "invalid_json", None)),
    json("[]", problem(400, "invalid_request", None)),
    json(r#"{"message":"Yo","message":"Yo"}"#, problem(400, "invalid_request", None)),
    json(r#"{"message":"Yo","max_tokens":4000}"#, problem(400, "invalid_request", Some("/max_tokens"))),
    json(r#"{"message":" \n"}"#, problem(400, "invalid_request", Some("/message"))),
    json(r#"{"message":"Yo","mode":"evil"}"#, problem(400, "invalid_request", Some("/mode"))),
    json(
        r#"{"messages":[{"role":"system","content":"x"}]}"#,
        problem(400, "invalid_request", Some("/messages/0/role")),
    ),
    post(&[JSON, WITH_KEY], Body::Spaces(64 * 1024 + 1), problem(413, "payload_too_large", None)),
    post(&[("content-type", "text/plain"), WITH_KEY], SOUND, problem(415, "unsupported_media_type", None)),
    post(&[JSON], SOUND, unauthorized()),
    post(&[JSON, ("authorization", "Bearer the-key-of-somebody-else")], SOUND, unauthorized()),
    bare(Method::GET, "/api/chat?message=", &[WITH_KEY], problem(400, "invalid_request", Some("/message"))),
    bare(
        Method::GET,
        "/api/chat?message=Yo",
        &[WITH_KEY, ("last-event-id", "r-1")],
        problem(409, "already_answered", None),
    ),
    bare(
        Method::GET,
        "/api/chat?message=Yo",
        &[WITH_KEY, ("sec-fetch-mode", "no-cors")],
        problem(403, "cross_site", None),
    ),
    bare(Method::GET, "/nothing", &[], problem(404, "not_found", None)),
    bare(Method::DELETE, "/api/chat", &[], with_header(405, "method_not_allowed", ("allow", "GET, POST"))),
    bare(Method::PUT, "/healthz", &[], with_header(405, "method_not_allowed", ("allow", "GET, HEAD"))),
];

/// What else there is to ask for.
pub(crate) static OTHER_ROUTES: [Fixed; 3] = [
    bare(Method::GET, "/", &[], Answer::Content("text/html; charset=utf-8")),
    bare(Method::GET, "/api/modes", &[], Answer::Content("application/json")),
    bare(Method::GET, "/healthz", &[], Answer::Content("application/json")),
];
