//! Headers that are CloudFront's own. Source: "Restrictions on all edge functions" in the CloudFront developer guide.

use http::HeaderName;

const HIDDEN: &[&str] = &[
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];
const HIDDEN_BEGIN_WITH: &[&str] = &["x-amz-cf-", "x-edge-"];
const READ_ONLY: &[&str] = &["cdn-loop", "content-length", "host", "transfer-encoding", "via"];

/// Whether functions neither see a header nor may add it.
pub(crate) fn is_hidden(name: &HeaderName) -> bool {
    let name = name.as_str();
    HIDDEN.contains(&name) || HIDDEN_BEGIN_WITH.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether functions see a header in a viewer's request, and may not add, change or remove it.
pub(crate) fn is_read_only(name: &HeaderName) -> bool {
    READ_ONLY.contains(&name.as_str())
}
