//! What reaches the origin, and what comes back of its answer.

use std::sync::Arc;
use std::time::Duration;

use local_edge::Config;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::{BODY, Edge, HASH, Origin, credentials, echoed, sent};

#[tokio::test]
async fn a_post_with_the_right_hash_comes_signed_by_the_edge() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let request = edge.post().header("x-amz-content-sha256", HASH).header("authorization", "Bearer of-the-viewer");
    let seen = echoed(request).await;
    assert_eq!((seen["method"].as_str(), seen["uri"].as_str()), (Some("POST"), Some("/path?b=2&a=1")));
    assert_eq!(seen["body"], BODY);
    let headers = &seen["headers"];
    let authorization = headers["authorization"].as_str().expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAEDGE/"), "{authorization}");
    assert!(!edge.url.ends_with(headers["host"].as_str().expect("a host")), "the host is the viewer's");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert!(
        headers["x-amz-cf-id"].is_string() && headers["via"].as_str().is_some_and(|via| via.contains("CloudFront"))
    );
}

#[tokio::test]
async fn a_post_without_the_right_hash_is_forbidden_by_the_origin() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let wrong = HASH.replace('4', "5");
    for request in [edge.post(), edge.post().header("x-amz-content-sha256", wrong)] {
        let (status, headers, body) = sent(request).await;
        assert_eq!(status, 403);
        assert!(body.starts_with("The request signature we calculated does not match"), "{body}");
        assert_eq!(headers["x-cache"], "Miss from cloudfront");
    }
}

#[tokio::test]
async fn a_get_needs_no_hash() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    assert_eq!(echoed(edge.client.get(format!("{}/a%2Fb?q=%20", edge.url))).await["uri"], "/a%2Fb?q=%20");
}

#[tokio::test]
async fn each_piece_comes_before_the_next_is_written() {
    let next = Arc::new(Notify::new());
    let edge = Edge::start(Origin::Streams(Arc::clone(&next)), |config| config).await;
    let mut response = edge.client.get(&edge.url).send().await.expect("a response");
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"one"[..]));
    next.notify_one();
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"two"[..]));
    assert_eq!(response.chunk().await.expect("the end"), None);
}

#[tokio::test]
async fn an_origin_that_falls_silent_is_cut_and_one_that_is_not_there_is_a_502() {
    let edge = Edge::start(Origin::Stalls, |config| config.response_timeout(Duration::from_millis(200))).await;
    let mut response = edge.client.get(&edge.url).send().await.expect("a response");
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"one"[..]));
    response.chunk().await.expect_err("the rest");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let gone = listener.local_addr().expect("an address");
    drop(listener);
    let edge = Edge::start(Origin::Echoes, |_| Config::new(gone, "us-east-1", credentials())).await;
    let (status, _, page) = sent(edge.client.get(&edge.url)).await;
    assert_eq!(status, 502, "{page}");
}
