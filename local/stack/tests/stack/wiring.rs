//! What the parts are told of each other.

use std::time::SystemTime;

use http::Request;
use local_signature::{Credentials, sign};
use serde_json::Value;

use crate::support::{Stack, exchange, get, raw};

#[tokio::test]
async fn the_function_is_told_its_model_and_where_bedrock_is() {
    let stack = Stack::running("environment", &["--env", "EXTRA=yes"]).await;
    let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
    assert_eq!(
        environment["MODEL_ID"],
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.local.scripted-v1:0"
    );
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "bro-buddy");
    assert_eq!(environment["EXTRA"], "yes");
    let bedrock = environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].as_str().expect("an address");
    let answer = get(bedrock.strip_prefix("http://").expect("no TLS")).await;
    assert!(answer.to_lowercase().contains("message"), "an error document of Bedrock's: {answer}");
}

#[tokio::test]
async fn bedrock_answers_the_functions_role_alone() {
    let stack = Stack::running("environment", &[]).await;
    let environment: Value = serde_json::from_str(&stack.get().await).expect("JSON");
    let variable = |name: &str| environment[name].as_str().expect("a variable").to_owned();
    let bedrock = variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME").strip_prefix("http://").expect("no TLS").to_owned();
    let ask = async |secret: &str| {
        let request = Request::post("/model/us.local.scripted-v1%3A0/converse-stream").header("host", &bedrock);
        let (mut head, ()) = request.body(()).expect("a request").into_parts();
        let token = Some(variable("AWS_SESSION_TOKEN"));
        let role = Credentials::new(variable("AWS_ACCESS_KEY_ID"), secret, token, None, "test");
        sign(&mut head, b"{}", &role, &variable("AWS_REGION"), "bedrock", SystemTime::now()).expect("signed");
        let beginning = format!("POST {} HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n", head.uri);
        exchange(&bedrock, &(raw(&beginning, &head.headers) + "{}")).await
    };
    let answer = ask(&variable("AWS_SECRET_ACCESS_KEY")).await;
    assert!(answer.contains("must start with a user message"), "{answer}");
    let answer = ask("guess").await;
    assert!(answer.contains("The request signature we calculated does not match"), "{answer}");
}

#[tokio::test]
async fn the_control_port_is_shown_and_switches_bedrocks_faults() {
    let arguments = ["--control-port", "0", "--network", "latency:latency=1", "--network", "slow_close:delay=1"];
    let stack = Stack::running("pid", &arguments).await;
    assert_eq!(stack.facts["network"], "latency:latency=1,jitter=0 slow_close:delay=1");
    let (address, path) =
        stack.facts["control"].strip_prefix("http://").expect("a URL").split_once('/').expect("a path");
    assert_eq!(path, "faults");
    let request = |method: &str, body: &str| {
        let length = body.len();
        format!(
            "{method} /faults HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let answer = exchange(address, &request("PUT", r#"{"fault": "stall@2"}"#)).await;
    let state: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(state["standing"], "stall@2");
}
