//! A client that does not read: it is Bedrock that must wait, not the function's memory that must grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use local_bedrock::{Generation, Generator, Prompt, Refusal};
use tokio::net::TcpListener;

use crate::app::instant;
use crate::runtime_api::{RuntimeApi, event};

const TOKENS: usize = 150;
const MEBIBYTE: usize = 1024 * 1024;

/// A reply of half a mebibyte a token, without a wait, which counts what is taken of it.
struct Torrent(Arc<AtomicUsize>);

impl Generator for Torrent {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let reply = instant().pieces((0..TOKENS).map(|_| "y".repeat(MEBIBYTE / 2))).generate(prompt)?;
        let (input_tokens, taken) = (reply.input_tokens(), self.0.clone());
        let steps = reply.into_steps().inspect(move |_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        Ok(Generation::new(input_tokens, steps))
    }
}

/// The most memory that a process has had, in bytes.
fn peak_memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    1024 * kibibytes.and_then(|number| number.parse::<usize>().ok()).expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_takes_nothing_holds_bedrock_back_and_memory_stays_small() {
    let taken = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let config = local_bedrock::Config::new(Arc::new(Torrent(taken.clone())));
    tokio::spawn(local_bedrock::run(listener, config, std::future::pending()));

    let mut platform = RuntimeApi::start(&[("AWS_ENDPOINT_URL", &endpoint)]).await;
    let question = event("POST", "/api/chat", r#"{"message":"Yo"}"#);
    // For comparison: how long it takes where somebody reads.
    let begun = Instant::now();
    platform.invoke("r-0", &question).await;
    let mut read = platform.request().await;
    read.drain().await;
    platform.answer(read, "202 Accepted", "", "").await;
    assert_eq!(platform.record().await["Outcome"], "done");
    assert_eq!(taken.swap(0, Ordering::Relaxed), TOKENS, "every token");

    let poll = platform.poll().await;
    let timeout = Duration::from_secs(3).max(2 * begun.elapsed());
    platform.hand_for(timeout, poll, "r-1", &question).await;
    let unread = platform.request().await;
    // The function gives up shortly before its deadline, and until then had every chance to take more.
    assert_eq!(platform.record().await["Outcome"], "cut");
    drop(unread);

    // What the sockets' own buffers hold on the way is a few mebibytes for each of the two connections.
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < TOKENS / 2, "Bedrock could send {taken} of {TOKENS} tokens");
    let peak = peak_memory(platform.process_id());
    assert!(peak < 40 * MEBIBYTE, "{peak} bytes of memory");
}
