//! A reply as clients get it.

use serde_json::json;

use crate::app::{App, PROFILE_ID, instant, send};
use crate::sse::{Events, terminal, text};

#[tokio::test]
async fn a_reply_is_start_then_tokens_then_done() {
    let app = App::setup().saying(&["Yo", ", bro", "!"]).start().await;
    let response = app.post(r#"{"message":"Yo"}"#).await;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let id = header("x-request-id").expect("a request id");
    assert_eq!(header("cache-control").as_deref(), Some("no-store, no-transform"));
    let timing = header("server-timing").expect("server-timing");
    for phase in ["parse;dur=", "govern;dur=", "bedrock_head;dur="] {
        assert!(timing.contains(phase), "{timing}");
    }
    assert!(timing.ends_with(", cold"), "{timing}");

    let events = Events::of(response).all().await;
    assert_eq!(
        events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(),
        ["start", "token", "token", "token", "done"]
    );
    assert_eq!(
        events[0].data,
        json!({
            "id": id, "model": PROFILE_ID, "mode": "bro", "policy": events[0].data["policy"],
            "limits": {"max_tokens": 150, "temperature": 0.3}
        })
    );
    assert_eq!(text(&events), "Yo, bro!");
    let done = &events[4].data;
    assert_eq!(done["stop_reason"], "end_turn");
    let count = |name: &str| done["usage"][name].as_u64().expect("a count");
    assert_eq!(count("output_tokens"), 3);
    assert_eq!(count("total_tokens"), count("input_tokens") + 3);
    assert!(events.iter().all(|event| event.id.is_none()), "only the EventSource form has ids");

    let second = app.post(r#"{"message":"Yo"}"#).await;
    assert!(!second.headers()["server-timing"].to_str().expect("ASCII").contains("cold"), "cold twice");
}

#[tokio::test]
async fn the_phases_come_in_their_order() {
    let app = App::start().await;
    let events = app.reply("Yo").await;
    let timing = &terminal(&events).data["timing"];
    let ms = |name: &str| timing["phases"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {timing}"));
    let names = ["parse_ms", "govern_ms", "bedrock_head_ms", "first_delta_ms", "first_token_write_ms"];
    assert!(names.map(ms).is_sorted(), "{timing}");
    assert_eq!(timing["ttft_ms"], timing["phases"]["first_token_write_ms"]);
    assert!(timing["total_ms"].as_f64() >= timing["ttft_ms"].as_f64());
    assert!(timing["bedrock_ms"].is_u64());
}

#[tokio::test]
async fn an_event_source_gets_the_same_reply_with_an_id() {
    let app = App::setup().saying(&["Yo"]).start().await;
    let request = app.request(reqwest::Method::GET, "/api/chat").query(&[("message", "Yo & co?"), ("mode", "zen")]);
    let response = send(request.header("sec-fetch-mode", "cors").header("accept", "text/event-stream")).await;
    let events = Events::of(response).all().await;
    assert_eq!(events[0].id.as_deref(), events[0].data["id"].as_str());
    assert_eq!(events[0].data["mode"], "zen");
    assert_eq!(text(&events), "Yo");
    let asked = app.bedrock.conversations()[0].json();
    assert_eq!(asked["messages"], json!([{"role": "user", "content": [{"text": "Yo & co?"}]}]));
}

/// Bedrock falls silent after three tokens and keeps its stream open: whatever reaches the client before the
/// stream ends was not held back by anything on the way.
#[tokio::test]
async fn tokens_are_never_held_back() {
    let app = App::setup().saying(&["one ", "two ", "three ", "four "]).start().await;
    app.fails("stall@3");
    let mut events = app.ask("Count").await;
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(events.next().await.expect("an event").name);
    }
    assert_eq!(names, ["start", "token", "token", "token"]);
}

#[tokio::test]
async fn any_text_arrives_as_it_was() {
    let pieces = [
        "emoji 👩‍👩‍👧 ",
        "中文 ",
        "שלום ",
        "a\nb",
        "\r",
        "\r\n",
        "data: x\n\n",
        "event: done\n",
        "\u{0}\u{1b}[0m",
        "\"\\",
        "\u{2028}",
    ];
    let app = App::setup().saying(&pieces).start().await;
    assert_eq!(text(&app.reply("Yo").await), pieces.concat());
}

#[tokio::test]
async fn a_long_reply_ends_at_the_token_limit() {
    let app = App::setup().generator(instant().tokens(400)).start().await;
    let events = app.reply("Talk").await;
    assert_eq!(terminal(&events).data["stop_reason"], "max_tokens");
    assert_eq!(terminal(&events).data["usage"]["output_tokens"], 150);
}

#[tokio::test]
async fn a_conversation_is_sent_on_turn_by_turn() {
    let app = App::start().await;
    let turns = json!([
        {"role": "user", "content": "Yo"}, {"role": "assistant", "content": "Sup"}, {"role": "user", "content": "Nm"}
    ]);
    let response = app.post(json!({"messages": turns, "mode": "coach"}).to_string()).await;
    assert_eq!(Events::of(response).all().await[0].data["mode"], "coach");
    let asked = app.bedrock.conversations()[0].json();
    let sent: Vec<_> = asked["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| json!({"role": message["role"], "content": message["content"][0]["text"]}))
        .collect();
    assert_eq!(json!(sent), turns);
}
