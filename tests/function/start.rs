//! A bad configuration never serves a request, and says all that is wrong with it.

use serde_json::Value;

use crate::app::App;

#[tokio::test]
async fn a_bare_model_id_refuses_to_start_and_says_why() {
    let app = App::setup().variable("MODEL_ID", "anthropic.claude-3-haiku-20240307-v1:0").start().await;
    assert_eq!(app.get("/healthz").await.status(), 502);
    let line: Value = serde_json::from_str(&app.log_line().await).expect("JSON");
    assert_eq!(line["problems"][0]["variable"], "MODEL_ID", "{line}");
    let why = line["problems"][0]["problem"].as_str().expect("a reason");
    assert!(why.contains("without its ARN") && why.contains("arn:aws:bedrock:"), "{why}");
    assert!(app.bedrock.requests().is_empty(), "Bedrock was called");
}

#[tokio::test]
async fn all_problems_are_reported_in_one_line() {
    let setup = App::setup().variable("MODEL_ID", "").variable("GUARDRAIL_ID", "gr1");
    let app = setup.variable("REQUIRE_API_KEY", "true").variable("PRICE_INPUT_PER_MTOK", "cheap").start().await;
    assert_eq!(app.get("/").await.status(), 502);
    let line: Value = serde_json::from_str(&app.log_line().await).expect("JSON");
    let problems = line["problems"].as_array().expect("problems");
    let named: Vec<_> = problems.iter().filter_map(|problem| problem["variable"].as_str()).collect();
    assert_eq!(
        named,
        ["MODEL_ID", "GUARDRAIL_VERSION", "PRICE_INPUT_PER_MTOK", "PRICE_OUTPUT_PER_MTOK", "API_KEY_SHA256"]
    );
    assert_eq!(line["level"], "FATAL");
}
