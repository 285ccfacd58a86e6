//! Signed requests, checked by a verifier written from "Create a signed AWS API request" in the IAM guide, which is
//! itself held to requests of AWS's published signature test suite.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};

use super::*;

/// 2015-08-30T12:36:00Z, the suite's.
const SIGNED_AT: Duration = Duration::from_secs(1_440_938_160);
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
const BODY: &[u8] = br#"{"message":"Yo"}"#;

async fn authorizer(token: Option<&str>) -> Authorizer {
    let credentials = Credentials::new(KEY_ID, SECRET, token.map(str::to_owned), None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    Authorizer {
        region: Region::parse("eu-central-1").unwrap(),
        credentials: KeptCredentials::fetch(provider, None).await.unwrap(),
    }
}

/// The request's own headers together with those that signing adds.
async fn signed(uri: &str, token: Option<&str>, own: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers: HeaderMap =
        own.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
    let authorizer = authorizer(token).await;
    let credentials = authorizer.credentials.current().await.unwrap();
    let now = UNIX_EPOCH + SIGNED_AT;
    let added = authorizer.sign(&Method::POST, &uri.parse().unwrap(), &headers, BODY, credentials, now).unwrap();
    headers.extend(added);
    headers
}

/// Whether the service would take the request, with `host` as it stands in the request's head.
fn accepts(method: &str, uri: &str, host: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let uri: Uri = uri.parse().unwrap();
    let mut sent: BTreeMap<&str, String> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap().to_owned())).collect();
    sent.insert("host", host.to_owned());

    let authorization = sent.get("authorization").ok_or("no authorization")?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("another algorithm")?;
    let fields: BTreeMap<&str, &str> = rest.split(", ").filter_map(|field| field.split_once('=')).collect();
    let (key_id, scope) = fields["Credential"].split_once('/').ok_or("no scope")?;
    let [_, region, service, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("scope {scope}"));
    };
    let hash = hexadecimal_sha256(body);
    if key_id != KEY_ID || sent.get("x-amz-content-sha256").is_some_and(|sent| *sent != hash) {
        return Err("another key, or another body".to_owned());
    }

    let mut canonical = format!("{method}\n{}\n{}\n", uri.path().replace('%', "%25"), uri.query().unwrap_or_default());
    for name in fields["SignedHeaders"].split(';') {
        canonical += &format!("{name}:{}\n", sent.get(name).ok_or(format!("no {name}"))?.trim());
    }
    canonical += &format!("\n{}\n{hash}", fields["SignedHeaders"]);
    let request = hexadecimal_sha256(canonical.as_bytes());
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{request}", sent["x-amz-date"]);
    let key = generate_signing_key(SECRET, UNIX_EPOCH + SIGNED_AT, region, service);
    let signature = calculate_signature(key, to_sign.as_bytes());
    if signature == fields["Signature"] { Ok(()) } else { Err(format!("signature of\n{canonical}")) }
}

/// `get-vanilla-with-session-token` and `post-x-www-form-urlencoded` of AWS's signature test suite.
#[test]
fn the_verifier_takes_published_requests_and_no_others() {
    let request = |fields: &[(&'static str, &str)]| -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    };
    let get = request(&[
        ("x-amz-security-token", TOKEN),
        ("x-amz-date", "20150830T123600Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-security-token, \
             Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
    ]);
    let post = request(&[
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "13"),
        ("x-amz-date", "20150830T123600Z"),
        ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, \
             Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
    ]);
    let uri = "https://example.amazonaws.com/";
    assert_eq!(accepts("GET", uri, "example.amazonaws.com", &get, b""), Ok(()));
    assert_eq!(accepts("POST", uri, "example.amazonaws.com", &post, b"Param1=value1"), Ok(()));
    assert!(accepts("GET", uri, "example.com", &get, b"").is_err());
    assert!(accepts("PUT", uri, "example.amazonaws.com", &get, b"").is_err());
    assert!(accepts("POST", uri, "example.amazonaws.com", &post, b"Param1=value2").is_err());
}

#[tokio::test]
async fn a_signed_request_is_accepted_with_keys_for_good_and_with_temporary_ones() {
    let uri = "https://abc.lambda-url.eu-central-1.on.aws/api/chat";
    let host = "abc.lambda-url.eu-central-1.on.aws";
    for token in [None, Some(TOKEN)] {
        let headers = signed(uri, token, &[("content-type", "application/json")]).await;
        assert_eq!(accepts("POST", uri, host, &headers, BODY), Ok(()));
        assert!(accepts("POST", uri, host, &headers, b"another body").is_err());
        assert_eq!(headers.contains_key("x-amz-security-token"), token.is_some());
        let scope = headers[AUTHORIZATION].to_str().unwrap().to_owned();
        assert!(scope.contains("/eu-central-1/lambda/aws4_request"), "{scope}");
    }
}

#[tokio::test]
async fn a_port_a_path_and_a_query_are_signed_as_they_are_sent() {
    let uri = "http://localhost:9000/chat%20room/v1?a=1&b=%C3%A9";
    assert_eq!(accepts("POST", uri, "localhost:9000", &signed(uri, None, &[]).await, BODY), Ok(()));
}

#[tokio::test]
async fn a_host_header_of_the_request_is_the_one_that_is_signed() {
    let headers = signed("/api/chat", None, &[("host", "front.example.com")]).await;
    assert_eq!(accepts("POST", "/api/chat", "front.example.com", &headers, BODY), Ok(()));
}

#[tokio::test]
async fn what_a_proxy_may_change_is_not_signed() {
    let own = [("accept", "text/event-stream"), ("user-agent", "bro-load"), ("x-api-key", "k"), ("cookie", "a=b")];
    let mut headers = signed("https://example.com/api/chat", None, &own).await;
    for (name, _) in own {
        headers.remove(name);
    }
    assert_eq!(accepts("POST", "https://example.com/api/chat", "example.com", &headers, BODY), Ok(()));
}

#[tokio::test]
async fn a_content_hash_of_the_requests_own_is_replaced_not_repeated() {
    let headers = signed("https://example.com/", None, &[("x-amz-content-sha256", "0000")]).await;
    assert_eq!(headers.get_all(CONTENT_SHA256).iter().count(), 1);
    assert_eq!(headers[CONTENT_SHA256], content_sha256(BODY));
    assert_eq!(accepts("POST", "https://example.com/", "example.com", &headers, BODY), Ok(()));
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_says_why() {
    let authorizer = authorizer(None).await;
    let nowhere = authorizer.headers(&Method::POST, &"/api/chat".parse().unwrap(), &HeaderMap::new(), BODY).await;
    assert!(nowhere.unwrap_err().to_string().contains("names no host"));

    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap());
    let odd = authorizer.headers(&Method::POST, &"https://a.example/".parse().unwrap(), &headers, BODY).await;
    assert!(odd.unwrap_err().to_string().contains("`content-type`"));
}

#[tokio::test]
async fn neither_key_nor_token_is_shown_by_anything() {
    let authorizer = authorizer(Some(TOKEN)).await;
    let uri = "https://example.com/".parse().unwrap();
    let headers = authorizer.headers(&Method::POST, &uri, &HeaderMap::new(), BODY).await.unwrap();
    let shown = format!("{authorizer:?} {headers:?}");
    for secret in [KEY_ID, SECRET, TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// The hash of nothing, as FIPS 180-4 gives it.
#[test]
fn the_hash_of_an_empty_body_is_sha_256s() {
    assert_eq!(content_sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
