"""What each parameter does, and which are refused before anything is created."""

import pathlib
import re

import pytest
from cloudformation import Refused, Stack, source
from deployments import CALLER, CLOUDFRONT, DEPLOYMENTS, GEOGRAPHIC, IAM, KEYS, PUBLIC

CERTIFICATE = DEPLOYMENTS["cloudfront-own-domain"]["CertificateArn"]
WEB_ACL = DEPLOYMENTS["cloudfront-own-domain"]["WebAclArn"]
OPEN = "yes-anyone-may-spend"
ROOT = pathlib.Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "DEPLOY.md"
RECORDS = ROOT / "src" / "telemetry" / "emf.rs"


def function(stack):
    return stack.of("AWS::Lambda::Function")["Function"]


def environment(**given):
    return function(Stack(**given))["Environment"]["Variables"]


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("OpenToTheWorldMeansKeys", GEOGRAPHIC),
        ("OpenToTheWorldMeansKeys", GEOGRAPHIC | {"Access": "public"}),
        ("OpenToTheWorldMeansKeys", CLOUDFRONT | {"OpenToAnyone": OPEN}),
        ("OpenToAnyone", GEOGRAPHIC | {"OpenToAnyone": "yes"}),
        ("GuardrailIsWhole", CLOUDFRONT | {"GuardrailId": "gr1"}),
        ("GuardrailIsWhole", CLOUDFRONT | {"GuardrailVersion": "1"}),
        ("PricesAreWhole", CLOUDFRONT | {"PriceInputPerMTok": "1"}),
        ("PricesAreWhole", CLOUDFRONT | {"PriceOutputPerMTok": "1"}),
        ("DomainIsWhole", CLOUDFRONT | {"DomainName": "chat.example.com"}),
        ("DomainIsWhole", CLOUDFRONT | {"CertificateArn": CERTIFICATE}),
        (
            "OnlyCloudFrontHasDomainAndFirewall",
            IAM | {"DomainName": "chat.example.com", "CertificateArn": CERTIFICATE},
        ),
        ("OnlyCloudFrontHasDomainAndFirewall", PUBLIC | {"WebAclArn": WEB_ACL}),
        ("OnlyIamHasCallers", CLOUDFRONT | {"CallerPrincipal": CALLER}),
        ("OnlyIamHasCallers", PUBLIC | {"CallerPrincipal": CALLER}),
        ("IamIsNotOpenToAnyone", IAM | {"OpenToAnyone": OPEN}),
        ("Access", CLOUDFRONT | {"Access": "open"}),
        ("ApiKeys", CLOUDFRONT | {"ApiKeys": "5e" * 32}),
        ("ApiKeys", CLOUDFRONT | {"ApiKeys": KEYS + ","}),
        ("ApiKeys", CLOUDFRONT | {"ApiKeys": KEYS[:-1]}),
        ("AllowedOrigins", CLOUDFRONT | {"AllowedOrigins": "*"}),
        ("AllowedOrigins", CLOUDFRONT | {"AllowedOrigins": "https://one.example/"}),
        ("CallerPrincipal", IAM | {"CallerPrincipal": "*"}),
        ("CallerPrincipal", IAM | {"CallerPrincipal": "arn:aws:iam::123456789012:role/*"}),
        ("CertificateArn", CLOUDFRONT | {"CertificateArn": CERTIFICATE.replace("us-east-1", "eu-west-1")}),
        ("WebAclArn", CLOUDFRONT | {"WebAclArn": WEB_ACL.replace("global", "regional")}),
        ("InferenceProfileArn", CLOUDFRONT | {"InferenceProfileArn": "us.anthropic.claude-haiku-4-5-20251001-v1:0"}),
        ("InferenceProfileArn", CLOUDFRONT | {"InferenceProfileArn": GEOGRAPHIC["DestinationModelArns"].split(",")[0]}),
        ("DestinationModelArns", CLOUDFRONT | {"DestinationModelArns": "arn:aws:bedrock:::foundation-model/a.b"}),
        ("DestinationModelArns", CLOUDFRONT | {"DestinationModelArns": "*"}),
        ("GlobalModelArn", CLOUDFRONT | {"GlobalModelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.b"}),
        ("GuardrailId", CLOUDFRONT | {"GuardrailId": "*", "GuardrailVersion": "1"}),
        ("Revision", CLOUDFRONT | {"Revision": "1"}),
        ("MemorySize", CLOUDFRONT | {"MemorySize": 64}),
        ("Timeout", CLOUDFRONT | {"Timeout": 901}),
    ],
)
def test_what_cannot_work_is_refused_by_name(rule, given):
    with pytest.raises(Refused, match=f"^{rule}"):
        Stack(**given)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_function_that_the_world_can_reach_demands_keys(name):
    given = DEPLOYMENTS[name]
    variables = environment(**given)
    closed = given.get("Access") == "iam" or "OpenToAnyone" in given
    assert variables["REQUIRE_API_KEY"] == ("false" if closed else "true")
    assert variables.get("API_KEY_SHA256") == given.get("ApiKeys")


def test_the_function_is_told_what_was_chosen_and_no_limit():
    assert environment(**GEOGRAPHIC, Access="iam") == {
        "MODEL_ID": GEOGRAPHIC["InferenceProfileArn"],
        "REQUIRE_API_KEY": "false",
    }
    everything = DEPLOYMENTS["cloudfront-everything"]
    assert environment(**everything) == {
        "MODEL_ID": everything["InferenceProfileArn"],
        "REQUIRE_API_KEY": "true",
        "API_KEY_SHA256": KEYS,
        "GUARDRAIL_ID": "gr1d2e3f4g5h",
        "GUARDRAIL_VERSION": "3",
        "GUARDRAIL_STREAM": "async",
        "PRICE_INPUT_PER_MTOK": "1",
        "PRICE_OUTPUT_PER_MTOK": "5",
    }


