"""Only who may call is let in."""

from conftest import leave_out


def test_a_key_is_wanted_and_only_the_right_one_is_taken(service):
    if service.key is None:
        leave_out("no key was given: KEY=…", "public", "cloudfront")
    # An empty header is left out.
    for headers in ({"x-api-key": ""}, {"x-api-key": "wrong"}, {"x-api-key": "", "authorization": "Bearer wrong"}):
        if service.signer is not None and "authorization" in headers:
            continue
        answer = service.post("/api/chat", {"message": "Yo"}, headers)
        assert (answer.status, answer.code) == (401, "unauthorized"), headers


def test_the_key_is_taken_as_a_bearer_token_too(service):
    if service.key is None or service.signer is not None:
        leave_out("no key was given, or a signature takes the place of authorization", "public", "cloudfront")
    headers = {"x-api-key": "", "authorization": f"Bearer {service.key}"}
    # Refused for its body, after the key was found right: nothing is spent.
    answer = service.post("/api/chat", "{", headers)
    assert (answer.status, answer.code) == (400, "invalid_json")


def test_a_caller_who_does_not_sign_is_forbidden(service):
    if service.signer is None:
        leave_out("the calls are not signed: SIGN=1", "iam")
    signer, service.signer = service.signer, None
    try:
        assert service.get("/healthz").status == 403
    finally:
        service.signer = signer


def test_behind_cloudfront_a_body_needs_its_hash(service):
    if "x-amz-cf-id" not in service.get("/healthz").headers:
        leave_out("not behind CloudFront", "cloudfront")
    for wrong in (None, "0" * 64):
        assert service.post("/api/chat", {"message": "Yo"}, {"x-amz-content-sha256": wrong}).status == 403
