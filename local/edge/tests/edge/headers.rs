//! Headers: those of CloudFront's own, those of one hop, those that come twice.

use serde_json::{Value, json};

use crate::support::{Edge, Origin, echoed, sent};

#[tokio::test]
async fn cloudfronts_own_headers_are_neither_seen_nor_touched() {
    let edge = Edge::with(
        "function handler(event) {
             var request = event.request;
             console.log(request);
             request.headers['x-seen'] = { value: Object.keys(request.headers).sort().join() };
             return request;
         }",
    )
    .await;
    let get = || edge.client.get(&edge.url);
    let seen = echoed(get().header("x-edge-of", "mine").header("x-real-ip", "me").header("expect", "nothing")).await;
    let headers = &seen["headers"];
    assert_eq!(headers["x-seen"], "accept,host");
    assert_eq!((&headers["x-edge-of"], &headers["x-real-ip"]), (&json!("mine"), &json!("me")));

    for change in [
        "headers['x-edge-location'] = { value: 'here' }",
        "headers['x-forwarded-proto'] = { value: 'https' }",
        "headers['connection'] = { value: 'close' }",
        "headers.host = { value: 'elsewhere' }",
        "headers['x-amz-cf-id'] = { value: '1' }",
        "return { statusCode: 204, headers: { 'x-cache': { value: 'mine' } } }",
        "headers.via = { value: 'me' }",
        "headers['cdn-loop'] = { value: 'me' }",
        "delete headers.host",
    ] {
        let source = format!(
            "function handler(event) {{ var headers = event.request.headers; {change}; return event.request; }}"
        );
        let edge = Edge::with(&source).await;
        let (status, _, page) = sent(edge.client.get(&edge.url)).await;
        assert_eq!(status, 502, "{change}");
        assert!(page.contains("which it may not"), "{change}: {page}");
    }
}

#[tokio::test]
async fn of_a_header_that_comes_twice_the_function_may_change_the_first_value_or_all() {
    for (change, expected) in [
        ("many.value += '!'", "a!, b"),
        ("many.multiValue[1].value += '!'", "a, b!"),
        ("many.value = 'lost'; many.multiValue.push({ value: 'c' })", "a, b, c"),
    ] {
        let edge = Edge::with(&format!(
            "function handler(event) {{
                 var many = event.request.headers['x-many'];
                 {change};
                 return event.request;
             }}"
        ))
        .await;
        let request = edge.client.get(&edge.url).header("x-many", "a").header("x-many", "b");
        assert_eq!(echoed(request).await["headers"]["x-many"], expected, "{change}");
    }
}

#[tokio::test]
async fn what_is_of_one_hop_only_goes_no_further() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let request = edge.client.get(&edge.url).header("connection", "x-mine").header("x-mine", "1");
    let (status, answered, body) = sent(request.header("te", "trailers")).await;
    assert_eq!(status, 200, "{body}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&told["headers"]["x-mine"], &told["headers"]["te"]), (&Value::Null, &Value::Null));
    for name in ["connection", "x-of-this-hop", "keep-alive"] {
        assert_eq!(answered.get(name), None, "{name}");
    }
}
