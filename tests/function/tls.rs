//! TLS to Bedrock, which every deployed function speaks and no other test does.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::app::{App, instant, problem};
use crate::sse::text;
use crate::terminator::Terminator;

/// A stand-in for Bedrock of its own, since the terminator must know it before the function starts.
async fn bedrock() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let config = local_bedrock::Config::new(Arc::new(instant().pieces(["Yo", "!"])));
    tokio::spawn(local_bedrock::run(listener, config, std::future::pending()));
    address
}

#[tokio::test]
async fn init_opens_the_one_tls_connection_that_all_requests_use() {
    let tls = Terminator::start(bedrock().await).await;
    let setup = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &tls.url());
    let app = setup.variable("SSL_CERT_FILE", &tls.authority.path().to_string_lossy()).start().await;
    // It starts the sandbox, and asks nothing of Bedrock.
    app.get("/healthz").await;
    timeout(Duration::from_secs(30), tls.handshakes_beyond(0)).await.expect("init opens a connection");
    for _ in 0..3 {
        assert_eq!(text(&app.reply("Yo").await), "Yo!");
    }
    assert_eq!(tls.handshakes(), 1, "handshakes");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_talked_to() {
    let tls = Terminator::start(bedrock().await).await;
    let app = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &tls.url()).start().await;
    let (status, _, document) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
    assert_eq!((status, document["code"].as_str()), (503, Some("model_unavailable")));
    assert_eq!(tls.handshakes(), 0, "handshakes");
}
