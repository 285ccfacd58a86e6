//! Requests signed here, and what becomes of them on the way or with the time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use http::{HeaderValue, Request, Uri, request::Parts};
use local_signature::{Credentials, Incomplete, SignatureError, Verifier, sign};

const BODY: &[u8] = br#"{"messages":[]}"#;
/// A model's ARN as the SDKs send it: encoded once on the wire, and once more where it is signed.
const PATH: &str =
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.a.b-v1%3A0/converse-stream";

/// 30 August 2015, 12:36:00 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

fn credentials() -> Credentials {
    Credentials::new("AKID", "secret", None, None, "test")
}

fn temporary(token: &str) -> Credentials {
    Credentials::new("ASIA", "secret", Some(token.to_owned()), Some(now() + Duration::from_secs(60)), "test")
}

fn unsigned(uri: &str) -> Parts {
    let request = Request::post(uri).header("host", "127.0.0.1:3000").header("content-type", "application/json");
    request.body(()).unwrap().into_parts().0
}

fn signed_by(credentials: &Credentials) -> Parts {
    let mut head = unsigned(PATH);
    sign(&mut head, BODY, credentials, "us-east-1", "bedrock", now()).unwrap();
    head
}

fn verify(head: &Parts, body: &[u8], now: SystemTime) -> Result<(), SignatureError> {
    let verifier = Verifier::new("bedrock", [credentials(), temporary("token")]);
    verifier.verify(head, body, Some("us-east-1"), now).map(drop)
}

#[test]
fn what_was_signed_is_accepted_and_any_change_to_it_is_not() {
    let signed = signed_by(&credentials());
    assert_eq!(verify(&signed, BODY, now()), Ok(()));
    assert_eq!(verify(&signed, b"{}", now()), Err(SignatureError::Mismatch));

    let change = |edit: fn(&mut Parts)| {
        let mut head = signed.clone();
        edit(&mut head);
        verify(&head, BODY, now())
    };
    let changes: [fn(&mut Parts); 6] = [
        |head| head.uri = Uri::from_static("/model/us.a.b-v1%3A0/converse-stream"),
        |head| head.uri = format!("{PATH}?debug=1").parse().unwrap(),
        |head| drop(head.headers.insert("host", HeaderValue::from_static("127.0.0.1:3001"))),
        |head| assert!(head.headers.append("content-type", HeaderValue::from_static("text/plain"))),
        |head| drop(head.headers.remove("content-type")),
        |head| drop(head.headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"))),
    ];
    for (place, edit) in changes.into_iter().enumerate() {
        assert_eq!(change(edit), Err(SignatureError::Mismatch), "change {place}");
    }
    // A proxy's own header was never signed.
    assert_eq!(change(|head| drop(head.headers.insert("via", HeaderValue::from_static("1.1 edge")))), Ok(()));
}

#[test]
fn the_host_of_http_2_stands_in_the_uri() {
    let mut head = signed_by(&credentials());
    head.headers.remove("host");
    head.uri = format!("http://127.0.0.1:3000{PATH}").parse().unwrap();
    assert_eq!(verify(&head, BODY, now()), Ok(()));
}

#[test]
fn a_clock_may_be_five_minutes_off() {
    let head = signed_by(&credentials());
    let (skew, second) = (Duration::from_secs(300), Duration::from_secs(1));
    assert_eq!(verify(&head, BODY, now() + skew), Ok(()));
    assert_eq!(verify(&head, BODY, now() - skew), Ok(()));
    assert_eq!(
        verify(&head, BODY, now() + skew + second).unwrap_err().to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert_eq!(
        verify(&head, BODY, now() - skew - second).unwrap_err().to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn unknown_keys_and_tokens_are_refused_alike() {
    let strangers = [
        Credentials::new("SOMEONE", "secret", None, None, "test"),
        // Temporary credentials with another token or with none, and a token that goes with none of ours.
        temporary("stale"),
        Credentials::new("ASIA", "secret", None, None, "test"),
        Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test"),
    ];
    for stranger in strangers {
        let refused = verify(&signed_by(&stranger), BODY, now()).unwrap_err();
        assert_eq!(refused.name(), "UnrecognizedClientException", "{stranger:?}");
        assert_eq!(refused.to_string(), "The security token included in the request is invalid.");
    }
    let forger = Credentials::new("AKID", "guess", None, None, "test");
    assert_eq!(verify(&signed_by(&forger), BODY, now()), Err(SignatureError::Mismatch));
}

#[test]
fn temporary_credentials_end_with_their_expiry() {
    let head = signed_by(&temporary("token"));
    assert_eq!(verify(&head, BODY, now()), Ok(()));
    let refused = verify(&head, BODY, now() + Duration::from_secs(60)).unwrap_err();
    assert_eq!(refused.name(), "ExpiredTokenException");
}

#[test]
fn another_service_or_region_is_refused_before_the_key_is_looked_at() {
    let head = signed_by(&Credentials::new("SOMEONE", "secret", None, None, "test"));
    let elsewhere = Verifier::new("bedrock", []).verify(&head, BODY, Some("eu-west-1"), now()).map(drop);
    assert_eq!(elsewhere, Err(SignatureError::Region("us-east-1".to_owned())));
    let other = Verifier::new("lambda", []).verify(&head, BODY, None, now()).map(drop);
    assert_eq!(other, Err(SignatureError::Service("lambda")));
}

#[test]
fn a_signature_without_a_date_or_with_a_broken_one_is_incomplete() {
    let mut head = signed_by(&credentials());
    head.headers.insert("x-amz-date", HeaderValue::from_static("yesterday"));
    assert_eq!(verify(&head, BODY, now()), Err(Incomplete::Date("yesterday".to_owned()).into()));
    head.headers.remove("x-amz-date");
    assert_eq!(verify(&head, BODY, now()), Err(Incomplete::NoDate.into()));
}

#[test]
fn whatever_a_socket_may_bring_is_refused_without_a_panic() {
    let signed = signed_by(&credentials());
    // Encoded, the first is longer than a URI may be.
    let uris = [format!("/?a={}", "'".repeat(60_000)), "*".to_owned(), "127.0.0.1:443".to_owned(), "/%".to_owned()];
    for uri in uris {
        let mut head = signed.clone();
        head.uri = uri.parse().unwrap();
        assert_eq!(verify(&head, BODY, now()), Err(SignatureError::Mismatch), "{uri:.40}");
    }
    let mut latin1 = signed.clone();
    latin1.headers.insert("content-type", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    assert_eq!(verify(&latin1, BODY, now()), Err(SignatureError::Mismatch));
    let mut nowhere = signed;
    nowhere.headers.remove("host");
    assert_eq!(verify(&nowhere, BODY, now()), Err(SignatureError::Mismatch));
}

#[test]
fn credentials_that_no_header_can_carry_sign_nothing() {
    let broken = Credentials::new("AK\nID", "secret", None, None, "test");
    assert!(sign(&mut unsigned("/"), b"", &broken, "us-east-1", "lambda", now()).is_err());
}
