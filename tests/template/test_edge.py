"""What CloudFront does in front of the function, where it is there."""

import pathlib
import re

import pytest
from cloudformation import Stack
from deployments import CLOUDFRONT, DEPLOYMENTS

ROOT = pathlib.Path(__file__).parents[2]
VIEWER_REQUEST = ROOT / "deploy" / "viewer-request.js"
TURN = ROOT / "src" / "chat" / "turn.rs"
# Amazon's own policies: developer guide of CloudFront, "Use managed cache policies" and "… origin request policies".
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


@pytest.fixture(scope="module")
def stack():
    return Stack(**CLOUDFRONT)


@pytest.fixture(scope="module")
def distribution(stack):
    return stack.of("AWS::CloudFront::Distribution")["Distribution"]["DistributionConfig"]


def test_the_function_that_carries_keys_is_the_one_that_was_tested(stack):
    function = stack.of("AWS::CloudFront::Function")["ViewerRequest"]
    assert function["FunctionCode"] == VIEWER_REQUEST.read_text()
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert function["AutoPublish"] is True


def test_a_stream_is_neither_cached_nor_compressed(distribution):
    behaviour = distribution["DefaultCacheBehavior"]
    assert behaviour["CachePolicyId"] == CACHING_DISABLED
    assert behaviour["Compress"] is False
    assert "POST" in behaviour["AllowedMethods"]


def test_requests_go_on_whole_but_for_the_host_which_is_signed(distribution):
    behaviour = distribution["DefaultCacheBehavior"]
    assert behaviour["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST
    (association,) = behaviour["FunctionAssociations"]
    assert association["EventType"] == "viewer-request"


def test_a_pause_of_the_model_is_filled_long_before_the_edge_gives_up(distribution):
    keep_alive = re.search(r"keep_alive: Duration::from_secs\((\d+)\)", TURN.read_text())
    (origin,) = distribution["Origins"]
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] >= 2 * int(keep_alive[1])


def test_assets_alone_are_cached(distribution):
    (behaviour,) = distribution["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/assets/*"
    assert behaviour["CachePolicyId"] == CACHING_OPTIMIZED
    assert behaviour["AllowedMethods"] == ["GET", "HEAD"]


def test_one_callers_error_is_not_kept_for_the_next(distribution):
    # The codes that CloudFront keeps: its developer guide, "How CloudFront processes HTTP 4xx and 5xx status codes".
    kept = {r["ErrorCode"]: r["ErrorCachingMinTTL"] for r in distribution["CustomErrorResponses"]}
    assert kept == dict.fromkeys([400, 403, 404, 405, 414, 500, 501, 502, 503, 504], 0)
    assert all(set(r) == {"ErrorCode", "ErrorCachingMinTTL"} for r in distribution["CustomErrorResponses"])


def test_every_request_to_the_origin_is_signed_and_tried_once(stack, distribution):
    (origin,) = distribution["Origins"]
    control = stack.of("AWS::CloudFront::OriginAccessControl")["OriginAccessControl"]["OriginAccessControlConfig"]
    assert (control["OriginAccessControlOriginType"], control["SigningBehavior"]) == ("lambda", "always")
    assert origin["OriginAccessControlId"] == "EOACEXAMPLE"
    assert origin["DomainName"] in stack.outputs["FunctionUrl"] and "/" not in origin["DomainName"]
    assert origin["ConnectionAttempts"] == 1
    # The function never is silent for longer than ten seconds.
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] > 20


def test_viewers_come_by_https(distribution):
    behaviours = [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]
    assert {b["ViewerProtocolPolicy"] for b in behaviours} == {"redirect-to-https"}
    assert distribution["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    own = Stack(**DEPLOYMENTS["cloudfront-own-domain"])
    own_distribution = own.of("AWS::CloudFront::Distribution")["Distribution"]["DistributionConfig"]
    assert own_distribution["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert own_distribution["Aliases"] == ["chat.example.com"]
    assert own.outputs["Url"] == "https://chat.example.com/"


def test_the_pages_own_security_headers_are_not_replaced(stack, distribution):
    policy = stack.of("AWS::CloudFront::ResponseHeadersPolicy")["SecurityHeaders"]["ResponseHeadersPolicyConfig"]
    headers = policy["SecurityHeadersConfig"]
    assert headers["ContentSecurityPolicy"]["Override"] is False
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000
    assert "CorsConfig" not in policy, "CORS is the function URL's"
    for behaviour in [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]:
        assert behaviour["ResponseHeadersPolicyId"] == "bro-buddy-SecurityHeaders"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_there_is_an_edge_only_where_it_was_asked_for(name):
    stack = Stack(**DEPLOYMENTS[name])
    edge = [resource for resource in stack.resources.values() if resource["Type"].startswith("AWS::CloudFront::")]
    assert bool(edge) == (stack.parameters["Access"] == "cloudfront")
