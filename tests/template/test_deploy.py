"""The course of `make deploy`: what it asks of SAM, and what it says."""

import boto3
import pytest
import yaml
from deploying import Refused, again, calls, deploy, first_time, revision, run, said
from deployments import GEOGRAPHIC, KEYS
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.deploy_context import DeployContext
from scripted_aws import Aws


def test_a_first_deployment_needs_only_the_profile(place, capsys):
    (build, _), (arguments, values) = run(place, first_time())
    assert build[0] == "build" and arguments[0] == "deploy"
    for option in ("--stack-name bro-buddy", "--region us-east-1", "--capabilities CAPABILITY_IAM", "--resolve-s3"):
        assert option in " ".join(arguments)
    assert {name: values[name] for name in GEOGRAPHIC} == GEOGRAPHIC
    assert said(capsys)["url"] == "https://d1.cloudfront.net/"


def test_the_region_of_a_stack_is_the_environments_where_no_profile_names_it(place, monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    session = boto3.Session()
    assert deploy._region({}, {"AWS_REGION": "eu-west-3"}, session) == "eu-west-3"
    with pytest.raises(Refused, match="which inference profile"):
        deploy._region({}, {}, session)


def test_sam_hands_empty_values_on(tmp_path):
    """Its own reading of the file that make deploy gives it, and of what the stack had."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"ApiKeys": "", "Timeout": "30"}))
    overrides = CfnParameterOverridesType().convert((f"file://{file}",), None, None)
    template = {"Parameters": {"ApiKeys": {}, "Timeout": {}, "MemorySize": {}}}
    merged = {one["ParameterKey"]: one for one in DeployContext.merge_parameters(template, overrides)}
    assert (merged["ApiKeys"]["ParameterValue"], merged["Timeout"]["ParameterValue"]) == ("", "30")
    assert merged["MemorySize"] == {"ParameterKey": "MemorySize", "UsePreviousValue": True}


def test_what_did_not_change_is_no_new_version(place, monkeypatch):
    """As when the same is deployed twice: the second time CloudFormation tells every parameter, default ones as well."""
    _, (_, values) = run(place, first_time(), PARAMS=f"ApiKeys={KEYS}")
    assert run(place, again(**values))[-1][1]["Revision"] == values["Revision"]

    def revise(params="", code="one"):
        monkeypatch.setenv("CODE", code)
        return run(place, again(**values), PARAMS=params)[-1][1]["Revision"]

    others = {revise(code="two"), revise("Timeout=30"), revise("Timeout=31")}
    assert len(others | {values["Revision"]}) == 4


def test_what_was_rolled_back_can_be_tried_again(place):
    """Lambda keeps the version, and publishes nothing that equals the last one."""
    _, (_, live) = run(place, first_time(), PARAMS=f"ApiKeys={KEYS}")
    tries = [run(place, again(**live), PARAMS="Timeout=30")[-1][1]["Revision"] for _ in range(2)]
    assert len({*tries, live["Revision"]}) == 3
    assert all(len(one) == 64 for one in tries)


def test_a_revision_tells_each_parameter_and_content_from_the_next():
    def digest(*of):
        return revision(*of)[:48]

    assert digest({"Timeout": "30", "Revision": "x"}, b"code") == digest({"Timeout": "30"}, b"code")
    assert digest({"A": "1", "B": "2"}) != digest({"A": "1B=2"})
    assert digest({"A": "1"}, b"one", b"two") != digest({"A": "1"}, b"onetwo")


def test_the_key_is_shown_even_if_the_deployment_fails(place, capsys, monkeypatch):
    """The stack may have its digest by then."""
    monkeypatch.setenv("FAILS", "deploy")
    aws = first_time()
    with pytest.raises(Refused, match="sam deploy failed"):
        run(place, aws)
    assert said(capsys).keys() == {"key"}


def test_nothing_is_deployed_that_was_not_built(place, capsys, monkeypatch):
    monkeypatch.setenv("FAILS", "build")
    with pytest.raises(Refused, match="sam build failed"):
        run(place, first_time())
    assert [arguments[0] for arguments, _ in calls(place)] == ["build"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "which inference profile"),
        ({"PROFILE_ARN": "us.anthropic.claude-haiku-4-5-20251001-v1:0"}, "must be the ARN of an inference profile"),
        ({"PROFILE_ARN": GEOGRAPHIC["DestinationModelArns"].split(",")[0]}, "must be the ARN of an inference profile"),
        ({"STACK_NAME": "bro buddy"}, "STACK_NAME must be"),
        ({"STACK_NAME": "b" * 41}, "STACK_NAME must be"),
        ({"PARAMS": "iam"}, "not Name=value"),
        ({"PARAMS": "Access='iam"}, "No closing quotation"),
        ({"PARAMS": "Access=iam Access=public"}, "Access is there twice"),
        ({"PARAMS": "Acess=iam"}, "no parameter Acess; there are .*Access"),
        ({"PARAMS": "Access=open"}, "Access must be one of 'cloudfront', 'iam', 'public'; it is 'open'"),
        ({"PARAMS": "ApiKeys=secret"}, "ApiKeys must be id:digest pairs"),
        ({"PARAMS": "MemorySize=64"}, "MemorySize must be a number from 128 to 10240"),
        ({"PARAMS": "MemorySize="}, "MemorySize must be a number"),
        ({"PARAMS": "OpenToAnyone=yes"}, "OpenToAnyone must be one of"),
    ],
)
def test_a_mistake_is_told_before_aws_is_asked(place, environment, why):
    with pytest.raises(Refused, match=why):
        deploy.main(environment, None if environment else Aws(), place)
    assert calls(place) == []


@pytest.mark.parametrize("tool", ["sam", "cargo-lambda", "npm"])
def test_a_tool_that_is_missing_is_named(place, monkeypatch, tool):
    (place / "tools" / tool).unlink()
    monkeypatch.setenv("PATH", str(place / "tools"))
    with pytest.raises(Refused, match=f"{tool} is missing"):
        deploy.main({}, Aws(), place)
