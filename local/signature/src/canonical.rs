//! Signing a request exactly as its [`Authorization`] says it was signed.
//!
//! The canonical request is that of "Create a signed AWS API request" in the IAM guide, for every service but S3.
//! It is built here, because `aws-sigv4` builds a client's: with a `host` header in every case, where the SDK for
//! JavaScript signs `:authority` over HTTP/2, and with panics on URIs that no client of its own sends. The key and
//! the signature are `aws-sigv4`'s.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::{header::HOST, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

use crate::{
    Authorization, Credentials,
    authorization::{ALGORITHM, Form},
    date::Timestamp,
};

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The signature that the request should have, in lower-case hexadecimal. The scope's date must be that of
/// `signed_at`, and `content_sha256` is the hash of the body, in lower-case hexadecimal too.
pub(crate) fn signature(
    head: &Parts,
    content_sha256: &str,
    authorization: &Authorization,
    signed_at: Timestamp,
    credentials: &Credentials,
) -> String {
    let scope = &authorization.scope;
    let request = hexadecimal_sha256(&canonical_request(head, content_sha256, authorization));
    let string_to_sign = format!("{ALGORITHM}\n{signed_at}\n{}\n{request}", scope.without_key());
    let key = generate_signing_key(credentials.secret_access_key(), signed_at.into(), scope.region(), scope.service());
    calculate_signature(key, string_to_sign.as_bytes())
}

pub(crate) fn hexadecimal_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canonical_request(head: &Parts, content_sha256: &str, authorization: &Authorization) -> Vec<u8> {
    let mut request = Vec::new();
    for line in [head.method.as_str(), &path(head.uri.path()), &query(head, authorization.form)] {
        request.extend_from_slice(line.as_bytes());
        request.push(b'\n');
    }
    for name in &authorization.signed_headers {
        request.extend_from_slice(name.as_bytes());
        request.push(b':');
        request.extend_from_slice(&header(head, name));
        request.push(b'\n');
    }
    let signed_headers: Vec<&str> = authorization.signed_headers.iter().map(String::as_str).collect();
    let end = format!("\n{}\n{content_sha256}", signed_headers.join(";"));
    request.extend_from_slice(end.as_bytes());
    request
}

/// The path without empty, `.` and `..` segments, and each segment encoded once more than it came: a model's `%3A`
/// is signed as `%253A`.
fn path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(encode(segment.as_bytes())),
        }
    }
    let is_directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) && !segments.is_empty();
    format!("/{}{}", segments.join("/"), if is_directory { "/" } else { "" })
}

/// The query's parameters, each encoded in the one way and in the order of what that gives. A plus is a plus.
fn query(head: &Parts, form: Form) -> String {
    let mut parameters: Vec<(String, String)> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .filter(|(name, _value)| form == Form::Header || *name != "X-Amz-Signature")
        .map(|(name, value)| (encode_again(name), encode_again(value)))
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join("&")
}

/// All values of a header in the order of their arrival, and of each no more spaces than one in a row. What was
/// signed and is not there has no value.
fn header(head: &Parts, name: &str) -> Vec<u8> {
    if matches!(name, ":authority" | "host") && !head.headers.contains_key(HOST) {
        return head.uri.authority().map(|authority| authority.as_str().into()).unwrap_or_default();
    }
    let name = if name == ":authority" { "host" } else { name };
    let values: Vec<Vec<u8>> = head.headers.get_all(name).iter().map(|value| squeeze(value.as_bytes())).collect();
    values.join(&b","[..])
}

fn squeeze(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b" "[..])
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

fn encode_again(encoded: &str) -> String {
    percent_encode(&percent_decode_str(encoded).collect::<Vec<u8>>(), RESERVED).to_string()
}
