//! How long after Bedrock sent the first token it is in the client's hands.
//!
//! Everything runs on this machine: the client, the stand-in for Lambda, the deployed binary (`BRO_BUDDY_BIN`)
//! and the stand-in for Bedrock, whose generator notes the moment at which it lets each first token go. One
//! request at a time. Run it with `make bench-parts`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use local_bedrock::{Generation, Generator, Prompt, Refusal, Scripted, Step};
use local_lambda::Function;
use tokio::net::TcpListener;

const WARM_UP: usize = 50;
const REQUESTS: usize = 1_000;
const BEDROCK_TTFT: Duration = Duration::from_millis(5);
const TOKENS: usize = 8;

type Failure = Box<dyn std::error::Error>;

/// A scripted generator that notes when it lets a reply's first token go.
struct Noting {
    scripted: Scripted,
    sent: Arc<Mutex<Option<Instant>>>,
}

impl Generator for Noting {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let generation = self.scripted.generate(prompt)?;
        let (input_tokens, sent) = (generation.input_tokens(), self.sent.clone());
        let steps = generation.into_steps().inspect(move |step| {
            if let (Ok(Step::Piece(_)), Ok(mut sent)) = (step, sent.lock()) {
                sent.get_or_insert_with(Instant::now);
            }
        });
        Ok(Generation::new(input_tokens, steps))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "the benchmark's own configuration")]
    let binary = std::env::var_os("BRO_BUDDY_BIN").map(PathBuf::from).ok_or("BRO_BUDDY_BIN must name the function")?;
    let sent = Arc::new(Mutex::new(None));
    let scripted = Scripted::default().ttft(BEDROCK_TTFT).gap(Duration::from_millis(1)).tokens(TOKENS);
    let generator = Noting { scripted, sent: sent.clone() };

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let bedrock = local_bedrock::Config::new(Arc::new(generator));
    tokio::spawn(async move { local_bedrock::run(listener, bedrock, std::future::pending()).await });

    let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
    let function = Function::new(binary).env("MODEL_ID", profile).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", endpoint);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/api/chat", listener.local_addr()?);
    let lambda = local_lambda::Config::new(function);
    tokio::spawn(async move { local_lambda::run(listener, lambda, std::future::pending()).await });

    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let mut delays = Vec::with_capacity(REQUESTS);
    for n in 0..WARM_UP + REQUESTS {
        if let Ok(mut sent) = sent.lock() {
            *sent = None;
        }
        let request = client.post(&url).header("content-type", "application/json").body(r#"{"message":"Yo"}"#);
        let mut response = request.send().await?.error_for_status()?;
        let mut seen = Vec::new();
        let mut first_token = None;
        while let Some(chunk) = response.chunk().await? {
            seen.extend_from_slice(&chunk);
            if first_token.is_none() && seen.windows(12).any(|window| window == b"event: token") {
                first_token = Some(Instant::now());
            }
        }
        let sent = sent.lock().ok().and_then(|sent| *sent).ok_or("Bedrock sent no token")?;
        let first_token = first_token.ok_or("no token came")?;
        if n >= WARM_UP {
            delays.push(first_token.duration_since(sent));
        }
    }
    delays.sort();
    let percentile = |p: usize| delays.get(delays.len() * p / 100).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3);
    writeln!(
        std::io::stdout(),
        "first token, from Bedrock's sending it to the client's reading it, {REQUESTS} requests: \
         p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms",
        percentile(50),
        percentile(90),
        percentile(99)
    )?;
    Ok(())
}
