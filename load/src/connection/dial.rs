//! Opening a connection, each step timed.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};

use super::Connection;
use super::roots::{TlsUnavailable, connector};
use crate::endpoint::{Endpoint, Transport};

/// What carries the bytes: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens connections to one endpoint.
pub(crate) struct Dialer {
    host: String,
    port: u16,
    tls: Option<Tls>,
    limit: Duration,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// A new connection, and how long each step took.
pub(crate) struct Dialed {
    pub(crate) connection: Connection,
    /// Name and TCP.
    pub(crate) connect: Duration,
    /// The handshake, where there was one.
    pub(crate) tls: Option<Duration>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{host} could not be resolved: {source}")]
    Name { host: String, source: io::Error },
    #[error("{address} could not be reached: {source}")]
    Tcp { address: String, source: io::Error },
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    #[error("no connection within {} s", .0.as_secs_f64())]
    Late(Duration),
    #[error("no HTTP on the connection: {0}")]
    Http(#[from] hyper::Error),
}

impl Dialer {
    /// # Errors
    /// When the endpoint speaks TLS and this machine cannot.
    pub(crate) fn new(endpoint: &Endpoint, limit: Duration) -> Result<Self, NoDialer> {
        let tls = match endpoint.transport() {
            Transport::Tcp => None,
            Transport::Tls => {
                let name = ServerName::try_from(endpoint.host().to_owned())?;
                Some(Tls { connector: connector()?, name })
            }
        };
        Ok(Self { host: endpoint.host().to_owned(), port: endpoint.port(), tls, limit })
    }

    pub(crate) async fn dial(&self) -> Result<Dialed, DialError> {
        timeout(self.limit, self.open()).await.unwrap_or(Err(DialError::Late(self.limit)))
    }

    async fn open(&self) -> Result<Dialed, DialError> {
        let started = Instant::now();
        let tcp = self.tcp().await?;
        let connected = Instant::now();
        let connect = connected - started;
        let Some(tls) = &self.tls else {
            return Ok(Dialed { connection: Connection::over(Box::new(tcp)).await?, connect, tls: None });
        };
        let stream = tls.connector.connect(tls.name.clone(), tcp).await.map_err(DialError::Tls)?;
        let tls = connected.elapsed();
        Ok(Dialed { connection: Connection::over(Box::new(stream)).await?, connect, tls: Some(tls) })
    }

    /// The first of the name's addresses that answers.
    async fn tcp(&self) -> Result<TcpStream, DialError> {
        let name_error = |source| DialError::Name { host: self.host.clone(), source };
        let addresses = tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(name_error)?;
        let mut failed = name_error(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Without it a request could wait for an acknowledgement that the other side delays.
                    stream.set_nodelay(true).map_err(|source| tcp_error(address, source))?;
                    return Ok(stream);
                }
                Err(source) => failed = tcp_error(address, source),
            }
        }
        Err(failed)
    }
}

fn tcp_error(address: std::net::SocketAddr, source: io::Error) -> DialError {
    DialError::Tcp { address: address.to_string(), source }
}

/// Connections to the endpoint cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDialer {
    #[error(transparent)]
    Tls(#[from] TlsUnavailable),
    #[error("the host's name cannot be in a certificate: {0}")]
    Name(#[from] InvalidDnsNameError),
}
