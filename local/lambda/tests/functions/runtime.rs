//! A Runtime API client over plain sockets: one connection for each call.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PATH: &str = "/2018-06-01/runtime";
pub(crate) const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

/// The error trailers, declared before they come.
pub(crate) const TRAILER: &str = "lambda-runtime-function-error-type, lambda-runtime-function-error-body";

/// The answer to a call: status, headers in lower case, body.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An invocation as `/next` gave it.
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) event: String,
}

fn connect() -> Result<TcpStream> {
    let stream = TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API")?)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks for the next invocation and waits for it.
pub(crate) fn next() -> Result<Invocation> {
    let answer = call("GET", "/invocation/next", &[], b"")?;
    if answer.status != 200 {
        return Err(format!("/next answered {}", answer.status).into());
    }
    let id = answer.headers.get("lambda-runtime-aws-request-id").ok_or("no request id")?.clone();
    Ok(Invocation { id, event: String::from_utf8(answer.body)?, headers: answer.headers })
}

/// Asks for the next invocation and closes the connection without waiting.
pub(crate) fn abandon_next() -> Result<()> {
    let head = format!("GET {PATH}/invocation/next HTTP/1.1\r\nhost: runtime\r\n\r\n");
    Ok(connect()?.write_all(head.as_bytes())?)
}

/// One call with a whole body.
pub(crate) fn call(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    request(method, &format!("{PATH}{path}"), headers, body)
}

/// One call outside the Runtime API.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let mut stream = connect()?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: runtime\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(&[head.as_bytes(), body].concat())?;
    read_answer(stream)
}

/// Posts a buffered answer.
pub(crate) fn respond(id: &str, document: &str) -> Result<Answer> {
    call("POST", &format!("/invocation/{id}/response"), &[], document.as_bytes())
}

/// A streamed answer under way.
pub(crate) struct Streaming(TcpStream);

impl Streaming {
    pub(crate) fn begin(id: &str, content_type: &str) -> Result<Self> {
        let mut stream = connect()?;
        let head = format!(
            "POST {PATH}/invocation/{id}/response HTTP/1.1\r\nhost: runtime\r\n\
             lambda-runtime-function-response-mode: streaming\r\ncontent-type: {content_type}\r\n\
             transfer-encoding: chunked\r\ntrailer: {TRAILER}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        Ok(Self(stream))
    }

    /// One chunk in one write.
    pub(crate) fn chunk(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        let bytes = bytes.as_ref();
        let head = format!("{:x}\r\n", bytes.len());
        Ok(self.0.write_all(&[head.as_bytes(), bytes, b"\r\n"].concat())?)
    }

    /// Whether the platform has answered, or closed the connection, before the answer's end.
    pub(crate) fn is_answered(&self) -> Result<bool> {
        self.0.set_nonblocking(true)?;
        let waiting = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false)?;
        match waiting {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
            answered => Ok(answered.map(|_| true)?),
        }
    }

    /// Waits until the platform ends the connection; whether it did so without an answer. A proper close and a
    /// reset are alike.
    pub(crate) fn ends_in_cut(mut self) -> bool {
        !matches!(self.0.read(&mut [0]), Ok(1))
    }

    pub(crate) fn end(mut self) -> Result<Answer> {
        self.0.write_all(b"0\r\n\r\n")?;
        read_answer(self.0)
    }

    pub(crate) fn end_with_trailers(mut self, trailers: &[(&str, &str)]) -> Result<Answer> {
        let mut end = "0\r\n".to_owned();
        for (name, value) in trailers {
            end.push_str(&format!("{name}: {value}\r\n"));
        }
        end.push_str("\r\n");
        self.0.write_all(end.as_bytes())?;
        read_answer(self.0)
    }
}

fn read_answer(stream: TcpStream) -> Result<Answer> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).ok_or("no status line")?.parse()?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(Ok(0), |length| length.parse())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Answer { status, headers, body })
}
