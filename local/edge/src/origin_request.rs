//! From a viewer's request to the origin's: origin access control.

use std::net::SocketAddr;
use std::time::SystemTime;

use http::header::{self, HeaderName, HeaderValue, InvalidHeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use local_signature::{Credentials, sign_declared};

use crate::hop_by_hop;

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Why a request cannot be sent on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsendable {
    #[error("a header that cannot be signed")]
    Header(#[from] InvalidHeaderValue),
    #[error("a URI that cannot be sent on")]
    Uri(#[from] http::Error),
}

/// Points a request at the origin, says for whom it comes, and signs it.
pub(crate) fn prepare(
    head: &mut Parts,
    viewer: SocketAddr,
    origin: SocketAddr,
    region: &str,
    credentials: &Credentials,
    id: &str,
) -> Result<(), Unsendable> {
    let authority = origin.to_string();
    let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let authority: Authority = authority.parse().map_err(http::Error::from)?;
    head.headers.insert(header::HOST, HeaderValue::try_from(authority.as_str())?);
    head.uri = http::Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(path).build()?;
    head.version = http::Version::HTTP_11;
    hop_by_hop::remove(&mut head.headers);
    // CloudFront has answered it by then.
    head.headers.remove(header::EXPECT);
    head.headers.append(header::VIA, HeaderValue::from_static("1.1 local.cloudfront.net (CloudFront)"));
    head.headers.append("x-forwarded-for", HeaderValue::try_from(viewer.ip().to_string())?);
    head.headers.insert("x-amz-cf-id", HeaderValue::try_from(id)?);
    let declared = head.headers.get(CONTENT_SHA256).and_then(|hash| hash.to_str().ok()).unwrap_or(EMPTY).to_owned();
    sign_declared(head, &declared, credentials, region, "lambda", SystemTime::now())?;
    Ok(())
}
