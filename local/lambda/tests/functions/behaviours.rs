//! What the test functions do.

use std::io::Write;
use std::process::Command;

use crate::extension;
use crate::runtime::{Answer, HTTP_INTEGRATION, Invocation, Result, Streaming, abandon_next, call, next, respond};

const PRELUDE: &[u8] = b"{\"statusCode\":200,\"headers\":{\"content-type\":\"text/event-stream\"}}\0\0\0\0\0\0\0\0";

const ERROR_TRAILERS: [(&str, &str); 2] = [
    ("Lambda-Runtime-Function-Error-Type", "Function.Broken"),
    // {"errorMessage":"it broke"}
    ("Lambda-Runtime-Function-Error-Body", "eyJlcnJvck1lc3NhZ2UiOiJpdCBicm9rZSJ9"),
];

/// Runs the behaviour of the given name, for as many invocations as there are.
pub(crate) fn run(name: &str) -> Result<()> {
    match name {
        "echo" => each(|invocation| {
            let body = serde_json::to_string(&invocation.event)?;
            respond(&invocation.id, &format!("{{\"statusCode\":200,\"body\":{body}}}"))
        }),
        "delivery" => each(|invocation| respond(&invocation.id, &serde_json::to_string(&invocation.headers)?)),
        "environment" => each(environment),
        "pid" => each(|invocation| respond(&invocation.id, &std::process::id().to_string())),
        "once" => {
            respond(&next()?.id, &std::process::id().to_string())?;
            std::process::exit(0)
        }
        "loses-its-poll" => {
            respond(&next()?.id, &std::process::id().to_string())?;
            abandon_next()?;
            wait_for_release()?;
            std::process::exit(9)
        }
        "buffered" => each(|invocation| respond(&invocation.id, &body_of(invocation)?)),
        "steps" => each(steps),
        "byte-by-byte" => each(byte_by_byte),
        "raw-stream" => each(|invocation| {
            let mut stream = Streaming::begin(&invocation.id, "application/json")?;
            stream.chunk("raw")?;
            answered(stream.end()?)
        }),
        "prelude" => each(prelude),
        "no-delimiter" => each(|invocation| {
            let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
            stream.chunk(vec![b'x'; 17 * 1024])?;
            stream.end()
        }),
        "error-trailer" => each(error_trailer),
        "error-trailer-first" => each(|invocation| {
            let stream = Streaming::begin(&invocation.id, "application/octet-stream")?;
            stream.end_with_trailers(&ERROR_TRAILERS)
        }),
        "bytes" => each(bytes),
        "buffered-bytes" => each(|invocation| {
            let length = body_of(invocation)?.parse()?;
            answered(respond(&invocation.id, &"x".repeat(length))?)
        }),
        "until-cut" => each(until_cut),
        "breaks-off" => each(|invocation| {
            let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
            stream.chunk(PRELUDE)?;
            stream.chunk("half")?;
            drop(stream);
            wait_for_release()?;
            Ok(Answer::default())
        }),
        "error" => each(|invocation| {
            let path = format!("/invocation/{}/error", invocation.id);
            let document = br#"{"errorType":"Broken","errorMessage":"it is broken"}"#;
            call("POST", &path, &[("lambda-runtime-function-error-type", "Function.Broken")], document)
        }),
        "exit-in-init" => {
            writeln!(std::io::stderr(), "no configuration")?;
            std::process::exit(3)
        }
        "init-error" => {
            let document = br#"{"errorType":"Config.Missing","errorMessage":"MODEL_ID is missing"}"#;
            call("POST", "/init/error", &[], document)?;
            std::process::exit(1)
        }
        "init-error-then-next" => {
            let document = br#"{"errorType":"Config.Missing","errorMessage":"MODEL_ID is missing"}"#;
            call("POST", "/init/error", &[], document)?;
            let refused = call("GET", "/invocation/next", &[], b"")?;
            writeln!(std::io::stdout(), "next answered {}", refused.status)?;
            std::process::exit(1)
        }
        "init-fails-once" => {
            let mark = std::env::var("MARK")?;
            if !std::fs::exists(&mark)? {
                std::fs::write(mark, "")?;
                std::process::exit(3)
            }
            each(|invocation| respond(&invocation.id, &serde_json::to_string(&invocation.headers)?))
        }
        "hang-in-init" => loop {
            std::thread::park();
        },
        "crash" => {
            next()?;
            std::process::exit(7)
        }
        "crash-in-stream" => {
            let invocation = next()?;
            let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
            stream.chunk(PRELUDE)?;
            stream.chunk("half")?;
            wait_for_release()?;
            std::process::exit(7)
        }
        "hang" => {
            next()?;
            loop {
                std::thread::park();
            }
        }
        "hang-in-stream" => {
            let invocation = next()?;
            let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
            stream.chunk(PRELUDE)?;
            stream.chunk("half")?;
            loop {
                std::thread::park();
            }
        }
        "wrong-calls" => each(wrong_calls),
        "log" => each(log),
        "sigterm" => {
            extension::say_when_terminated()?;
            each(|invocation| respond(&invocation.id, "0"))
        }
        "internal-extension" => {
            extension::say_when_terminated()?;
            extension::register_and_log_events(&["INVOKE"])?;
            each(|invocation| respond(&invocation.id, "0"))
        }
        "sigterm-ignored" => {
            extension::ignore_termination()?;
            extension::register_and_log_events(&[])?;
            each(|invocation| respond(&invocation.id, &std::process::id().to_string()))
        }
        "wrong-extension-calls" => extension::wrong_calls(),
        "child" => {
            let child = Command::new("/bin/sleep").arg("1000").spawn()?;
            each(move |invocation| respond(&invocation.id, &format!("{} {}", std::process::id(), child.id())))
        }
        other => Err(format!("no behaviour is called {other}").into()),
    }
}

