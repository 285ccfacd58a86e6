//! API keys: who may spend, where keys are configured.

use reqwest::Method;
use serde_json::json;

use crate::app::{App, problem, send};
use crate::sse::Events;

/// `printf %s key-of-alice | sha256sum`, and the same for Bob.
const DIGESTS: &str = "alice:d16a80956c32f3f5fb979bea408abac8c3eef6c54ecb234279e337146cf87b47,\
    bob:808a1d81b5de08d72083995df738947d519d230a20c236003268f0f4b65ee475";

#[tokio::test]
async fn every_route_that_spends_needs_a_key() {
    let setup = App::setup().variable("API_KEY_SHA256", DIGESTS).variable("REQUIRE_API_KEY", "true");
    // At its most talkative, for the last check.
    let app = setup.variable("AWS_LAMBDA_LOG_LEVEL", "TRACE").start().await;
    let post = || {
        app.request(Method::POST, "/api/chat").header("content-type", "application/json").body(r#"{"message":"Yo"}"#)
    };
    let get = || app.request(Method::GET, "/api/chat?message=Yo");
    for (request, what) in [
        (post(), "none"),
        (get(), "none"),
        (post().header("authorization", "Bearer key-of-nobody"), "a wrong one"),
        (post().header("authorization", "Basic a2V5LW9mLWFsaWNl"), "another scheme"),
        (get().header("x-api-key", "key-of-alic"), "a part of one"),
        (post().header("x-api-key", ""), "an empty one"),
    ] {
        let response = send(request).await;
        assert!(response.headers()["www-authenticate"].to_str().expect("ASCII").starts_with("Bearer"), "{what}");
        let (status, _, document) = problem(response).await;
        assert_eq!((status, &document["code"]), (401, &json!("unauthorized")), "{what}");
        assert_eq!(app.record().await["Outcome"], "refused", "{what}");
    }
    assert!(app.bedrock.conversations().is_empty(), "Bedrock was called");

    for (request, id) in [
        (post().header("authorization", "Bearer key-of-alice"), "alice"),
        (post().header("authorization", "bearer key-of-bob"), "bob"),
        (get().header("x-api-key", "key-of-bob"), "bob"),
    ] {
        assert!(!Events::of(send(request).await).all().await.is_empty(), "{id}");
        assert_eq!(app.record().await["api_key_id"], id);
    }
    for open in ["/", "/healthz", "/api/modes"] {
        assert_eq!(app.get(open).await.status(), 200, "{open}");
    }
    for line in app.log_lines_so_far().await {
        // `a2V5LW9m` is `key-of` in Base64.
        assert!(!line.contains("key-of-") && !line.contains("a2V5LW9m"), "a key in the log: {line}");
    }
}
