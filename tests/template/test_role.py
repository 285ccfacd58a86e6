"""The function's role, and the one that deploys it, can do what they must and nothing else."""

import re

import pytest
from cloudformation import ACCOUNT, ALIAS_ARN, FUNCTION_ARN, REGION, STACK, Stack
from deployments import CLOUDFRONT, DEPLOYMENTS, MODEL, PROFILES, model
from iam import ALLOWED, DENIED, decide, of_a_role

STREAM = "bedrock:InvokeModelWithResponseStream"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{STACK}-LogGroup:log-stream:2026/11/23/live"
OTHER_LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/other:log-stream:one"
GUARDRAIL = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/gr1d2e3f4g5h"


def verdicts(stack, asked, role="Role"):
    return decide([of_a_role(stack, role, action, resource, **context) for action, resource, context in asked])


def all_allowed(stack, asked, role="Role"):
    given = verdicts(stack, asked, role)
    assert given == [ALLOWED] * len(asked), list(zip(asked, given))


def all_denied(stack, asked, role="Role"):
    given = verdicts(stack, asked, role)
    assert all(verdict in DENIED for verdict in given), list(zip(asked, given))


@pytest.fixture(params=PROFILES.values(), ids=PROFILES.keys())
def profile(request):
    return request.param


def through(profile, arn=None):
    """The context in which Bedrock checks a model that a profile routes to."""
    return {"bedrock__InferenceProfileArn": arn or profile["InferenceProfileArn"]}


def routes(profile):
    """Each resource that Bedrock checks for one request to the profile, with its context."""
    yield STREAM, profile["InferenceProfileArn"], {}
    for arn in profile["DestinationModelArns"].split(","):
        yield STREAM, arn, through(profile) | {"aws__RequestedRegion": arn.split(":")[3]}
    if "GlobalModelArn" in profile:
        yield STREAM, profile["GlobalModelArn"], through(profile) | {"aws__RequestedRegion": "unspecified"}


def test_a_reply_is_streamed_through_the_profile(profile):
    all_allowed(Stack(**profile, Access="iam"), list(routes(profile)))


def test_the_same_models_are_out_of_reach_without_the_profile(profile):
    stack = Stack(**profile, Access="iam")
    other = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/eu.{MODEL}"
    asked = []
    for _, arn, context in list(routes(profile))[1:]:
        region = {"aws__RequestedRegion": context["aws__RequestedRegion"]}
        asked += [(STREAM, arn, region), (STREAM, arn, region | through(profile, other))]
    assert asked
    all_denied(stack, asked)


def test_nothing_else_of_bedrock_is_in_reach(profile):
    stack = Stack(**profile, Access="iam")
    arn = profile["InferenceProfileArn"]
    all_denied(
        stack,
        [
            ("bedrock:InvokeModel", arn, {}),
            ("bedrock:InvokeModel", model("us-east-1"), through(profile)),
            ("bedrock:GetInferenceProfile", arn, {}),
            ("bedrock:ApplyGuardrail", GUARDRAIL, {}),
            # Another profile, region, account and model.
            (STREAM, f"{arn}x", {}),
            (STREAM, arn.replace("us-east-1", "us-west-1"), {}),
            (STREAM, arn.replace(ACCOUNT, "999999999999"), {}),
            (STREAM, model("eu-west-1"), through(profile) | {"aws__RequestedRegion": "eu-west-1"}),
            (STREAM, "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", through(profile)),
        ],
    )


def test_a_global_model_is_in_reach_for_a_global_profile_and_no_region_only():
    in_no_region = (STREAM, model(""), {"aws__RequestedRegion": "unspecified"})
    for name, profile in PROFILES.items():
        action, arn, region = in_no_region
        asked = [(action, arn, region | through(profile))]
        (all_allowed if name == "global" else all_denied)(Stack(**profile, Access="iam"), asked)
    profile = PROFILES["global"]
    in_a_region = through(profile) | {"aws__RequestedRegion": "us-east-1"}
    all_denied(Stack(**profile, Access="iam"), [(STREAM, model(""), in_a_region)])