fn each(mut answer: impl FnMut(&Invocation) -> Result<Answer>) -> Result<()> {
    loop {
        answer(&next()?)?;
    }
}

fn event(invocation: &Invocation) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&invocation.event)?)
}

fn body_of(invocation: &Invocation) -> Result<String> {
    let body = event(invocation)?.get("body").and_then(|body| body.as_str().map(str::to_owned));
    Ok(body.ok_or("the request has no body")?)
}

fn environment(invocation: &Invocation) -> Result<Answer> {
    let mut variables: serde_json::Map<_, _> = std::env::vars().map(|(name, value)| (name, value.into())).collect();
    variables.insert("cwd".to_owned(), std::env::current_dir()?.to_string_lossy().into());
    respond(&invocation.id, &serde_json::to_string(&variables)?)
}

/// Waits for the test, which listens on the port that `RELEASE` names, to close a connection.
fn wait_for_release() -> Result<()> {
    use std::io::Read;
    let mut test = std::net::TcpStream::connect(std::env::var("RELEASE")?)?;
    test.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Streams as many bytes as the request's body says, after a prelude of 2 bytes and its delimiter.
fn bytes(invocation: &Invocation) -> Result<Answer> {
    let length: usize = body_of(invocation)?.parse()?;
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    stream.chunk(b"{}\0\0\0\0\0\0\0\0")?;
    for chunk in vec![b'x'; length].chunks(64 * 1024) {
        // Also what is refused is read to its end.
        stream.chunk(chunk)?;
    }
    answered(stream.end()?)
}

/// Begins to stream, and says when the platform cuts it.
fn until_cut(invocation: &Invocation) -> Result<Answer> {
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    stream.chunk(PRELUDE)?;
    stream.chunk("one")?;
    writeln!(std::io::stdout(), "{}", if stream.ends_in_cut() { "cut" } else { "answered" })?;
    Ok(Answer::default())
}

/// Sends three events, each only when the test lets it.
fn steps(invocation: &Invocation) -> Result<Answer> {
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    stream.chunk(PRELUDE)?;
    for step in ["one", "two", "three"] {
        wait_for_release()?;
        stream.chunk(step)?;
    }
    if stream.is_answered()? {
        writeln!(std::io::stdout(), "answered too early")?;
    }
    answered(stream.end()?)
}

/// Tells the test, through the log, that the platform has accepted an answer.
fn answered(answer: Answer) -> Result<Answer> {
    writeln!(std::io::stdout(), "answered {}", answer.status)?;
    Ok(answer)
}

fn byte_by_byte(invocation: &Invocation) -> Result<Answer> {
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    for byte in PRELUDE.iter().chain(b"payload") {
        stream.chunk([*byte])?;
    }
    stream.end()
}

/// Uses the request's body as the prelude.
fn prelude(invocation: &Invocation) -> Result<Answer> {
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    stream.chunk([body_of(invocation)?.as_bytes(), &[0; 8], b"payload"].concat())?;
    answered(stream.end()?)
}

fn error_trailer(invocation: &Invocation) -> Result<Answer> {
    let mut stream = Streaming::begin(&invocation.id, HTTP_INTEGRATION)?;
    stream.chunk(PRELUDE)?;
    stream.chunk("half")?;
    wait_for_release()?;
    stream.end_with_trailers(&ERROR_TRAILERS)
}

/// Makes calls that the Runtime API refuses, then answers with what it said to each.
fn wrong_calls(invocation: &Invocation) -> Result<Answer> {
    let id = &invocation.id;
    let mut seen = Vec::new();
    for (method, path) in [
        ("POST", "/invocation/another-id/response".to_owned()),
        ("POST", "/invocation/another-id/error".to_owned()),
        ("GET", "/invocation/next".to_owned()),
        ("POST", "/init/error".to_owned()),
        ("GET", format!("/invocation/{id}/response")),
        ("GET", "/../extension/event/next".to_owned()),
    ] {
        let answer = call(method, &path, &[], b"{}")?;
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let kind = document.get("errorType").and_then(|kind| kind.as_str()).unwrap_or("-");
        seen.push(format!("{} {kind}", answer.status));
    }
    respond(id, &serde_json::to_string(&seen)?)
}

/// Writes the request's body to standard output and a mark to standard error.
fn log(invocation: &Invocation) -> Result<Answer> {
    let body = body_of(invocation)?;
    writeln!(std::io::stdout(), "{body}")?;
    writeln!(std::io::stderr(), "to stderr")?;
    respond(&invocation.id, "logged")
}
