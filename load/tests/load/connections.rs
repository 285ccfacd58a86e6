//! Connections, and what goes over them.

use std::num::NonZeroUsize;

use bro_load::auth::content_sha256;
use bro_load::{Arrivals, Bodies, Connections, Endpoint, Format, Load, Plan, Rate};
use http::HeaderValue;
use http::header::HeaderName;

use crate::support::{Server, Step, closed, done, end, head_with, reply, requests, run, token};

#[tokio::test]
async fn a_connection_is_kept_and_only_its_opening_counts_as_connecting() {
    let server = Server::always(reply());
    let report = run(&server.plan().extent(requests(5))).await.report();
    assert_eq!(report.latency.connect.unwrap().count, 1);
    assert!(server.requests().iter().all(|request| request.connection == 0));
}

#[tokio::test]
async fn fresh_connections_are_opened_for_each_request() {
    let server = Server::always(reply());
    let report = run(&server.plan().extent(requests(5)).connections(Connections::Fresh)).await.report();
    assert_eq!(report.latency.connect.unwrap().count, 5);
    assert_eq!(server.requests().iter().map(|request| request.connection).max(), Some(4));
}

#[tokio::test]
async fn a_connection_that_the_server_closes_after_each_reply_fails_nothing() {
    let steps = vec![head_with("connection: close\r\n"), token(), done(), end(), Step::Close];
    let report = run(&Server::always(steps).plan().extent(requests(5)).load(closed(2))).await.report();
    assert_eq!((report.requests.done, report.requests.failed), (5, 0), "{:?}", report.outcomes);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_has_closed_meanwhile_is_replaced() {
    let mut steps = reply();
    steps.push(Step::Close);
    let server = Server::always(steps);
    let load = Load::Open {
        rate: Rate::new(10.0, 10.0).unwrap(),
        arrivals: Arrivals::Constant,
        seed: 1,
        max_in_flight: NonZeroUsize::MIN,
    };
    let report = run(&server.plan().load(load).extent(requests(5))).await.report();
    assert_eq!((report.requests.done, report.latency.connect.unwrap().count), (5, 5), "{:?}", report.outcomes);
}

#[tokio::test]
async fn a_request_says_what_the_contract_asks_for() {
    let server = Server::always(reply());
    let plan = server.plan().header(HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
    run(&plan).await;
    let request = &server.requests()[0];
    let body = r#"{"message":"Yo"}"#;
    assert_eq!(request.body, body);
    let host = format!("host: {}", server.url().trim_start_matches("http://"));
    let hash = format!("x-amz-content-sha256: {}", content_sha256(body.as_bytes()).to_str().unwrap());
    for line in [
        "post /api/chat http/1.1",
        &host,
        "accept: text/event-stream",
        "content-type: application/json",
        "x-api-key: k",
        &hash,
    ] {
        assert!(request.head.lines().any(|each| each == line), "{line} in {}", request.head);
    }
}

#[tokio::test]
async fn prompts_take_turns() {
    let server = Server::always(reply());
    let format = Format::BroBuddy { mode: None };
    let bodies = Bodies::from_prompts(&format, ["one", "two"]).unwrap();
    let endpoint = Endpoint::parse(&server.url(), &format).unwrap();
    run(&Plan::new(endpoint, format, bodies).extent(requests(3))).await;
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [r#"{"message":"one"}"#, r#"{"message":"two"}"#, r#"{"message":"one"}"#]);
}

#[tokio::test]
async fn cold_and_warm_replies_are_kept_apart() {
    let server = Server::start(|request| {
        let timing = if request.index == 0 { "server-timing: cold, parse;dur=0.1\r\n" } else { "" };
        vec![head_with(timing), Step::Pause(if request.index == 0 { 60 } else { 0 }), token(), done(), end()]
    });
    let report = run(&server.plan().extent(requests(4))).await.report();
    let ttft = |latency: &Option<bro_load::report::LatencyReport>| latency.clone().unwrap().ttft.unwrap();
    assert_eq!((report.requests.cold_starts, ttft(&report.cold).count, ttft(&report.warm).count), (1, 1, 3));
    assert!(ttft(&report.cold).min >= 59.0);
}
