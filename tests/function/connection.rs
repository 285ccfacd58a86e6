//! The connection to Bedrock: warm before the first request, and used again.

use crate::app::App;

#[tokio::test]
async fn the_first_request_goes_over_the_connection_that_init_has_warmed() {
    let app = App::start().await;
    app.reply("Yo").await;
    let requests = app.bedrock.requests();
    let warm_up = requests.first().expect("a warm-up");
    assert!(!warm_up.path().contains("converse"), "the warm-up would be billed: {}", warm_up.path());
    assert!(!warm_up.headers().contains_key("authorization"), "the warm-up would need a permission");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].connection(), warm_up.connection(), "a second connection was opened");
}

#[tokio::test]
async fn every_further_request_uses_the_connection_again() {
    let app = App::start().await;
    for _ in 0..5 {
        app.reply("Yo").await;
    }
    let connections: Vec<_> = app.bedrock.requests().iter().map(local_bedrock::Received::connection).collect();
    assert_eq!(connections, [connections[0]; 6]);
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable() {
    // A port that was free a moment ago, and on which nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let app = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &nobody).start().await;
    let (status, _, document) = crate::app::problem(app.post(r#"{"message":"Yo"}"#).await).await;
    assert_eq!((status, document["code"].as_str()), (503, Some("model_unavailable")));
}
