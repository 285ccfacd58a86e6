//! Who may call, as a deployment decides it: the template's parameter `Access`, played on this machine.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use local_edge::ViewerRequest;
use local_lambda::{Config, Credentials, Function};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::stack::Error;

/// Where the function is, as far as signatures can tell: the stand-in's default.
const REGION: &str = "us-east-1";

/// Who may call.
#[derive(Args)]
pub(crate) struct AccessArgs {
    /// Who may call, as the template's parameter Access decides it
    #[arg(long, value_enum, default_value_t)]
    access: Access,
    /// The API key under public and cloudfront; a new one is drawn if not given
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// The CloudFront function that sees each request first under cloudfront
    #[arg(long, default_value = "deploy/viewer-request.js", value_name = "PATH")]
    viewer_request: PathBuf,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Access {
    /// Everybody on this machine, without a key
    #[default]
    Open,
    /// A function URL for everybody who has the API key
    Public,
    /// A function URL for whoever signs with the printed credentials
    Iam,
    /// CloudFront with origin access control in front of a function URL, for everybody who has the API key
    Cloudfront,
}

/// The way in, ready to be opened.
pub(crate) struct Door {
    access: Access,
    key: Option<String>,
    edge: Option<(TcpListener, local_edge::Config)>,
    signer: Credentials,
}

impl AccessArgs {
    /// The way in to a function whose URL is at `url`. An edge takes its place there, and the URL itself moves.
    pub(crate) async fn door(&self, url: TcpListener) -> Result<(Door, TcpListener), Error> {
        let key = matches!(self.access, Access::Public | Access::Cloudfront)
            .then(|| self.api_key.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string()));
        let (id, secret) = match self.access {
            Access::Cloudfront => ("ASIALOCALCLOUDFRONT0", uuid::Uuid::new_v4().to_string()),
            _ => ("AKIALOCALCALLER00000", "local-caller-secret".to_owned()),
        };
        let signer = Credentials::new(id, secret, None, None, "bro-stack");
        let mut door = Door { access: self.access, key, edge: None, signer };
        if self.access != Access::Cloudfront {
            return Ok((door, url));
        }
        let function = viewer_request(&self.viewer_request)?;
        let origin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let config = local_edge::Config::new(origin.local_addr()?, REGION, door.signer.clone());
        door.edge = Some((url, config.viewer_request(function)));
        Ok((door, origin))
    }
}

impl Door {
    /// What a person needs to come in, by name.
    pub(crate) fn facts(&self, url: SocketAddr) -> Vec<(&'static str, String)> {
        let origin = matches!(self.access, Access::Cloudfront)
            .then(|| ("origin", format!("http://{url}/ lets only the edge in")));
        let signer = matches!(self.access, Access::Iam).then(|| {
            let (id, secret) = (self.signer.access_key_id(), self.signer.secret_access_key());
            ("sign", format!("AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={REGION}"))
        });
        let key = self.key.clone().map(|key| ("key", key));
        [origin, signer, key].into_iter().flatten().collect()
    }

    /// The variables that a deployment sets.
    pub(crate) fn configure_function(&self, function: Function) -> Function {
        match &self.key {
            Some(key) => function
                .env("API_KEY_SHA256", format!("local:{}", hexadecimal_sha256(key)))
                .env("REQUIRE_API_KEY", "true"),
            None => function,
        }
    }

    /// The function URL's `AuthType`.
    pub(crate) fn configure_url(&self, config: Config) -> Config {
        match self.access {
            Access::Open | Access::Public => config,
            Access::Iam | Access::Cloudfront => config.aws_iam([self.signer.clone()]),
        }
    }

    /// Serves the edge, where there is one, for as long as the future is polled.
    pub(crate) async fn serve(self) {
        if let Some((listener, config)) = self.edge {
            // Without a shutdown of its own it ends with this program.
            let _ = local_edge::run(listener, config, std::future::pending()).await;
        }
    }
}

fn viewer_request(path: &Path) -> Result<ViewerRequest, Error> {
    let unusable = |why: String| Error::ViewerRequest { path: path.to_owned(), why };
    let source = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    ViewerRequest::parse(source).map_err(|error| unusable(error.to_string()))
}

fn hexadecimal_sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hexadecimal, byte| {
        let _ = write!(hexadecimal, "{byte:02x}");
        hexadecimal
    })
}
