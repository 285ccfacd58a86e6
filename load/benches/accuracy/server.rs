//! A server with known timing. It speaks HTTP/1.1 by hand, so that the moment that it notes is that of the write
//! itself.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::rc::Rc;
use std::time::Duration;

use bro_load::distribution::{Distribution, Precision};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use super::Failure;

/// To the first token, and from each to the next.
const STEP: Duration = Duration::from_millis(20);
const TOKENS: u32 = 20;
/// A reply's whole length.
pub(crate) const REPLY: Duration = Duration::from_millis(400);
/// Longer requests are not this benchmark's.
const LONGEST_REQUEST: usize = 64 * 1_024;
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// What it did, by its own clock.
struct Truth {
    ttft: Distribution,
    gap: Distribution,
}

impl Default for Truth {
    fn default() -> Self {
        Self { ttft: Distribution::new(Precision::Fine), gap: Distribution::new(Precision::Fine) }
    }
}

impl Truth {
    fn line(&self) -> String {
        let figures = [self.ttft.percentile(50.0), self.ttft.percentile(99.0), self.gap.percentile(99.0)];
        figures.map(|ms| ms.unwrap_or(f64::NAN).to_string()).join(" ")
    }
}

/// Says its port on standard output, and serves until standard input ends.
pub(crate) fn run() -> Result<(), Failure> {
    std::thread::spawn(|| {
        // Nothing is ever sent: the end is the end of the process that started this one.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
        let truth = Rc::new(RefCell::new(Truth::default()));
        loop {
            let (connection, _) = listener.accept().await?;
            connection.set_nodelay(true)?;
            let truth = truth.clone();
            // A client that goes away is none of the server's business.
            tokio::task::spawn_local(async move { serve(connection, &truth).await.ok() });
        }
    })
}

async fn serve(mut connection: TcpStream, truth: &RefCell<Truth>) -> Result<(), Failure> {
    let mut buffer = Vec::new();
    while let Some(target) = request(&mut connection, &mut buffer).await? {
        if target == "/truth" {
            let line = truth.take().line();
            connection.write_all(line.as_bytes()).await?;
            return Ok(());
        }
        reply(&mut connection, truth).await?;
    }
    Ok(())
}

/// Reads one request whole, and tells its target; nothing at the end of the connection.
async fn request(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<String>, Failure> {
    loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let whole = end + 4 + length.map_or(Ok(0), |length| length.trim().parse::<usize>())?;
            if buffer.len() >= whole {
                buffer.drain(..whole);
                return Ok(head.split(' ').nth(1).map(str::to_owned));
            }
        }
        if buffer.len() > LONGEST_REQUEST {
            return Err("a request is too long".into());
        }
        if connection.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn reply(connection: &mut TcpStream, truth: &RefCell<Truth>) -> Result<(), Failure> {
    let received = Instant::now();
    connection.write_all(&[HEAD, &chunk("start", r#"{"id":"1","model":"m","mode":"bro"}"#)].concat()).await?;
    let (mut ttft, mut last) = (Duration::ZERO, received);
    for number in 1..=TOKENS {
        // Each from the one before, as a model makes them: what is late stays late.
        sleep_until(last + STEP).await;
        let written = Instant::now();
        connection.write_all(&chunk("token", r#"{"text":"word "}"#)).await?;
        if number == 1 {
            ttft = written - received;
            truth.borrow_mut().ttft.record(ttft);
        } else {
            truth.borrow_mut().gap.record(written - last);
        }
        last = written;
    }
    let (ttft, total) = (millis(ttft), millis(received.elapsed()));
    let done = format!(
        r#"{{"stop_reason":"end_turn","usage":{{"input_tokens":1,"output_tokens":{TOKENS},"total_tokens":{}}},"timing":{{"ttft_ms":{ttft},"total_ms":{total},"bedrock_ms":null,"phases":{{"parse_ms":0,"govern_ms":0,"bedrock_head_ms":0,"first_delta_ms":{ttft},"first_token_write_ms":{ttft}}}}}}}"#,
        TOKENS + 1
    );
    connection.write_all(&[chunk("done", &done).as_slice(), b"0\r\n\r\n"].concat()).await?;
    Ok(())
}

/// One event as one chunk.
fn chunk(event: &str, data: &str) -> Vec<u8> {
    let event = format!("event: {event}\ndata: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
