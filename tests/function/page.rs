//! The page and the routes that say something about the service.

use serde_json::{Value, json};

use crate::app::App;

async fn document(app: &App, path: &str) -> Value {
    let response = app.get(path).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().expect("a value"))
    );
    serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn the_page_and_all_it_names_are_served() {
    let app = App::start().await;
    let response = app.get("/").await;
    let header = |name: &str| response.headers()[name].to_str().expect("ASCII").to_owned();
    assert_eq!(header("cache-control"), "no-cache");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src") && !policy.contains("unsafe-"), "{policy}");
    let page = response.text().await.expect("text");
    let named: Vec<_> = page.split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert!(named.len() >= 3, "{page}");
    for path in named {
        let asset = app.get(path).await;
        assert_eq!(asset.status(), 200, "{path}");
        assert_eq!(asset.headers()["cache-control"], "public, max-age=31536000, immutable", "{path}");
    }
    assert!(app.bedrock.conversations().is_empty());
}

#[tokio::test]
async fn the_modes_are_listed_with_their_limits() {
    let app = App::start().await;
    let modes = document(&app, "/api/modes").await;
    assert_eq!((&modes["default"], &modes["limits"]), (&json!("bro"), &json!({"max_tokens": 150, "temperature": 0.3})));
    assert!(modes["policy"].as_str().is_some_and(|version| !version.is_empty()));
    let listed = modes["modes"].as_array().expect("modes");
    assert!(listed.len() >= 4);
    for mode in listed {
        let mut fields: Vec<_> = mode.as_object().expect("a mode").keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["description", "id", "label"], "the tone is not for clients");
    }
}

#[tokio::test]
async fn health_does_not_ask_bedrock() {
    let app = App::start().await;
    app.fails("503");
    assert_eq!(document(&app, "/healthz").await, json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}));
    assert!(app.bedrock.conversations().is_empty());
}

#[tokio::test]
async fn head_is_answered_like_get() {
    let app = App::start().await;
    let response = crate::app::send(app.request(reqwest::Method::HEAD, "/healthz")).await;
    assert_eq!(response.status(), 200);
}
