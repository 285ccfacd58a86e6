//! Requests with the signatures that AWS publishes for them (the SigV4 test suite of awslabs/aws-c-auth), and one as
//! the SDK for JavaScript signs it: what is signed here is exactly what others sign.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use http::{Request, request::Parts};
use local_signature::{Credentials, SignatureError, Verifier};

const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
const FORM: &str = "Param1=value1";
const FORM_SHA256: &str = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";

/// 30 August 2015, 12:36:00 UTC: when all of them were signed.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

fn credentials(token: Option<&str>) -> Credentials {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    Credentials::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "published")
}

fn signed(method: &str, uri: &str, headers: &[(&str, &str)], signed_headers: &str, signature: &str) -> Parts {
    let mut request = Request::builder().method(method).uri(uri).header("host", "example.amazonaws.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}"
    );
    let request = request.header("x-amz-date", "20150830T123600Z").header("authorization", authorization);
    request.body(()).unwrap().into_parts().0
}

#[test]
fn every_published_signature_is_accepted_and_no_other_method_has_it() {
    let get = |uri, signature| (signed("GET", uri, &[], "host;x-amz-date", signature), "");
    let duplicate = |values: [&str; 3], signature| {
        let headers = values.map(|value| ("my-header1", value));
        (signed("GET", "/", &headers, "host;my-header1;x-amz-date", signature), "")
    };
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-length", "13")];
    let trimmed = [("my-header1", " value1 "), ("my-header2", " \"a   b   c\" ")];
    let cases = [
        // get-vanilla
        get("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        // get-vanilla-query-order-key-case
        get("/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        // get-utf8
        get("/\u{1234}", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        // get-vanilla-utf8-query
        get("/?\u{1234}=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        // get-slashes-normalized
        get("//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        // get-relative-normalized
        get("/example/..", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        // get-header-key-duplicate
        duplicate(["value2", "value2", "value1"], "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        // get-header-value-trim
        (
            signed(
                "GET",
                "/",
                &trimmed,
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            "",
        ),
        // post-x-www-form-urlencoded
        (
            signed(
                "POST",
                "/",
                &[form.as_slice(), &[("x-amz-content-sha256", FORM_SHA256)]].concat(),
                "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
            FORM,
        ),
    ];
    let verifier = Verifier::new("service", [credentials(None)]);
    for (mut head, body) in cases {
        let verified = verifier.verify(&head, body.as_bytes(), Some("us-east-1"), then());
        assert_eq!(verified.map(Credentials::access_key_id), Ok("AKIDEXAMPLE"), "{} {:?}", head.uri, head.headers);
        head.method = http::Method::DELETE;
        let forged = verifier.verify(&head, body.as_bytes(), Some("us-east-1"), then());
        assert_eq!(forged.map(drop), Err(SignatureError::Mismatch), "{}", head.uri);
    }
}

#[test]
fn a_session_token_may_be_signed_or_left_out_of_the_signature() {
    // get-vanilla-with-session-token, and get-vanilla with the token sent beside it
    let cases = [
        ("host;x-amz-date;x-amz-security-token", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
        ("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ];
    let verifier = Verifier::new("service", [credentials(Some(TOKEN))]);
    for (signed_headers, signature) in cases {
        let head = signed("GET", "/", &[("x-amz-security-token", TOKEN)], signed_headers, signature);
        assert!(verifier.verify(&head, b"", None, then()).is_ok(), "{signed_headers}");
    }
}

#[test]
fn a_presigned_request_is_good_for_as_long_as_it_says() {
    // get-vanilla-query-order-key-case and get-vanilla-with-session-token, presigned for an hour
    let presigned = |parameters: &str, more: &str| {
        let uri = format!(
            "/?{parameters}X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&\
             X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&{more}"
        );
        Request::get(uri).header("host", "example.amazonaws.com").body(()).unwrap().into_parts().0
    };
    let plain = presigned(
        "Param2=value2&Param1=value1&",
        "X-Amz-Signature=86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
    );
    let with_token = presigned(
        "",
        &format!(
            "X-Amz-Security-Token={TOKEN}&\
             X-Amz-Signature=7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"
        ),
    );
    for (head, token) in [(plain, None), (with_token, Some(TOKEN))] {
        let verifier = Verifier::new("service", [credentials(token)]);
        let at = |seconds| verifier.verify(&head, b"", None, then() + Duration::from_secs(seconds)).map(drop);
        assert_eq!(at(0), Ok(()), "{token:?}");
        assert_eq!(at(3600), Ok(()));
        let late = at(3601).unwrap_err().to_string();
        assert_eq!(
            late,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 60 min.)"
        );
    }
}

#[test]
fn over_http_2_the_sdk_for_javascript_signs_the_authority() {
    let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-micro-v1%3A0\
                /converse-stream";
    let body = br#"{"messages":[{"role":"user","content":[{"text":"Yo"}]}]}"#;
    let head = Request::post(format!("http://127.0.0.1:45831{path}"))
        .header("content-type", "application/json")
        .header("content-length", "56")
        .header("x-amz-user-agent", "aws-sdk-js/3.1163.0")
        .header("amz-sdk-invocation-id", "0d0b5ff4-08bc-4d4e-8841-14a24b92928c")
        .header("amz-sdk-request", "attempt=1; max=1")
        .header("x-amz-date", "20261122T183737Z")
        .header("x-amz-security-token", "t0ken//+==")
        .header("x-amz-content-sha256", "303a6606c95647013029ae8905fa88e35b77ff56c65a4eb3d89611af6f7e182e")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=ASIACLIENT/20261122/us-east-1/bedrock/aws4_request, \
             SignedHeaders=:authority;amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;\
             x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-user-agent, \
             Signature=cfffa5f0d084a238dd9058193b53df5e984564c3365fb832bc98c6d1d55eff49",
        )
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let credentials = Credentials::new("ASIACLIENT", "s3cr3t/+=", Some("t0ken//+==".to_owned()), None, "published");
    // 22 November 2026, 18:37:37 UTC.
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_372_657);
    let verifier = Verifier::new("bedrock", [credentials]);
    let verified = verifier.verify(&head, body, Some("us-east-1"), then);
    assert_eq!(verified.map(Credentials::access_key_id), Ok("ASIACLIENT"));
}
