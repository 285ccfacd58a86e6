//! Who may call, as a deployment decides it: the template's parameter `Access`, played on this machine.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use local_edge::ViewerRequest;
use local_lambda::{Config, Credentials, Function};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::error::Error;

/// Where the function is, as far as signatures can tell: the stand-in's default.
const REGION: &str = "us-east-1";
/// The template's `OriginReadTimeout`, so that what a deployment waits for is waited for here, and no longer.
const ORIGIN_RESPONSE: Duration = Duration::from_secs(60);

/// Who may call.
#[derive(Args)]
pub(crate) struct AccessArgs {
    /// Who may call, as the template's parameter Access decides it
    #[arg(long, value_enum, default_value_t)]
    access: Access,
    /// The API key under public and cloudfront; a new one is drawn if not given
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    api_key: Option<String>,
    /// The CloudFront function that sees each request first under cloudfront [default: deploy/viewer-request.js]
    #[arg(long, value_name = "PATH")]
    viewer_request: Option<PathBuf>,
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
pub(crate) enum Door {
    Open,
    Public { key: String },
    Iam { caller: Credentials },
    Cloudfront { key: String, edge: Box<Edge> },
}

/// CloudFront's stand-in, with the credentials that the function URL knows it by.
pub(crate) struct Edge {
    listener: TcpListener,
    config: local_edge::Config,
    signer: Credentials,
}

impl AccessArgs {
    /// The way in to a function whose URL is at `url`. An edge takes its place there, and the URL itself moves.
    pub(crate) async fn door(&self, url: TcpListener) -> Result<(Door, TcpListener), Error> {
        self.refuse_what_is_not_used()?;
        let key = || self.api_key.clone().unwrap_or_else(|| draw() + &draw());
        let door = match self.access {
            Access::Open => Door::Open,
            Access::Public => Door::Public { key: key() },
            Access::Iam => Door::Iam { caller: credentials("AKIALOCALCALLER00000", "local-caller-secret") },
            Access::Cloudfront => {
                let origin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let path = self.viewer_request.as_deref().unwrap_or(Path::new("deploy/viewer-request.js"));
                let edge = Edge::new(url, origin.local_addr()?, viewer_request(path)?);
                return Ok((Door::Cloudfront { key: key(), edge: Box::new(edge) }, origin));
            }
        };
        Ok((door, url))
    }

    /// Else somebody who gave a key would take an open door for a closed one.
    fn refuse_what_is_not_used(&self) -> Result<(), Error> {
        let (keyed, edged) = match self.access {
            Access::Open | Access::Iam => (false, false),
            Access::Public => (true, false),
            Access::Cloudfront => (true, true),
        };
        if self.api_key.is_some() && !keyed {
            return Err(Error::Unused { option: "--api-key", with: "--access public or --access cloudfront" });
        }
        if self.viewer_request.is_some() && !edged {
            return Err(Error::Unused { option: "--viewer-request", with: "--access cloudfront" });
        }
        Ok(())
    }
}

impl Edge {
    fn new(listener: TcpListener, origin: SocketAddr, function: ViewerRequest) -> Self {
        // Of nobody else: whoever has them gets past the edge.
        let signer = credentials("ASIALOCALCLOUDFRONT0", &draw());
        let config = local_edge::Config::new(origin, REGION, signer.clone())
            .viewer_request(function)
            .response_timeout(ORIGIN_RESPONSE);
        Self { listener, config, signer }
    }
}

impl Door {
    /// What a person needs to come in, by name.
    pub(crate) fn facts(&self, url: SocketAddr) -> Vec<(&'static str, String)> {
        match self {
            Self::Open => Vec::new(),
            Self::Public { key } => vec![("key", key.clone())],
            Self::Iam { caller } => {
                let (id, secret) = (caller.access_key_id(), caller.secret_access_key());
                vec![("sign", format!("AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={REGION}"))]
            }
            Self::Cloudfront { key, .. } => {
                vec![("origin", format!("http://{url}/ lets only the edge in")), ("key", key.clone())]
            }
        }
    }

    /// The variables that a deployment sets.
    pub(crate) fn configure_function(&self, function: Function) -> Function {
        match self {
            Self::Open | Self::Iam { .. } => function,
            Self::Public { key } | Self::Cloudfront { key, .. } => function
                .env("API_KEY_SHA256", format!("local:{}", hexadecimal_sha256(key)))
                .env("REQUIRE_API_KEY", "true"),
        }
    }

    /// The function URL's `AuthType`.
    pub(crate) fn configure_url(&self, config: Config) -> Config {
        match self {
            Self::Open | Self::Public { .. } => config,
            Self::Iam { caller } => config.aws_iam([caller.clone()]),
            Self::Cloudfront { edge, .. } => config.aws_iam([edge.signer.clone()]),
        }
    }

    /// Serves the edge, where there is one, for as long as the future is polled.
    pub(crate) async fn serve(self) {
        if let Self::Cloudfront { edge, .. } = self {
            // Without a shutdown of its own it ends with this program.
            let _ = local_edge::run(edge.listener, edge.config, std::future::pending()).await;
        }
    }
}

/// 122 random bits.
fn draw() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn credentials(id: &str, secret: &str) -> Credentials {
    Credentials::new(id, secret, None, None, "bro-stack")
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

#[cfg(test)]
mod tests {
    use super::ORIGIN_RESPONSE;

    #[test]
    fn the_edge_waits_for_the_function_as_long_as_a_deployments() {
        let template = include_str!("../../../template.yaml");
        let seconds = template.lines().find_map(|line| line.trim().strip_prefix("OriginReadTimeout: "));
        assert_eq!(seconds, Some(ORIGIN_RESPONSE.as_secs().to_string().as_str()));
    }
}