def test_a_guardrail_is_applied_where_there_is_one():
    stack = Stack(**CLOUDFRONT, GuardrailId="gr1d2e3f4g5h", GuardrailVersion="3")
    all_allowed(stack, [("bedrock:ApplyGuardrail", GUARDRAIL, {})])
    all_denied(
        stack,
        [("bedrock:ApplyGuardrail", GUARDRAIL + "x", {}), ("bedrock:DeleteGuardrail", GUARDRAIL, {})],
    )


def test_a_guardrail_is_looked_for_in_the_profiles_region():
    away = {key: value.replace("us-east-1", "eu-west-3") for key, value in PROFILES["application"].items()}
    stack = Stack(**away, Access="iam", GuardrailId="gr1d2e3f4g5h", GuardrailVersion="3")
    all_allowed(stack, [("bedrock:ApplyGuardrail", GUARDRAIL.replace(REGION, "eu-west-3"), {})])


def test_only_the_functions_own_log_group_is_written():
    stack = Stack(**CLOUDFRONT)
    group = LOGS.split(":log-stream:")[0]
    all_allowed(stack, [("logs:CreateLogStream", f"{group}:*", {}), ("logs:PutLogEvents", LOGS, {})])
    all_denied(stack, [("logs:PutLogEvents", OTHER_LOGS, {})])
    all_denied(stack, [("logs:CreateLogStream", f"{OTHER_LOGS.split(':log-stream:')[0]}:*", {})])
    all_denied(stack, [("logs:DeleteLogGroup", f"{group}:*", {}), ("logs:GetLogEvents", LOGS, {})])


def test_no_other_service_is_in_reach():
    all_denied(
        Stack(**DEPLOYMENTS["cloudfront-everything"]),
        [
            ("s3:GetObject", "arn:aws:s3:::bucket/key", {}),
            ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {}),
            ("lambda:InvokeFunction", ALIAS_ARN, {}),
            ("lambda:UpdateFunctionCode", FUNCTION_ARN, {}),
            ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:one-AbCdEf", {}),
            ("cloudwatch:PutMetricData", "*", {}),
            ("ec2:DescribeInstances", "*", {}),
        ],
    )


def test_traces_are_sent_only_where_they_are_on():
    asked = [("xray:PutTraceSegments", "*", {}), ("xray:PutTelemetryRecords", "*", {})]
    all_allowed(Stack(**CLOUDFRONT, Tracing="on"), asked)
    all_denied(Stack(**CLOUDFRONT), asked)
    all_denied(Stack(**CLOUDFRONT, Tracing="on"), [("xray:GetTraceSummaries", "*", {})])


def test_codedeploy_moves_this_functions_alias_only():
    stack = Stack(**CLOUDFRONT)
    other = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{STACK}-"
    alarms = [alarm + "FunctionFails", alarm + "RepliesFail"]
    all_allowed(
        stack,
        # AWS's list of actions has the function as their resource; whether an alias is asked for by its own name is not told.
        [(f"lambda:{verb}Alias", arn, {}) for verb in ("Get", "Update") for arn in (FUNCTION_ARN, ALIAS_ARN)]
        + [("lambda:GetProvisionedConcurrencyConfig", f"{FUNCTION_ARN}:{qualifier}", {}) for qualifier in ("live", "7")]
        + [("cloudwatch:DescribeAlarms", arn, {}) for arn in alarms],
        role="DeploymentRole",
    )
    all_denied(
        stack,
        [
            ("lambda:UpdateAlias", other, {}),
            ("lambda:UpdateFunctionCode", FUNCTION_ARN, {}),
            ("lambda:InvokeFunction", FUNCTION_ARN, {}),
            ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", {}),
            ("s3:GetObject", "arn:aws:s3:::bucket/key", {}),
            ("cloudwatch:DescribeAlarms", alarms[0] + "x", {}),
        ],
        role="DeploymentRole",
    )


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_permission_is_written_out(name):
    """No action and, but for X-Ray's, no resource is a wildcard; no managed policy is attached."""
    for role in Stack(**DEPLOYMENTS[name]).of("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions, resources = (
                    value if isinstance(value, list) else [value]
                    for value in (statement["Action"], statement["Resource"])
                )
                assert not any("*" in action for action in actions)
                if policy["PolicyName"] != "traces":
                    assert all(re.fullmatch(r"arn:[^*]+(:\*)?", resource) for resource in resources), resources