@pytest.mark.parametrize(
    ("access", "auth_type"), [("cloudfront", "AWS_IAM"), ("iam", "AWS_IAM"), ("public", "NONE")]
)
def test_the_url_streams_from_the_alias(access, auth_type):
    stack = Stack(**DEPLOYMENTS[access])
    url = stack.of("AWS::Lambda::Url")["FunctionUrl"]
    assert (url["AuthType"], url["InvokeMode"]) == (auth_type, "RESPONSE_STREAM")
    assert url["TargetFunctionArn"].endswith(":live")
    assert "Cors" not in url
    assert stack.outputs["Url"].startswith("https://")


def test_other_sites_may_call_where_they_are_named():
    cors = Stack(**DEPLOYMENTS["cloudfront-everything"]).of("AWS::Lambda::Url")["FunctionUrl"]["Cors"]
    assert cors["AllowOrigins"] == ["https://one.example", "https://two.example:8443"]
    # At most six characters each, says Lambda: OPTIONS cannot be listed, and need not be.
    assert cors["AllowMethods"] == ["GET", "POST"]
    assert {"authorization", "content-type", "x-amz-content-sha256", "x-api-key"} <= set(cors["AllowHeaders"])
    assert "AllowCredentials" not in cors


def test_a_new_revision_is_a_new_version():
    """Of a function that differs, or Lambda would refuse to publish it again."""
    one, same, other = (Stack(**CLOUDFRONT, Revision=revision * 64) for revision in "112")
    assert one.of("AWS::Lambda::Version").keys() == same.of("AWS::Lambda::Version").keys()
    assert one.of("AWS::Lambda::Version").keys() != other.of("AWS::Lambda::Version").keys()
    assert function(one)["Description"] != function(other)["Description"]


def test_versions_that_were_replaced_stay_to_go_back_to():
    (version,) = (r for r in Stack(**CLOUDFRONT).resources.values() if r["Type"] == "AWS::Lambda::Version")
    assert version["DeletionPolicy"] == "Retain"


def test_concurrency_is_the_ceiling_on_cost_and_can_be_left_to_the_account():
    assert function(Stack(**CLOUDFRONT))["ReservedConcurrentExecutions"] == 10
    assert "ReservedConcurrentExecutions" not in function(Stack(**DEPLOYMENTS["small-account"]))


def test_sandboxes_are_kept_warm_where_that_was_asked_for():
    def alias(stack):
        (properties,) = stack.of("AWS::Lambda::Alias").values()
        return properties

    assert "ProvisionedConcurrencyConfig" not in alias(Stack(**CLOUDFRONT))
    warm = alias(Stack(**CLOUDFRONT, ProvisionedConcurrency=2))
    assert warm["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}


def deployment_group(how):
    stack = Stack(**CLOUDFRONT, Deployment=how)
    (group,) = stack.of("AWS::CodeDeploy::DeploymentGroup").values()
    assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{how}"
    assert group["ServiceRoleArn"].endswith("DeploymentRole")
    return stack, group


@pytest.mark.parametrize("how", ["Canary10Percent5Minutes", "Linear10PercentEvery1Minute"])
def test_a_new_version_that_takes_over_gradually_goes_back_on_an_alarm(how):
    stack, group = deployment_group(how)
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    named = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    assert named == [f"bro-buddy-{name}" for name in stack.of("AWS::CloudWatch::Alarm")]


def test_a_new_version_that_takes_over_at_once_is_stopped_by_no_alarm():
    _, group = deployment_group("AllAtOnce")
    assert group["AlarmConfiguration"] == {}


def test_a_reply_that_failed_raises_an_alarm_though_lambda_saw_no_error():
    alarms = Stack(**CLOUDFRONT).of("AWS::CloudWatch::Alarm")
    watched = {name: (alarm["Namespace"], alarm["MetricName"]) for name, alarm in alarms.items()}
    assert watched == {"FunctionFails": ("AWS/Lambda", "Errors"), "RepliesFail": ("BroBuddy", "Errors")}
    # An alarm on a metric that the function's records do not have would never be on.
    records = RECORDS.read_text()
    assert 'NAMESPACE: &str = "BroBuddy"' in records and '("Errors", Unit::Count' in records
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms.values())
    assert {d["Name"]: d["Value"] for d in alarms["FunctionFails"]["Dimensions"]}["Resource"].endswith(":live")


def test_logs_are_kept_for_a_while_only_and_with_a_key_where_one_was_given():
    group = Stack(**CLOUDFRONT).of("AWS::Logs::LogGroup")["LogGroup"]
    assert group == {"RetentionInDays": 30}
    everything = DEPLOYMENTS["cloudfront-everything"]
    assert Stack(**everything).of("AWS::Logs::LogGroup")["LogGroup"]["KmsKeyId"] == everything["KmsKeyArn"]
    assert function(Stack(**CLOUDFRONT))["LoggingConfig"]["LogFormat"] == "JSON"


def test_only_the_function_is_packaged():
    assert source()["Resources"]["Function"]["Metadata"]["BuildProperties"] == {"Binary": "bro-buddy"}
    assert source()["Resources"]["Function"]["Properties"]["Runtime"] == "provided.al2023"


def test_every_parameter_is_described_and_stands_in_a_group():
    template, guide = source(), GUIDE.read_text()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert all("Description" in parameter for parameter in template["Parameters"].values())
    assert [name for name in template["Parameters"] if f"`{name}`" not in guide] == ["InferenceProfileArn"]
    assert set(re.findall(r"\$\(output (\w+)\)", guide)) <= template["Outputs"].keys()
