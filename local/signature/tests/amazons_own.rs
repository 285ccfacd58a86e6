//! Whatever Amazon's own `aws-sigv4` signs is accepted, presigned or with a header.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4::SigningParams,
};
use http::Request;
use local_signature::{Credentials, SignatureError, Verifier};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop_assert_eq, proptest},
    sample::select,
};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

fn credentials() -> Credentials {
    Credentials::new("AKID", "secret/+=", Some("token/+=".to_owned()), None, "test")
}

/// Signs as a client does: everything that is there but `user-agent`.
fn signed(mut request: Request<()>, body: &[u8], settings: SigningSettings) -> Request<()> {
    let identity = credentials().into();
    let parameters = SigningParams::builder().identity(&identity).region("us-east-1").name("lambda").time(now());
    let parameters = parameters.settings(settings).build().unwrap().into();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let uri = request.uri().to_string();
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(body)).unwrap();
    let (instructions, _signature) = sign(signable, &parameters).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn verify(request: Request<()>, body: &[u8]) -> Result<(), SignatureError> {
    let verifier = Verifier::new("lambda", [credentials()]);
    verifier.verify(&request.into_parts().0, body, Some("us-east-1"), now()).map(drop)
}

#[test]
fn a_payload_hash_that_is_not_the_bodys_is_refused_even_where_it_is_signed() {
    let request = |hash: &str| Request::post("/").header("host", "a").header("x-amz-content-sha256", hash);
    let settings = SigningSettings::default;
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(verify(signed(request(empty).body(()).unwrap(), b"", settings()), b""), Ok(()));
    for hash in [empty, "UNSIGNED-PAYLOAD"] {
        let lying = signed(request(hash).body(()).unwrap(), b"Yo", settings());
        assert_eq!(verify(lying, b"Yo"), Err(SignatureError::Mismatch), "{hash}");
    }
}

/// A path whose segments hold what is encoded, what could be, and what is left out when a path is normalised.
fn path() -> impl Strategy<Value = String> {
    let segment =
        select(vec!["model", "", ".", "..", "a.b", "us.x-v1%3A0", "%2F", "a:b", "~_-", "caf%C3%A9", "\u{1234}"]);
    vec(segment, 0..6).prop_map(|segments| format!("/{}", segments.join("/")))
}

/// A query without a plus, in which `aws-sigv4` sees a space.
fn query() -> impl Strategy<Value = String> {
    let parameter = select(vec!["", "a", "a=", "a=2", "A=1", "b=x%20y", "b=%2b", "c=d=e", "%C3%A9=1", "z='(!)*'"]);
    vec(parameter, 0..6).prop_map(|parameters| parameters.join("&"))
}

/// Headers in any order, some of them twice, with spaces wherever a header may have them.
fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let name = select(vec!["content-type", "x-amz-target", "x-custom", "user-agent", "accept"]);
    vec((name, "[ -~]{0,12}"), 0..6)
}

/// What the property has found once.
#[test]
fn nothing_in_the_request_and_a_parameter_without_a_value_are_signed_as_amazon_does() {
    for uri in ["/", "/?a=2&a"] {
        let request = Request::get(uri).header("host", "127.0.0.1:3000").body(()).unwrap();
        assert_eq!(verify(signed(request, b"", SigningSettings::default()), b""), Ok(()), "{uri}");
    }
}

proptest! {
    // What fails is printed, and becomes a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_aws_sigv4_signs_is_accepted(
        method in select(vec!["GET", "POST", "PUT"]),
        path in path(),
        query in query(),
        headers in headers(),
        body in vec(any::<u8>(), 0..64),
        presigned in any::<bool>(),
    ) {
        let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut request = Request::builder().method(method).uri(&uri).header("host", "127.0.0.1:3000");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let mut settings = SigningSettings::default();
        if presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(3600));
        }
        let request = signed(request.body(()).unwrap(), &body, settings);
        prop_assert_eq!(verify(request, &body), Ok(()));
    }
}
