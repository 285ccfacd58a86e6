//! The byte fixtures in `tests/wire/bedrock`, which other readers of the stream are tested on.
//! `UPDATE_FIXTURES=1 cargo test -p local-bedrock fixtures` writes them anew.

use std::{path::Path, time::Duration};

use futures::TryStreamExt;

use super::*;
use crate::{Generator, Prompt, Scripted};

/// The stream that a client reads of a reply in `pieces`, up to where it breaks off.
async fn stream(pieces: &[&str], max_tokens: u32, fault: Option<Fault>) -> Vec<Bytes> {
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": [{"text": "Yo, three colours?"}]}],
        "inferenceConfig": {"maxTokens": max_tokens},
    });
    let prompt = Prompt::parse(body.to_string().as_bytes()).unwrap();
    let limits = Limits::of(&prompt);
    let script = Scripted::default().ttft(Duration::from_millis(40)).gap(Duration::from_millis(10));
    let generation = script.pieces(pieces.iter().copied()).generate(prompt).unwrap();
    let reply = Reply::generated(generation, limits, None, fault, Instant::now());
    let mut frames = reply.into_bytes(fault, Closer::detached());
    let mut read = Vec::new();
    while let Ok(Some(frame)) = frames.try_next().await {
        read.push(frame);
    }
    read
}

const PIECES: [&str; 6] = ["Yo", ", bro", "! ", "🙂", " grün,\n", "青"];

async fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let reply = stream(&PIECES, 150, None).await;
    let faulty = |name: &str| stream(&PIECES, 150, Some(name.parse().unwrap()));
    let cut = faulty("truncate@2").await.concat();
    let mut corrupt = reply.concat();
    let within_the_first_delta = reply[0].len() + reply[1].len() / 2;
    corrupt[within_the_first_delta] ^= 1;
    vec![
        ("corrupt-crc.bin", corrupt),
        ("cut-between-frames.bin", cut.clone()),
        ("cut-within-a-frame.bin", cut[..cut.len() - 10].to_vec()),
        ("empty.bin", stream(&[], 150, None).await.concat()),
        ("exception.bin", faulty("exception@2").await.concat()),
        ("max-tokens.bin", stream(&PIECES, 3, None).await.concat()),
        ("reply.bin", reply.concat()),
        ("unknown-event.bin", faulty("unknown-event@1").await.concat()),
    ]
}

#[tokio::test(start_paused = true)]
#[allow(clippy::disallowed_methods, reason = "the environment says what to do with the fixtures, not how to run")]
async fn fixtures_are_what_the_stand_in_sends() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire/bedrock");
    for (name, bytes) in fixtures().await {
        let path = directory.join(name);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} is out of date");
    }
}
