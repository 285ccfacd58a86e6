//! Bedrock's bytes, good and bad, through the real SDK: each file of `tests/wire/bedrock` as a reply.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::app::App;
use crate::sse::{terminal, text};

/// Answers every POST with these bytes as an event stream, and everything else with a 404. Closes after each.
async fn bedrock(reply: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, reply.clone()));
        }
    });
    endpoint
}

async fn answer(mut connection: TcpStream, reply: Vec<u8>) {
    let mut request = Vec::new();
    // The last member of the body: its end is the end of the request, whose framing is of no interest here.
    while !request.ends_with(b"}") && !request.ends_with(b"\r\n\r\n")
        || request.starts_with(b"POST") && !request.ends_with(b"}")
    {
        if !matches!(connection.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    let head = if request.starts_with(b"POST") {
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n"
    } else {
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    };
    let reply = if request.starts_with(b"POST") { reply } else { Vec::new() };
    let _ = connection.write_all(&[head.as_bytes(), &reply].concat()).await;
}

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
        let app = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock(bytes).await).start().await;
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
