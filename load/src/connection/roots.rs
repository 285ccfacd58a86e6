//! How the client end of TLS is set up.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// TLS cannot be used on this machine.
#[derive(Debug, thiserror::Error)]
pub enum TlsUnavailable {
    /// No certificate authority to trust.
    #[error(
        "no root certificate was found; install the system's (Debian: ca-certificates), or name a file in \
         SSL_CERT_FILE: {0}"
    )]
    NoRoots(String),
    /// The library refuses its own settings.
    #[error("TLS cannot be set up: {0}")]
    Settings(#[from] tokio_rustls::rustls::Error),
}

/// Trusts what the system trusts. Sessions are not resumed, so that every handshake is what a new client would have.
pub(super) fn connector() -> Result<TlsConnector, TlsUnavailable> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(TlsUnavailable::NoRoots(errors.join("; ")));
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}
