//! `AuthType: AWS_IAM`: who may call the function URL.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use local_lambda::{Credentials, InvokeMode};
use local_signature::sign;
use serde_json::json;

use crate::support::{Lambda, behaving};

const BODY: &[u8] = br#"{"message":"yo"}"#;

fn credentials(secret: &str) -> Credentials {
    Credentials::new("AKIALOCALCALLER00000", secret, None, None, "test")
}

async fn guarded(behaviour: &str) -> Lambda {
    let function = behaving(behaviour).env("AWS_REGION", "eu-central-1");
    Lambda::with(function, |config| config.aws_iam([credentials("right")]).invoke_mode(InvokeMode::Buffered)).await
}

/// A request to the function URL that is signed for the given service and region.
fn signed(lambda: &Lambda, secret: &str, region: &str, service: &'static str) -> Request<Bytes> {
    let request = Request::post("/path?b=2&a=1").header("host", lambda.address.to_string());
    let request = request.header("content-type", "application/json").body(()).expect("a request");
    let (mut head, ()) = request.into_parts();
    sign(&mut head, BODY, &credentials(secret), region, service, SystemTime::now()).expect("a signature");
    Request::from_parts(head, Bytes::from_static(BODY))
}

#[tokio::test]
async fn a_signed_request_reaches_the_function_and_says_who_signed() {
    let lambda = guarded("echo").await;
    let response = lambda.send(signed(&lambda, "right", "eu-central-1", "lambda")).await;
    assert_eq!(response.status, 200);
    let event = response.json().await;
    assert_eq!(event["requestContext"]["accountId"], "123456789012");
    assert_eq!(
        event["requestContext"]["authorizer"],
        json!({ "iam": {
            "accessKey": "AKIALOCALCALLER00000",
            "accountId": "123456789012",
            "callerId": "AIDALOCALSTANDIN0000",
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": "arn:aws:iam::123456789012:user/local",
            "userId": "AIDALOCALSTANDIN0000",
        }})
    );
    assert_eq!(event["body"], "{\"message\":\"yo\"}");
    lambda.stop().await;
}

#[tokio::test]
async fn a_request_without_a_signature_is_forbidden() {
    let lambda = guarded("echo").await;
    let response = lambda.get("/").await;
    assert_eq!(response.status, 403);
    assert_eq!(response.header("x-amzn-errortype"), Some("AccessDeniedException"));
    assert_eq!(response.text().await, r#"{"Message":"Forbidden"}"#);
    assert_eq!(lambda.stop().await.console, Vec::<String>::new(), "no sandbox was started");
}

#[tokio::test]
async fn a_wrong_signature_is_told_in_awss_words() {
    let lambda = guarded("echo").await;
    let mut forged = signed(&lambda, "right", "eu-central-1", "lambda");
    *forged.body_mut() = Bytes::from_static(b"another body");
    let mismatch = "The request signature we calculated does not match";
    for (request, words) in [
        (signed(&lambda, "wrong", "eu-central-1", "lambda"), mismatch),
        (forged, mismatch),
        (signed(&lambda, "right", "us-east-1", "lambda"), "Credential should be scoped to a valid region"),
        (
            signed(&lambda, "right", "eu-central-1", "bedrock"),
            "Credential should be scoped to correct service: 'lambda'",
        ),
    ] {
        let response = lambda.send(request).await;
        assert_eq!(response.status, 403);
        assert_eq!(response.header("x-amzn-errortype"), Some("InvalidSignatureException"));
        let document = response.json().await;
        assert!(document["message"].as_str().is_some_and(|message| message.starts_with(words)), "{document}");
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_preflight_needs_no_signature() {
    let cors = r#"{"AllowOrigins":["*"]}"#.parse().expect("settings");
    let lambda = Lambda::with(behaving("echo"), |config| config.aws_iam([credentials("right")]).cors(cors)).await;
    let request = Request::options("/").header("origin", "https://chat.example");
    let request = request.header("access-control-request-method", "POST").body(Bytes::new()).expect("a request");
    assert_eq!(lambda.send(request).await.status, 200);
    lambda.stop().await;
}
