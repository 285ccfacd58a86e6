//! The `local-edge` command: CloudFront with origin access control, in front of a function URL on this machine.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use http::Uri;
use local_edge::{Config, ViewerRequest};
use local_signature::{Credentials, parse_access_key};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Where function URLs on this machine are, as far as signatures can tell.
const REGION: &str = "us-east-1";

/// CloudFront with origin access control, in front of a function URL on this machine.
///
/// The function URL is one of `local-lambda --auth aws-iam` with the same access key.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Port on 127.0.0.1 to listen on; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Made-up credentials to sign with, which the function URL knows
    #[arg(long, value_name = "ID:SECRET[:TOKEN]", value_parser = parse_access_key)]
    access_key: Credentials,
    /// The CloudFront function that sees each request first [default: none]
    #[arg(long, value_name = "PATH")]
    viewer_request: Option<PathBuf>,
    /// Seconds the function URL may take for the head of its answer, and for each piece of it
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=900))]
    response_timeout: u64,
    /// The function URL, such as http://127.0.0.1:3001/
    #[arg(value_name = "FUNCTION_URL", value_parser = address)]
    origin: SocketAddr,
}

/// Where a URL of this machine's leads.
fn address(url: &str) -> Result<SocketAddr, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let port = uri.port_u16().filter(|_| uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/"));
    let (Some(host), Some(port)) = (uri.host(), port) else {
        return Err("write it as http://HOST:PORT/".to_owned());
    };
    let mut addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    addresses.next().ok_or_else(|| "it has no address".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last place to tell; if it is closed the exit code remains.
            let _ = writeln!(io::stderr(), "local-edge: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(cli: Cli) -> io::Result<()> {
    let mut config =
        Config::new(cli.origin, REGION, cli.access_key).response_timeout(Duration::from_secs(cli.response_timeout));
    if let Some(path) = cli.viewer_request {
        config = config.viewer_request(viewer_request(&path)?);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, cli.port));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let advice = "choose another port with --port";
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {advice}"))
    })?;
    // Both handlers stand before the address is printed, so that whoever reads it can stop us.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    writeln!(io::stdout(), "distribution  http://{}/  (Ctrl-C stops it)", listener.local_addr()?)?;
    local_edge::run(listener, config, async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
    .await
}

fn viewer_request(path: &Path) -> io::Result<ViewerRequest> {
    let named = |kind, error: &dyn std::fmt::Display| io::Error::new(kind, format!("{}: {error}", path.display()));
    let source = std::fs::read_to_string(path).map_err(|error| named(error.kind(), &error))?;
    ViewerRequest::parse(source).map_err(|error| named(io::ErrorKind::InvalidData, &error))
}
