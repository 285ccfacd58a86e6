//! What the connection that init opens saves a sandbox's first chat request, over TLS.
//!
//! The deployed binary (`BRO_BUDDY_BIN`) runs between the stand-ins, with a TLS terminator before the one for Bedrock.
//! In half of the starts the connection of the warm-up is dropped before its handshake, so that the first request has to
//! open one itself. Everything is on this machine: on a network each round trip of the handshakes, TCP's and TLS's, comes
//! on top. Run it with `make bench-parts`.

#![allow(clippy::expect_used, reason = "the terminator is the tests' own")]
#![allow(unreachable_pub, reason = "a benchmark has no outside")]

#[path = "../tests/function/terminator.rs"]
#[allow(dead_code, reason = "the tests need all of it")]
mod terminator;

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use local_bedrock::Scripted;
use local_lambda::Function;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::terminator::Terminator;

const STARTS: usize = 100;
/// Longer than any warm-up takes.
const WARM_UP: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
enum WarmUp {
    Succeeds,
    Fails,
}

/// Times to the first token of the first requests of two sorts of starts, and of second requests.
#[derive(Default)]
struct Times {
    warmed: Vec<Duration>,
    not_warmed: Vec<Duration>,
    second: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "the benchmark's own configuration")]
    let binary = std::env::var_os("BRO_BUDDY_BIN").map(PathBuf::from).ok_or("BRO_BUDDY_BIN must name the function")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let bedrock = listener.local_addr()?.to_string();
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).tokens(4);
    tokio::spawn(local_bedrock::run(listener, local_bedrock::Config::new(Arc::new(scripted)), std::future::pending()));
    let tls = Terminator::start(bedrock).await;

    let mut times = Times::default();
    for _ in 0..STARTS {
        let (first, second) = start(&binary, &tls, WarmUp::Succeeds).await?;
        times.warmed.push(first);
        times.second.push(second);
        times.not_warmed.push(start(&binary, &tls, WarmUp::Fails).await?.0);
    }
    if tls.handshakes() != 2 * STARTS {
        return Err(format!("{} handshakes instead of one for each start", tls.handshakes()).into());
    }
    let mut out = std::io::stdout();
    writeln!(out, "first token over TLS, {STARTS} starts of each sort")?;
    row(&mut out, "first request, connection opened during init", times.warmed)?;
    row(&mut out, "first request, without that", times.not_warmed)?;
    row(&mut out, "second request", times.second)?;
    Ok(())
}

fn row(out: &mut impl std::io::Write, name: &str, mut times: Vec<Duration>) -> std::io::Result<()> {
    times.sort();
    let percentile = |p: usize| times.get(times.len() * p / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    writeln!(out, "{name:<46} p50 {:.2} ms, p90 {:.2} ms", percentile(50), percentile(90))
}

/// Starts a sandbox, waits until its connection is open where it opens one, and asks twice.
async fn start(binary: &Path, tls: &Terminator, warm_up: WarmUp) -> Result<(Duration, Duration), Box<dyn Error>> {
    let before = tls.handshakes();
    let door = door(tls.address().to_owned(), warm_up).await?;
    let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
    let function = Function::new(binary)
        .env("MODEL_ID", profile)
        .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", door)
        .env("SSL_CERT_FILE", tls.authority.path());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let lambda = tokio::spawn(local_lambda::run(listener, local_lambda::Config::new(function), async {
        let _ = stopped.await;
    }));

    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let healthy = async || client.get(format!("{url}/healthz")).send().await?.error_for_status()?.bytes().await;
    healthy().await?;
    if matches!(warm_up, WarmUp::Succeeds) {
        timeout(WARM_UP, tls.handshakes_beyond(before)).await?;
        // The function has one thread: what was there before this request is read before it is answered.
        healthy().await?;
    }
    let first = first_token(&client, &url).await?;
    let second = first_token(&client, &url).await?;
    drop(stop);
    lambda.await??;
    Ok((first, second))
}

/// The way to the terminator. The first connection is the warm-up's.
async fn door(inner: String, warm_up: WarmUp) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}", listener.local_addr()?.port());
    tokio::spawn(async move {
        let mut drops_one = matches!(warm_up, WarmUp::Fails);
        while let Ok((mut connection, _)) = listener.accept().await {
            if std::mem::take(&mut drops_one) {
                continue;
            }
            let inner = inner.clone();
            tokio::spawn(async move {
                let mut onwards = TcpStream::connect(inner).await?;
                connection.set_nodelay(true)?;
                onwards.set_nodelay(true)?;
                copy_bidirectional(&mut connection, &mut onwards).await
            });
        }
    });
    Ok(url)
}

async fn first_token(client: &reqwest::Client, url: &str) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let request = client.post(format!("{url}/api/chat")).header("content-type", "application/json");
    let mut response = request.body(r#"{"message":"Yo"}"#).send().await?.error_for_status()?;
    let mut seen = Vec::new();
    let mut first_token = None;
    while let Some(chunk) = response.chunk().await? {
        seen.extend_from_slice(&chunk);
        if first_token.is_none() && seen.windows(12).any(|window| window == b"event: token") {
            first_token = Some(start.elapsed());
        }
    }
    Ok(first_token.ok_or("no token came")?)
}
