//! A TLS terminator in front of the stand-in for Bedrock, with a certificate of an authority that is made for it.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::NamedTempFile;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Takes TLS connections on `localhost` and passes what is in them on to `plain`.
pub struct Terminator {
    address: String,
    pub authority: NamedTempFile,
    handshakes: watch::Receiver<usize>,
}

impl Terminator {
    pub async fn start(plain: String) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&key, &authority).expect("a certificate");

        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("a certificate and its key");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (counter, handshakes) = watch::channel(0);
        let (acceptor, counter) = (TlsAcceptor::from(Arc::new(config)), Arc::new(counter));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, counter, plain) = (acceptor.clone(), counter.clone(), plain.clone());
                tokio::spawn(async move {
                    let mut plain = TcpStream::connect(plain).await.expect("the stand-in");
                    // Else pieces would wait here for acknowledgements that the other side delays.
                    connection.set_nodelay(true).expect("an open connection");
                    plain.set_nodelay(true).expect("an open connection");
                    let Ok(mut connection) = acceptor.accept(connection).await else { return };
                    counter.send_modify(|handshakes| *handshakes += 1);
                    let _ = copy_bidirectional(&mut connection, &mut plain).await;
                });
            }
        });
        let file = NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), authority.pem()).expect("the authority's certificate");
        Self { address, authority: file, handshakes }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// With the name that the certificate is for.
    pub fn url(&self) -> String {
        self.address.replace("127.0.0.1", "https://localhost")
    }

    /// How many there have been.
    pub fn handshakes(&self) -> usize {
        *self.handshakes.borrow()
    }

    /// Waits until there have been more than so many.
    pub async fn handshakes_beyond(&self, count: usize) {
        self.handshakes.clone().wait_for(|handshakes| *handshakes > count).await.expect("a terminator that runs");
    }
}
