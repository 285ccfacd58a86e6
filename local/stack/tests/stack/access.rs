//! Who is let in under each kind of access.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Stack, VIEWER_REQUEST, answer, signed};

/// `printf '{}' | sha256sum`.
const HASH: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
/// Of `key-of-alice`.
const DIGEST: &str = "local:d16a80956c32f3f5fb979bea408abac8c3eef6c54ecb234279e337146cf87b47";

#[tokio::test]
async fn the_function_wants_a_key_where_the_world_can_reach_it() {
    for (access, wanted) in [
        (&["--access", "open"][..], None),
        (&["--access", "public", "--api-key", "key-of-alice"], Some(DIGEST)),
        (&["--access", "cloudfront", "--api-key", "key-of-alice", "--viewer-request", VIEWER_REQUEST], Some(DIGEST)),
    ] {
        let stack = Stack::running("environment", access).await;
        let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
        assert_eq!(environment["API_KEY_SHA256"].as_str(), wanted, "{access:?}");
        assert_eq!(environment["REQUIRE_API_KEY"].as_str(), wanted.map(|_| "true"), "{access:?}");
        assert_eq!(stack.facts.get("key").map(String::as_str), wanted.map(|_| "key-of-alice"), "{access:?}");
    }
}

#[tokio::test]
async fn only_who_signs_as_the_screen_says_is_let_in_under_iam() {
    let stack = Stack::running("environment", &["--access", "iam"]).await;
    let said: BTreeMap<_, _> = stack.facts["sign"].split(' ').filter_map(|pair| pair.split_once('=')).collect();
    let (id, secret) = (said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(said["AWS_REGION"], "us-east-1");
    let url = stack.url();
    let unsigned = format!("GET / HTTP/1.1\r\nhost: {url}\r\nconnection: close\r\n\r\n");
    assert_eq!(answer(url, &unsigned).await.0, "403");
    assert_eq!(answer(url, &signed(url, id, "guess")).await.0, "403");
    let (status, body) = answer(url, &signed(url, id, secret)).await;
    assert_eq!(status, "200");
    let environment: Value = serde_json::from_str(&body).expect("JSON");
    assert!(environment["REQUIRE_API_KEY"].is_null(), "who signs needs no key");
}

#[tokio::test]
async fn behind_the_edge_the_functions_own_url_lets_in_nobody_else() {
    let stack = Stack::running("environment", &["--access", "cloudfront", "--viewer-request", VIEWER_REQUEST]).await;
    let origin = stack.facts["origin"].strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL").0;
    let unsigned = format!("GET / HTTP/1.1\r\nhost: {origin}\r\nconnection: close\r\n\r\n");
    assert_eq!(answer(origin, &unsigned).await.0, "403");
    assert_eq!(answer(origin, &signed(origin, "AKIALOCALCALLER00000", "local-caller-secret")).await.0, "403");
    assert!(stack.facts["key"].len() > 32, "one UUID has 122 random bits, a key 128 or more: {:?}", stack.facts);
    assert_eq!(answer(stack.url(), &unsigned).await.0, "200");
    let post = |hash: &str| {
        format!("POST / HTTP/1.1\r\nhost: edge\r\n{hash}connection: close\r\ncontent-length: 2\r\n\r\n{{}}")
    };
    assert_eq!(answer(stack.url(), &post("")).await.0, "403", "without the hash of its body");
    assert_eq!(answer(stack.url(), &post(&format!("x-amz-content-sha256: {HASH}\r\n"))).await.0, "200");
}
