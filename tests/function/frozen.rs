//! Between two invocations Lambda freezes a sandbox, and Bedrock closes the connections that lie idle meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use local_bedrock::Journal;
use tokio::net::TcpListener;

use crate::app::instant;
use crate::network::{Closing, Network};
use crate::runtime_api::{RuntimeApi, event};
use crate::terminator::Terminator;

const QUESTION: &str = r#"{"message":"Yo"}"#;

async fn bedrock() -> (String, Journal) {
    let journal = Journal::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let config = local_bedrock::Config::new(Arc::new(instant().tokens(3))).with_journal(journal.clone());
    tokio::spawn(local_bedrock::run(listener, config, std::future::pending()));
    (address, journal)
}

/// Answers an invocation's response, and sees that its record is all that was logged.
async fn is_answered(platform: &mut RuntimeApi, id: &str) {
    let mut posted = platform.request().await;
    assert_eq!(posted.line(), format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1"));
    posted.read_to_end_with("event: done").await;
    platform.answer(posted, "202 Accepted", "", "").await;
    let record = platform.log_line().await;
    assert_eq!((record["request_id"].as_str(), record["Outcome"].as_str()), (Some(id), Some("done")));
}

/// Two requests, and between them a frozen sandbox whose connections to Bedrock are closed. That the second succeeds
/// in the first attempt says that it did not back off.
async fn survives(
    closing: Closing,
    endpoint: &str,
    variables: &[(&str, &str)],
    mut network: Network,
    journal: &Journal,
) {
    let variables = [&[("AWS_ENDPOINT_URL", endpoint)], variables].concat();
    let mut platform = RuntimeApi::start(&variables).await;
    platform.invoke("r-1", &event("POST", "/api/chat", QUESTION)).await;
    is_answered(&mut platform, "r-1").await;

    let poll = platform.poll().await;
    platform.freeze();
    network.close_all(closing).await;
    platform.hand(poll, "r-2", &event("POST", "/api/chat", QUESTION)).await;
    platform.thaw();

    is_answered(&mut platform, "r-2").await;
    let conversations = journal.conversations();
    assert_eq!(conversations.len(), 2, "{closing:?}");
    assert_eq!(conversations[1].headers()["amz-sdk-request"], "attempt=1; max=3", "{closing:?}: it backed off");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_the_sandbox_was_frozen_costs_nothing() {
    for closing in [Closing::Fin, Closing::Reset, Closing::Unheard] {
        let (address, journal) = bedrock().await;
        let network = Network::start(address).await;
        let endpoint = format!("http://{}", network.address());
        survives(closing, &endpoint, &[], network, &journal).await;
    }
}

/// As on AWS: TLS, and HTTP/2 within.
#[tokio::test]
async fn neither_does_one_with_tls() {
    for closing in [Closing::Fin, Closing::Reset, Closing::Unheard] {
        let (address, journal) = bedrock().await;
        let tls = Terminator::start(address).await;
        let network = Network::start(tls.address().to_owned()).await;
        let endpoint = network.address().replace("127.0.0.1", "https://localhost");
        let authority = tls.authority.path().to_string_lossy().into_owned();
        survives(closing, &endpoint, &[("SSL_CERT_FILE", &authority)], network, &journal).await;
    }
}

/// Lambda Managed Instances: two requests meet the one dead connection.
#[tokio::test]
async fn several_requests_at_once_are_each_sent_again() {
    let (address, journal) = bedrock().await;
    let tls = Terminator::start(address).await;
    let mut network = Network::start(tls.address().to_owned()).await;
    let endpoint = network.address().replace("127.0.0.1", "https://localhost");
    let authority = tls.authority.path().to_string_lossy().into_owned();
    let variables =
        [("AWS_ENDPOINT_URL", &*endpoint), ("SSL_CERT_FILE", &*authority), ("AWS_LAMBDA_MAX_CONCURRENCY", "2")];
    let mut platform = RuntimeApi::start(&variables).await;
    let (poll, other) = (platform.poll().await, platform.poll().await);
    platform.hand(poll, "r-1", &event("POST", "/api/chat", QUESTION)).await;
    is_answered(&mut platform, "r-1").await;

    let poll = platform.poll().await;
    platform.freeze();
    network.close_all(Closing::Unheard).await;
    for (poll, id) in [(poll, "r-2"), (other, "r-3")] {
        platform.hand(poll, id, &event("POST", "/api/chat", QUESTION)).await;
    }
    platform.thaw();
    for _ in 0..2 {
        let mut posted = platform.request().await;
        posted.read_to_end_with("event: done").await;
        platform.answer(posted, "202 Accepted", "", "").await;
    }
    let conversations = journal.conversations();
    for conversation in &conversations {
        assert_eq!(conversation.headers()["amz-sdk-request"], "attempt=1; max=3", "it backed off");
    }
    // Each belongs to the trace of its own request.
    let traces: BTreeSet<_> =
        conversations.iter().map(|conversation| conversation.headers()["x-amzn-trace-id"].as_bytes()).collect();
    assert_eq!(traces, BTreeSet::from([&b"Root=r-1"[..], b"Root=r-2", b"Root=r-3"]));
    assert_eq!(conversations.len(), 3);
}
