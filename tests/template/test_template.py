"""What template.yaml must say, beyond being valid: a streaming URL, and a role that can do little."""

import pathlib

import pytest
from cfnlint.decode import cfn_yaml

TEMPLATE = pathlib.Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def resources():
    return cfn_yaml.load(str(TEMPLATE))["Resources"]


@pytest.fixture(scope="module")
def function(resources):
    return resources["Function"]["Properties"]


def statements(resources):
    policies = resources["Role"]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def test_the_url_streams_and_is_closed_to_the_world(function):
    assert function["FunctionUrlConfig"] == {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"}
    assert function["Runtime"] == "provided.al2023"


def test_only_the_function_is_packaged(resources):
    assert resources["Function"]["Metadata"]["BuildProperties"]["Binary"] == "bro-buddy"


def test_the_function_gets_its_profile_and_no_limit(function):
    assert function["Environment"]["Variables"] == {"MODEL_ID": {"Ref": "InferenceProfileArn"}}


def test_the_role_does_what_it_must_and_no_more(resources):
    assert "ManagedPolicyArns" not in resources["Role"]["Properties"]
    allowed = {}
    for statement in statements(resources):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action
            allowed.setdefault(action, []).append(statement)
    assert sorted(allowed) == ["bedrock:InvokeModelWithResponseStream", "logs:CreateLogStream", "logs:PutLogEvents"]
    for statement in statements(resources):
        assert statement["Resource"] != "*"


def test_models_are_reached_through_the_profile_only(resources):
    by_id = {statement.get("Sid"): statement for statement in statements(resources)}
    assert by_id["Profile"]["Resource"] == {"Ref": "InferenceProfileArn"}
    models = by_id["DestinationModels"]
    assert models["Resource"] == {"Ref": "DestinationModelArns"}
    assert models["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": {"Ref": "InferenceProfileArn"}}}


def test_logs_are_kept_for_a_while_only(resources):
    assert resources["LogGroup"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
