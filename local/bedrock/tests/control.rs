//! The control port over HTTP.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use local_bedrock::{Config, Scripted, run_control};
use serde_json::{Value, json};
use support::{Answer, Bedrock, Client, question, soon};
use tokio::net::TcpListener;

/// A stand-in and its control port.
struct Controlled {
    bedrock: Bedrock,
    control: SocketAddr,
}

impl Controlled {
    async fn start() -> Self {
        let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b"]);
        let config = Config::new(Arc::new(scripted));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control = listener.local_addr().unwrap();
        tokio::spawn(run_control(listener, config.faults(), config.network(), std::future::pending()));
        Self { bedrock: Bedrock::start(config).await, control }
    }

    async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("host", "control");
        let mut client = Client::connect(self.control).await;
        client.send(request.body(Full::new(body.into())).unwrap()).await.whole().await
    }

    async fn state(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(answer.headers["content-type"], "application/json");
        answer.json()
    }

    async fn status(&self) -> u16 {
        self.bedrock.ask(question(&json!({}))).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_fault_is_set_queued_listed_and_lifted() {
    let controlled = Controlled::start().await;
    assert_eq!(controlled.state(Method::PUT, "/faults", &json!({"fault": "503"})).await["standing"], "503");
    controlled.state(Method::POST, "/faults/once", &json!({"fault": "throttle"})).await;
    let state = controlled.state(Method::POST, "/faults/once", &json!({"fault": "model-error"})).await;
    assert_eq!((&state["standing"], &state["once"]), (&json!("503"), &json!(["throttle", "model-error"])));
    let answered = [controlled.status().await, controlled.status().await, controlled.status().await];
    assert_eq!(answered, [429, 424, 503]);
    let state = controlled.state(Method::DELETE, "/faults", &json!({})).await;
    assert_eq!((&state["standing"], &state["once"]), (&Value::Null, &json!([])));
    assert_eq!(controlled.status().await, 200);
}

#[tokio::test]
async fn every_fault_is_listed_with_a_sentence() {
    let controlled = Controlled::start().await;
    for (path, count, one) in [("/faults", 28, "stall[@TOKENS]"), ("/network", 8, "latency:latency=N,jitter=N")] {
        let state = controlled.state(Method::GET, path, &json!({})).await;
        let available = state["available"].as_array().unwrap();
        assert_eq!(available.len(), count);
        assert!(available.iter().any(|entry| entry["fault"] == one), "{state}");
        assert!(available.iter().all(|entry| entry["about"].as_str().unwrap().ends_with('.')), "{state}");
    }
}

#[tokio::test]
async fn the_networks_faults_are_set_and_lifted_on_open_connections() {
    let controlled = Controlled::start().await;
    let mut client = controlled.bedrock.connect().await;
    client.send(question(&json!({}))).await.whole().await;
    let faults = json!({"faults": ["latency:latency=5", "down"]});
    let state = controlled.state(Method::PUT, "/network", &faults).await;
    assert_eq!(state["faults"], json!(["latency:latency=5,jitter=0", "down"]));
    soon(client.closed()).await;
    assert_eq!(controlled.state(Method::DELETE, "/network", &json!({})).await["faults"], json!([]));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_would_and_changes_nothing() {
    let controlled = Controlled::start().await;
    controlled.state(Method::PUT, "/faults", &json!({"fault": "throttle"})).await;
    let cases = [
        (Method::PUT, "/faults", "stall", 400, r#"JSON such as {"fault": "stall@3"}"#),
        (Method::PUT, "/faults", r#"{"fault": "gremlins"}"#, 400, "`gremlins` is no fault; the faults are throttle"),
        (Method::PUT, "/faults", r#"{"fault": "stall", "for": 3}"#, 400, "unknown field `for`"),
        (Method::POST, "/faults/once", r#"{"fault": "drop@x"}"#, 400, "drop[@TOKENS]"),
        (Method::PUT, "/network", r#"{"faults": ["lag"]}"#, 400, "`lag` is no network fault"),
        (Method::POST, "/faults", "{}", 405, "GET, PUT, DELETE"),
        (Method::GET, "/faults/once", "", 405, "POST"),
        (Method::GET, "/", "", 404, "/faults, /faults/once and /network"),
    ];
    for (method, path, body, status, message) in cases {
        let answer = controlled.send(method, path, body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        assert!(answer.json()["message"].as_str().unwrap().contains(message), "{}", answer.json());
        assert_eq!(answer.headers.contains_key("allow"), status == 405);
    }
    let long = controlled.send(Method::PUT, "/faults", vec![b' '; 64 * 1024 + 1]).await;
    assert_eq!(long.status, 413);
    assert_eq!(controlled.state(Method::GET, "/faults", &json!({})).await["standing"], "throttle");
}
