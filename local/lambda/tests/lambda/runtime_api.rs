//! What a function's process sees of the Runtime API.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::support::{Lambda, TEST_FUNCTION, behaving};

#[tokio::test]
async fn an_invocation_comes_with_its_ids_its_arn_and_a_true_deadline() {
    let function = behaving("delivery").name("bro").timeout(Duration::from_secs(40));
    let lambda = Lambda::with(function, |config| config).await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let before = now() + 40_000;
    let response = lambda.get("/").await;
    let request_id = response.header("x-amzn-requestid").expect("an id").to_owned();
    let headers = response.json().await;
    let after = now() + 40_000;

    assert_eq!(headers["lambda-runtime-aws-request-id"], request_id);
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], "arn:aws:lambda:us-east-1:123456789012:function:bro");
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["lambda-runtime-trace-id"].as_str().is_some_and(|id| id.starts_with("Root=1-")));
    let deadline = headers["lambda-runtime-deadline-ms"].as_str().expect("a deadline");
    let deadline: u128 = deadline.parse().expect("milliseconds");
    assert!((before..=after).contains(&deadline), "{before} <= {deadline} <= {after}");
    lambda.stop().await;
}

#[tokio::test]
async fn calls_out_of_order_are_refused_and_the_right_one_still_works() {
    let lambda = Lambda::running("wrong-calls").await;
    assert_eq!(
        lambda.get("/").await.json().await,
        json!([
            "400 InvalidRequestID",
            "400 InvalidRequestID",
            "403 InvalidStateTransition",
            "403 InvalidStateTransition",
            "405 -",
            "404 -",
        ])
    );
    lambda.stop().await;
}

#[tokio::test]
async fn the_environment_is_lambdas_and_nothing_is_inherited() {
    let function = behaving("environment").name("bro").memory_mb(512).env("MODEL_ID", "some-model");
    let lambda = Lambda::with(function, |config| config).await;
    let mut environment = lambda.get("/").await.json().await;
    let task_root = Path::new(TEST_FUNCTION).parent().and_then(Path::to_str).expect("a directory");
    let runtime_api = environment["AWS_LAMBDA_RUNTIME_API"].take();
    assert!(runtime_api.as_str().is_some_and(|api| api.starts_with("127.0.0.1:")), "{runtime_api}");
    assert_eq!(
        environment,
        json!({
            "AWS_ACCESS_KEY_ID": "ASIALOCALSTANDIN0000",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "bro",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bro",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local/[$LATEST]00000000000000000000000000000001",
            "AWS_LAMBDA_RUNTIME_API": null,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "local-stand-in-secret-access-key",
            "AWS_SESSION_TOKEN": "local-stand-in-session-token",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": task_root,
            "LANG": "en_US.UTF-8",
            "MODEL_ID": "some-model",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "TZ": ":UTC",
            "_HANDLER": "bootstrap",
            "cwd": task_root,
        })
    );
    lambda.stop().await;
}

#[tokio::test]
async fn an_internal_extension_is_registered_and_told_of_each_invocation() {
    let mut lambda = Lambda::with(behaving("internal-extension").name("bro"), |config| config).await;
    let response = lambda.get("/").await;
    let id = response.header("x-amzn-requestid").expect("an id").to_owned();
    let registered = lambda.line().await;
    let registered = registered.strip_prefix("registered ").expect("the registration");
    let registered: serde_json::Value = serde_json::from_str(registered).expect("JSON");
    assert_eq!(registered, json!({ "functionName": "bro", "functionVersion": "$LATEST", "handler": "bootstrap" }));
    let event: serde_json::Value = serde_json::from_str(&lambda.line().await).expect("JSON");
    assert_eq!(
        event,
        json!({
            "eventType": "INVOKE",
            "deadlineMs": event["deadlineMs"],
            "requestId": id,
            "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:bro",
            "tracing": { "type": "X-Amzn-Trace-Id", "value": response.header("x-amzn-trace-id") },
        })
    );
    assert!(event["deadlineMs"].is_u64(), "{event}");
    lambda.get("/").await;
    assert!(lambda.line().await.contains(r#""eventType":"INVOKE""#));
    lambda.stop().await;
}

#[tokio::test]
async fn wrong_calls_of_the_extensions_api_are_refused_as_the_emulator_refuses_them() {
    let lambda = Lambda::running("wrong-extension-calls").await;
    assert_eq!(
        lambda.get("/").await.json().await,
        json!([
            "403 Extension.InvalidExtensionName",
            "403 Extension.InvalidEventType",
            "200 -",
            "403 Extension.InvalidExtensionState",
            "403 Extension.InvalidExtensionIdentifier",
            "403 Extension.UnknownExtensionIdentifier",
            "405 -",
            "404 -",
            "403 Extension.RegistrationClosed",
        ])
    );
    lambda.stop().await;
}
