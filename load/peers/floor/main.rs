//! A function that answers at once, without a model: what it takes is the stand-in for Lambda's own time. The tokens
//! after the first come at the scripted model's pace, so that the machine wakes for them as it does in the other arms.
//! Blocking sockets, no runtime, no JSON, no dependency; one kept connection for each direction.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// The prelude and eight NUL bytes, then the first events.
const BEGINNING: &[u8] =
    b"{\"statusCode\":200,\"headers\":{\"content-type\":\"text/event-stream\",\"cache-control\":\"no-store\"}}\
    \0\0\0\0\0\0\0\0\
    event: start\ndata: {}\n\n\
    event: token\ndata: {\"text\":\"Yo\"}\n\n";
const TOKEN: &[u8] = b"event: token\ndata: {\"text\":\"Yo\"}\n\n";
const ENDING: &[u8] = b"event: done\ndata: {\"stop_reason\":\"end_turn\",\"usage\":null}\n\n";
/// From one token to the next, as the scripted model has it.
const GAP: Duration = Duration::from_millis(5);
/// What precedes the number of tokens in a request.
const WISH: &[u8] = b"something in ";
/// How late the kernel may wake this thread, in nanoseconds. Its own 50,000 would be in each gap of this arm, and in no
/// other's: they wait for sockets.
const TIMER_SLACK: &str = "1";
/// The longest head of a response, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// How long the answer to a `POST` may take. A `GET /next` waits for as long as there is no invocation.
const PATIENCE: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "it has no other settings")]
fn main() -> io::Result<()> {
    let endpoint = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    // Where there is no such file, the gaps are that much longer.
    let _ = std::fs::write("/proc/self/timerslack_ns", TIMER_SLACK);
    let mut polling = connect(&endpoint)?;
    let mut answering = connect(&endpoint)?;
    answering.set_read_timeout(Some(PATIENCE))?;
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {endpoint}\r\n\r\n");
    let mut read = Vec::with_capacity(LONGEST_HEAD);
    let mut request = Vec::with_capacity(1024);
    loop {
        polling.write_all(next.as_bytes())?;
        let head = response(&mut polling, &mut read)?;
        let id = header(head, "lambda-runtime-aws-request-id").ok_or_else(|| broken("an invocation without an id"))?;
        request.clear();
        write!(
            request,
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\n\
             host: {endpoint}\r\n\
             transfer-encoding: chunked\r\n\
             lambda-runtime-function-response-mode: streaming\r\n\
             content-type: application/vnd.awslambda.http-integration-response\r\n\r\n"
        )?;
        chunk(&mut request, BEGINNING)?;
        let began = Instant::now();
        answering.write_all(&request)?;
        // Only now: nothing is looked at before the first token.
        let tokens = tokens(&read).ok_or_else(|| broken("a request that names no number of tokens"))?;
        for said in 1..tokens {
            request.clear();
            chunk(&mut request, TOKEN)?;
            thread::sleep((began + GAP * said).saturating_duration_since(Instant::now()));
            answering.write_all(&request)?;
        }
        request.clear();
        chunk(&mut request, ENDING)?;
        request.extend_from_slice(b"0\r\n\r\n");
        answering.write_all(&request)?;
        response(&mut answering, &mut read)?;
    }
}

fn chunk(request: &mut Vec<u8>, data: &[u8]) -> io::Result<()> {
    write!(request, "{:x}\r\n", data.len())?;
    request.extend_from_slice(data);
    request.extend_from_slice(b"\r\n");
    Ok(())
}

fn connect(endpoint: &str) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(endpoint)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Reads one whole response into `read`, and returns its head.
fn response<'a>(connection: &mut TcpStream, read: &'a mut Vec<u8>) -> io::Result<&'a str> {
    read.clear();
    let end = loop {
        fill(connection, read)?;
        if let Some(end) = find(read, b"\r\n\r\n") {
            break end + 4;
        }
        if read.len() > LONGEST_HEAD {
            return Err(broken("a head without an end"));
        }
    };
    let length = header(head(read, end)?, "content-length").unwrap_or("0");
    let length: usize = length.parse().map_err(|_| broken("a length that is no number"))?;
    while read.len() < end + length {
        fill(connection, read)?;
    }
    head(read, end)
}

/// How many tokens a request asks for.
fn tokens(request: &[u8]) -> Option<u32> {
    let wish = request.get(find(request, WISH)? + WISH.len()..)?;
    let digits = wish.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Where a text begins in another.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn head(read: &[u8], end: usize) -> io::Result<&str> {
    let head = read.get(..end).and_then(|head| std::str::from_utf8(head).ok());
    head.ok_or_else(|| broken("a head that is no text"))
}

/// Appends what has come, at least one byte.
fn fill(connection: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    let count = connection.read(&mut chunk)?;
    match chunk.get(..count) {
        Some([]) | None => Err(broken("the Runtime API has closed the connection")),
        Some(bytes) => {
            read.extend_from_slice(bytes);
            Ok(())
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then(|| value.trim()))
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_as_many_tokens_as_the_request_asks_for() {
        let request =
            br#"HTTP/1.1 200 OK ... {"body":"{\"message\":\"Yo! Tell me something in 16 tokens, will you?\"}"}"#;
        assert_eq!(tokens(request), Some(16));
        assert_eq!(tokens(b"Tell me something"), None);
    }
}
