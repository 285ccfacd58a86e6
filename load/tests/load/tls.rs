//! TLS: the handshake is timed by itself, and a certificate that nobody vouches for is refused.

use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::support::{Step, reply};

/// A server for `localhost` with a certificate of its own, in PEM; each connection gets one whole reply.
async fn server() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            for step in reply() {
                let Step::Write(bytes) = step else { unreachable!() };
                stream.write_all(&bytes).await.unwrap();
            }
            let _ = stream.shutdown().await;
        }
    });
    (port, made.cert.pem())
}

/// The report of one request, and the exit status.
async fn bro_load(port: u16, trusted: &str) -> (Value, Option<i32>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trusted).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-load"));
    command.args([&format!("https://localhost:{port}"), "-n", "1", "--json", "-"]);
    command.env("SSL_CERT_FILE", file.path()).env_remove("SSL_CERT_DIR");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), output.status.code())
}

#[tokio::test]
async fn a_handshake_is_timed_beside_the_connection() {
    let (port, certificate) = server().await;
    let (report, status) = bro_load(port, &certificate).await;
    let latency = &report["latency"];
    assert_eq!(
        (status, latency["tls"]["count"].as_u64(), latency["connect"]["count"].as_u64()),
        (Some(0), Some(1), Some(1))
    );
    assert!(
        latency["tls"]["min"].as_f64() > Some(0.0) && latency["tls"]["max"].as_f64() < latency["ttft"]["min"].as_f64()
    );
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_a_failure_to_connect() {
    let (port, _) = server().await;
    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    let (report, status) = bro_load(port, &other.cert.pem()).await;
    assert_eq!((status, report["outcomes"][0]["outcome"].as_str()), (Some(3), Some("connect_failed")));
    let example = report["outcomes"][0]["example"].as_str().unwrap();
    assert!(example.contains("TLS") && example.contains("certificate"), "{example}");
}
