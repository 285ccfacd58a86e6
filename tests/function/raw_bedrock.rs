//! A Bedrock of bytes: the same answer to every request for a reply, whatever it is, and then the end of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts it. Returns its URL and the number of requests for a reply so far; any other gets a 404.
pub async fn answering(head: &'static str, body: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, head, body.clone(), counter.clone()));
        }
    });
    (endpoint, asked)
}

async fn answer(mut connection: TcpStream, head: &str, body: Vec<u8>, asked: Arc<AtomicUsize>) {
    let Some(request) = read_request(&mut connection).await else { return };
    let answer = if request.starts_with("POST ") {
        asked.fetch_add(1, Ordering::Relaxed);
        [format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").into_bytes(), body].concat()
    } else {
        b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()
    };
    let _ = connection.write_all(&answer).await;
}

/// Reads a request with its body, and returns its head; `None` if the connection ends before.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if read.len() >= end + 4 + length {
                return Some(head);
            }
        }
        if !matches!(connection.read_buf(&mut read).await, Ok(1..)) {
            return None;
        }
    }
}
