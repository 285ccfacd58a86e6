//! Bedrock's bytes, good and bad, over a real connection: each file of `tests/wire/bedrock` as a reply.

use std::path::Path;

use crate::app::App;
use crate::raw_bedrock;
use crate::sse::{terminal, text};

#[tokio::test]
async fn every_recorded_stream_ends_as_it_must() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/bedrock");
    for (file, name, field, value) in [
        ("reply", "done", "stop_reason", "end_turn"),
        ("max-tokens", "done", "stop_reason", "max_tokens"),
        ("empty", "done", "stop_reason", "end_turn"),
        ("unknown-event", "done", "stop_reason", "end_turn"),
        ("exception", "error", "code", "model_unavailable"),
        ("cut-between-frames", "error", "code", "stream_interrupted"),
        ("cut-within-a-frame", "error", "code", "stream_interrupted"),
        ("corrupt-crc", "error", "code", "stream_interrupted"),
    ] {
        let bytes = std::fs::read(folder.join(format!("{file}.bin"))).expect(file);
        let head = "200 OK\r\ncontent-type: application/vnd.amazon.eventstream";
        let (endpoint, _) = raw_bedrock::answering(head, bytes).await;
        let app = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &endpoint).start().await;
        let events = app.reply("Yo").await;
        let terminal = terminal(&events);
        assert_eq!((terminal.name.as_str(), &terminal.data[field]), (name, &value.into()), "{file}");
        assert_eq!(app.record().await["error_code"].is_string(), name == "error", "{file}");

        // A broken frame may hold a part of the reply: it must not be in the log.
        let said = text(&events);
        for line in app.log_lines_so_far().await {
            assert!(said.trim().len() < 4 || !line.contains(said.trim()), "{file}: the reply is in the log: {line}");
            assert!(!line.contains("Some(b"), "{file}: a frame is in the log: {line}");
        }
    }
}
