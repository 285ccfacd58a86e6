//! The function that runs before each request.

use local_edge::ViewerRequest;
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Edge, HASH, echoed, sent};

const PASSES: &str = "function handler(event) { return event.request; }";

#[tokio::test]
async fn the_function_changes_what_goes_on() {
    let edge = Edge::with(
        "function handler(event) {
             var request = event.request;
             request.uri = '/changed' + request.uri;
             request.headers['x-seen'] = { value: event.viewer.ip + ' ' + event.context.eventType };
             request.headers['x-query'] = { value: request.querystring.b.value };
             delete request.headers['x-gone'];
             return request;
         }",
    )
    .await;
    let request = edge.post().header("x-amz-content-sha256", HASH).header("x-gone", "1").header("x-many", "a");
    let seen = echoed(request.header("x-many", "b")).await;
    assert_eq!(seen["uri"], "/changed/path?b=2&a=1");
    assert_eq!(seen["headers"]["x-seen"], "127.0.0.1 viewer-request");
    assert_eq!((&seen["headers"]["x-query"], &seen["headers"]["x-gone"]), (&json!("2"), &Value::Null));
    assert_eq!(seen["headers"]["x-many"], "a, b");
}

#[tokio::test]
async fn a_parameter_that_comes_twice_has_all_its_values() {
    let edge = Edge::with(
        "function handler(event) {
             var many = event.request.querystring.many;
             var all = many.multiValue.map(function (one) { return one.value; }).join();
             event.request.headers['x-seen'] = { value: many.value + ' of ' + all };
             return event.request;
         }",
    )
    .await;
    assert_eq!(echoed(edge.client.get(format!("{}/?many=1&many=2", edge.url))).await["headers"]["x-seen"], "1 of 1,2");
}

#[tokio::test]
async fn the_function_may_answer_itself_and_may_be_async() {
    let edge = Edge::with(
        "async function handler(event) {
             return { statusCode: 302, headers: { location: { value: 'https://elsewhere' } }, body: 'Gone.' };
         }",
    )
    .await;
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let (status, headers, body) = sent(client.get(&edge.url)).await;
    assert_eq!((status.as_u16(), body.as_str()), (302, "Gone."));
    assert_eq!(headers["location"], "https://elsewhere");
}

#[tokio::test]
async fn a_function_that_fails_is_a_503() {
    for (body, words) in [
        ("throw new Error('oops')", "oops"),
        ("for (;;) {}", "interrupted"),
        ("var all = ''; for (;;) all += 'more and more'", "the function failed"),
        ("return 'nothing of use'", "no request and no response"),
        ("", "nothing was given back"),
    ] {
        let edge = Edge::with(&format!("function handler(event) {{ {body} }}")).await;
        let (status, headers, page) = sent(edge.client.get(&edge.url)).await;
        assert_eq!(status, 503, "{body}");
        assert!(page.contains(words), "{body}: {page}");
        assert_eq!(headers["x-cache"], "Error from cloudfront");
    }
}

#[test]
fn what_is_no_function_is_refused_at_once() {
    for (source, words) in [("function (", "Error"), ("var other = 1;", "there is no function `handler`")] {
        let error = ViewerRequest::parse(source).expect_err(source);
        assert!(error.to_string().contains(words), "{error}");
    }
    ViewerRequest::parse(PASSES).expect("a function");
}
