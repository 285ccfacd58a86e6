//! The faults of the network, on real connections.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use local_bedrock::{Config, Network, Scripted};
use serde_json::json;
use support::{Bedrock, question, soon, text_in};
use tokio::{net::TcpStream, time::timeout};

const LONG: Duration = Duration::from_millis(200);

/// A stand-in that says "abcde", under the network's `faults`.
async fn under(faults: &[&str]) -> (Bedrock, Network) {
    let network = Network::default();
    network.set(faults.iter().map(|fault| fault.parse().unwrap()));
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b", "c", "d", "e"]);
    let config = Config::new(Arc::new(scripted)).with_network(network.clone());
    (Bedrock::start(config).await, network)
}

/// Asks once and tells what came, how it ended, and how long it took.
async fn ask(bedrock: &Bedrock) -> (Vec<u8>, Option<ErrorKind>, Duration) {
    let asked = Instant::now();
    let (bytes, end) = bedrock.bytes(question(&json!({}))).await;
    (bytes, end.err().map(|error| error.kind()), asked.elapsed())
}

#[tokio::test]
async fn latency_delays_a_reply_and_leaves_it_whole() {
    let (bedrock, _network) = under(&["latency:latency=250,jitter=50"]).await;
    let (bytes, end, took) = ask(&bedrock).await;
    assert_eq!((text_in(&bytes).as_str(), end), ("abcde", None));
    assert!(took >= LONG, "{took:?}");
}

#[tokio::test]
async fn a_slow_line_takes_its_time() {
    let (bedrock, _network) = under(&["bandwidth:rate=4"]).await;
    let (bytes, end, took) = ask(&bedrock).await;
    assert_eq!((text_in(&bytes).as_str(), end), ("abcde", None));
    let least = Duration::from_millis(bytes.len() as u64 / 4);
    assert!(took >= least && least > LONG, "{took:?} for {} bytes", bytes.len());
}

#[tokio::test]
async fn a_sliced_reply_is_whole_over_either_http() {
    let (bedrock, _network) = under(&["slicer:average_size=64,size_variation=32,delay=20000"]).await;
    let (bytes, end, took) = ask(&bedrock).await;
    assert_eq!((text_in(&bytes).as_str(), end), ("abcde", None));
    assert!(took >= LONG, "{took:?} for {} bytes", bytes.len());
    let (body, end) = bedrock.ask_by_http2(question(&json!({}))).await;
    end.unwrap();
    assert_eq!(text_in(&body), "abcde");
}

#[tokio::test]
async fn a_data_limit_closes_behind_exactly_so_many_bytes() {
    let (bedrock, _network) = under(&["limit_data:bytes=500"]).await;
    let (bytes, end, _) = ask(&bedrock).await;
    assert_eq!((bytes.len(), end), (500, None));
}

/// A question on a connection that would stay open: a timeout ends with the connection, as in toxiproxy.
fn lasting() -> Request<Full<Bytes>> {
    let mut request = question(&json!({}));
    request.headers_mut().insert("connection", HeaderValue::from_static("keep-alive"));
    request
}

#[tokio::test]
async fn a_timeout_swallows_the_reply_and_closes_after_it() {
    let (bedrock, _network) = under(&["timeout:timeout=200"]).await;
    let asked = Instant::now();
    let (bytes, end) = bedrock.bytes(lasting()).await;
    end.unwrap();
    assert!(bytes.is_empty() && asked.elapsed() >= LONG, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_timeout_of_zero_stays_silent_and_closes_when_it_is_lifted() {
    let (bedrock, network) = under(&["timeout"]).await;
    let mut answer = std::pin::pin!(bedrock.bytes(lasting()));
    assert!(timeout(Duration::from_millis(50), &mut answer).await.is_err());
    network.set([]);
    let (bytes, end) = answer.await;
    assert!(bytes.is_empty() && end.is_ok(), "{end:?}");
    assert_eq!(text_in(&ask(&bedrock).await.0), "abcde");
}

#[tokio::test]
async fn a_peer_that_resets_is_a_connection_reset_to_its_client() {
    let (bedrock, _network) = under(&["reset_peer:timeout=200"]).await;
    let (bytes, end, took) = ask(&bedrock).await;
    assert_eq!((bytes.len(), end), (0, Some(ErrorKind::ConnectionReset)));
    assert!(took >= LONG, "{took:?}");
}

#[tokio::test]
async fn a_slow_close_is_late_behind_a_whole_reply() {
    let (bedrock, _network) = under(&["slow_close:delay=200"]).await;
    let (bytes, end, took) = ask(&bedrock).await;
    assert_eq!((text_in(&bytes).as_str(), end), ("abcde", None));
    assert!(bytes.ends_with(b"0\r\n\r\n"));
    assert!(took >= LONG, "{took:?}");
}

#[tokio::test]
async fn down_refuses_connections_and_closes_open_ones_until_it_is_lifted() {
    let (bedrock, network) = under(&[]).await;
    let mut client = bedrock.connect().await;
    assert_eq!(client.send(question(&json!({}))).await.whole().await.text(), "abcde");
    network.add("down".parse().unwrap());
    soon(client.closed()).await;
    let refused = soon(async {
        loop {
            // The kernel may have taken connections that the stand-in has not yet let go.
            match TcpStream::connect(bedrock.address).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => return error.kind(),
            }
        }
    });
    assert_eq!(refused.await, ErrorKind::ConnectionRefused);
    network.set([]);
    let reached = soon(async {
        while TcpStream::connect(bedrock.address).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    reached.await;
    assert_eq!(text_in(&ask(&bedrock).await.0), "abcde");
}

#[tokio::test]
async fn a_change_acts_on_what_is_under_way() {
    let (bedrock, network) = under(&["latency:latency=3600000"]).await;
    let mut answer = std::pin::pin!(bedrock.bytes(question(&json!({}))));
    assert!(timeout(Duration::from_millis(50), &mut answer).await.is_err());
    network.set([]);
    let (bytes, end) = answer.await;
    end.unwrap();
    assert_eq!(text_in(&bytes), "abcde");
}

#[tokio::test]
async fn a_dropped_connection_still_delivers_what_the_network_holds() {
    let (bedrock, _network) = under(&["latency:latency=100"]).await;
    let mut request = question(&json!({}));
    request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_static("drop@2"));
    let (bytes, end) = bedrock.bytes(request).await;
    end.unwrap();
    assert_eq!(text_in(&bytes), "ab");
}
