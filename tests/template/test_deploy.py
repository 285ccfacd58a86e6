"""`make deploy`, with a scripted AWS and a `sam` that writes down what it was told."""

import contextlib
import hashlib
import pathlib
import shutil
import sys

import boto3
import pytest
import yaml
from deployments import ACCOUNT, APPLICATION, CALLER, DEPLOYMENTS, GEOGRAPHIC, GLOBAL, KEYS
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.deploy_context import DeployContext
from scripted_aws import Aws

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

import deploy  # noqa: E402
from api_key import draw  # noqa: E402
from parameters import Refused, revision  # noqa: E402
from template import Template  # noqa: E402

TEMPLATE = Template((ROOT / "template.yaml").read_text())
GUARDRAIL = {"GuardrailId": "gr1d2e3f4g5h", "GuardrailVersion": "3"}

SAM = """#!/bin/sh
for word in "$@"; do case $word in file://*) parameters=$(cat "${word#file://}"); esac; done
printf '%s\\n---\\n%s\\n===\\n' "$*" "$parameters" >> sam.log
if [ "$1" = build ]; then mkdir -p target/sam/build/Function && echo "$CODE" > target/sam/build/Function/bootstrap; fi
[ "$1" != "$FAILS" ]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the template, where `sam` and the other tools are found first."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sam", "cargo", "cargo-lambda", "npm"):
        (tools / tool).write_text(SAM)
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("CODE", "one")
    shutil.copy(ROOT / "template.yaml", tmp_path)
    return tmp_path


def calls(place):
    """Each call of sam: its arguments and its parameters."""
    log = place / "sam.log"
    entries = log.read_text().split("\n===\n")[:-1] if log.exists() else []
    return [(arguments.split(), yaml.safe_load(values)) for arguments, values in (e.split("\n---\n") for e in entries)]


def run(place, aws, profile=GEOGRAPHIC, **environment):
    if profile:
        environment["PROFILE_ARN"] = profile["InferenceProfileArn"]
    deploy.main(environment, aws, place)
    aws.all_asked()
    return calls(place)


def first_time(profile=GEOGRAPHIC):
    aws = Aws()
    aws.no_stack()
    aws.profile(profile)
    aws.concurrency(1000)
    aws.stack()
    return aws


def again(**parameters):
    """An AWS with a stack, whose parameters CloudFormation tells in full."""
    aws = Aws()
    aws.stack(**TEMPLATE.effective(GEOGRAPHIC | parameters))
    aws.profile(GEOGRAPHIC)
    aws.stack()
    return aws


def said(capsys):
    return dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())


def test_a_first_deployment_needs_only_the_profile(place, capsys):
    (build, _), (arguments, values) = run(place, first_time())
    assert build[0] == "build" and arguments[0] == "deploy"
    for option in ("--stack-name bro-buddy", "--region us-east-1", "--capabilities CAPABILITY_IAM", "--resolve-s3"):
        assert option in " ".join(arguments)
    assert {name: values[name] for name in GEOGRAPHIC} == GEOGRAPHIC
    assert said(capsys)["url"] == "https://d1.cloudfront.net/"


def test_a_key_is_drawn_where_the_world_can_call_and_shown_once(place, capsys):
    (_, (_, values)) = run(place, first_time())
    out = capsys.readouterr().out
    (key,) = (line.split()[1] for line in out.splitlines() if line.startswith("key"))
    assert out.count(key) == 1
    key_id, digest = values["ApiKeys"].split(":")
    assert digest == hashlib.sha256(key.encode()).hexdigest() and key_id == f"key-{digest[:8]}"
    assert key not in (place / "sam.log").read_text()


@pytest.mark.parametrize(
    "params", ["Access=iam", f"ApiKeys={KEYS}", "OpenToAnyone=yes-anyone-may-spend", f"Access=iam CallerPrincipal={CALLER}"]
)
def test_no_key_is_drawn_where_none_is_needed(place, capsys, params):
    (_, (_, values)) = run(place, first_time(), PARAMS=params)
    assert "key" not in said(capsys)
    assert dict(word.split("=") for word in params.split()).items() <= values.items()


def test_a_global_profiles_model_without_a_region_is_told_apart(place):
    (_, (_, values)) = run(place, first_time(GLOBAL), GLOBAL)
    assert values["GlobalModelArn"] == GLOBAL["GlobalModelArn"]
    assert values["DestinationModelArns"] == GLOBAL["DestinationModelArns"]


def test_an_application_profile_is_looked_up_too(place):
    (_, (_, values)) = run(place, first_time(APPLICATION), APPLICATION)
    assert {name: values[name] for name in APPLICATION} == APPLICATION
    assert values["GlobalModelArn"] == ""


def test_models_that_were_given_are_not_looked_up(place):
    aws = Aws()
    aws.no_stack()
    aws.concurrency(1000)
    aws.stack()
    (_, (_, values)) = run(place, aws, PARAMS=f"Access=iam DestinationModelArns={GEOGRAPHIC['DestinationModelArns']}")
    assert values["DestinationModelArns"] == GEOGRAPHIC["DestinationModelArns"]


def test_a_second_deployment_keeps_what_was_chosen_and_draws_no_second_key(place, capsys):
    aws = again(ApiKeys=KEYS, MemorySize="512", Timeout="45", AllowedOrigins="", NoLongerAParameter="1")
    aws.region_name = "us-east-1"
    (_, (_, values)) = run(place, aws, profile=None, PARAMS="Timeout=30")
    assert "key" not in said(capsys)
    assert (values["ApiKeys"], values["MemorySize"], values["Timeout"]) == (KEYS, "512", "30")
    assert "NoLongerAParameter" not in values


def test_a_parameter_can_be_emptied(place, capsys):
    """An empty value must reach CloudFormation, or it would keep the one before."""
    params = "ApiKeys= OpenToAnyone=yes-anyone-may-spend"
    (_, (_, values)) = run(place, again(ApiKeys=KEYS), PARAMS=params)
    assert values["ApiKeys"] == ""
    assert "key" not in said(capsys)


def test_a_stack_that_opens_to_the_world_gets_a_key(place, capsys):
    run(place, again(Access="iam", ApiKeys=""), PARAMS="Access=cloudfront")
    assert "key" in said(capsys)


@pytest.mark.parametrize(
    ("before", "params", "why"),
    [
        ({"Access": "iam", "CallerPrincipal": CALLER}, "Access=cloudfront", "CallerPrincipal needs Access=iam"),
        ({"WebAclArn": DEPLOYMENTS["cloudfront-own-domain"]["WebAclArn"]}, "Access=public", "need Access=cloudfront"),
        ({}, "PriceInputPerMTok=1", "PriceInputPerMTok and PriceOutputPerMTok go together"),
        ({}, "DomainName=chat.example.com", "DomainName and CertificateArn go together"),
        ({}, "GuardrailId=gr1", "GuardrailId and GuardrailVersion go together"),
    ],
)
def test_what_does_not_go_together_with_what_was_before_is_refused_before_the_build(place, capsys, before, params, why):
    with pytest.raises(Refused, match=f"{why}.*PARAMS='Name=' empties"):
        run(place, again(**before), PARAMS=params)
    assert calls(place) == []
    assert capsys.readouterr().out == "", "a key that no stack knows"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_cloudformation_takes_is_not_refused(name):
    TEMPLATE.check_rules(TEMPLATE.effective(DEPLOYMENTS[name]))


def test_a_role_that_changes_at_once_has_no_gradual_deployment(place):
    gradual = {"ApiKeys": KEYS, "Deployment": "Canary10Percent5Minutes"}
    aws = again(**gradual)
    aws.guardrail(GUARDRAIL)
    params = " ".join(f"{name}={value}" for name, value in GUARDRAIL.items())
    with pytest.raises(Refused, match="GuardrailId and GuardrailVersion cannot change gradually"):
        run(place, aws, PARAMS=params)
    assert calls(place) == []
    aws = again(**gradual)
    aws.guardrail(GUARDRAIL)
    (_, (_, values)) = run(place, aws, PARAMS=f"{params} Deployment=AllAtOnce")
    assert GUARDRAIL.items() <= values.items()


def test_the_door_is_closed_before_the_keys_are_given_up(place):
    with pytest.raises(Refused, match="PARAMS='Access=iam', then PARAMS='ApiKeys='"):
        run(place, again(Access="public", ApiKeys=KEYS), PARAMS="Access=iam ApiKeys=")
    (_, (_, values)) = run(place, again(Access="public", ApiKeys=KEYS), PARAMS="Access=iam")
    assert values["ApiKeys"] == KEYS
    (_, (_, values)) = run(place, again(Access="iam", ApiKeys=KEYS), PARAMS="ApiKeys=")[-2:]
    assert values["ApiKeys"] == ""


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"crossRegionDetails": {"guardrailProfileId": "us.guardrail.v1:0"}}, "uses cross-Region inference"),
        ({"kmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"}, "has a KMS key"),
        (None, "there is no guardrail gr1d2e3f4g5h of version 3"),
    ],
)
def test_a_guardrail_that_the_role_could_not_apply_is_refused(place, found, why):
    aws = again(ApiKeys=KEYS)
    aws.guardrail(GUARDRAIL, found)
    with pytest.raises(Refused, match=why):
        run(place, aws, PARAMS=" ".join(f"{name}={value}" for name, value in GUARDRAIL.items()))
    assert calls(place) == []


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


@contextlib.contextmanager
def refused(place, why):
    aws = Aws()
    yield aws
    with pytest.raises(Refused, match=why):
        run(place, aws)
    assert calls(place) == []


def test_a_dead_stack_is_to_be_deleted_first(place):
    words = "ROLLBACK_COMPLETE: delete it first, with: target/venv/bin/sam delete --stack-name bro-buddy --region us-east-1"
    with refused(place, words) as aws:
        aws.stack(status="ROLLBACK_COMPLETE")


def test_a_stack_that_could_not_go_back_is_to_be_helped_first(place):
    words = "UPDATE_ROLLBACK_FAILED: .*continue-update-rollback --stack-name bro-buddy --region us-east-1"
    with refused(place, words) as aws:
        aws.stack(status="UPDATE_ROLLBACK_FAILED")


def test_a_stack_in_change_is_left_alone(place):
    with refused(place, "UPDATE_IN_PROGRESS: wait") as aws:
        aws.stack(status="UPDATE_IN_PROGRESS")


def test_a_profile_that_is_not_there_is_named(place):
    with refused(place, "there is no inference profile arn:aws:bedrock:us-east-1") as aws:
        aws.no_stack()
        aws.fail("bedrock", "get_inference_profile", "ResourceNotFoundException")


def test_a_right_that_is_missing_is_named(place):
    with refused(place, "bedrock:get_inference_profile in us-east-1: AccessDeniedException: not you") as aws:
        aws.no_stack()
        aws.fail("bedrock", "get_inference_profile", "AccessDeniedException", "not you")


def test_an_account_too_small_to_reserve_concurrency_is_told_what_to_do(place):
    with refused(place, "PARAMS='ReservedConcurrency=0'") as aws:
        aws.no_stack()
        aws.profile(GEOGRAPHIC)
        aws.concurrency(10)


def test_an_account_that_may_be_too_small_is_warned(place, capsys):
    for unreserved, warned in [(109, True), (110, False)]:
        aws = Aws()
        aws.no_stack()
        aws.profile(GEOGRAPHIC)
        aws.concurrency(unreserved)
        aws.stack()
        run(place, aws)
        assert ("warning: Lambda may refuse ReservedConcurrency=10" in capsys.readouterr().err) == warned


def test_such_an_account_can_deploy_without(place):
    aws = Aws()
    aws.no_stack()
    aws.profile(GEOGRAPHIC)
    aws.stack()
    (_, (_, values)) = run(place, aws, PARAMS="ReservedConcurrency=0")
    assert values["ReservedConcurrency"] == "0"


def test_more_warm_sandboxes_than_replies_are_refused(place):
    aws = Aws()
    aws.no_stack()
    aws.profile(GEOGRAPHIC)
    with pytest.raises(Refused, match="ProvisionedConcurrency=11 is more than ReservedConcurrency=10"):
        run(place, aws, PARAMS="ProvisionedConcurrency=11")


def test_keys_and_an_open_door_contradict_each_other(place):
    with pytest.raises(Refused, match="contradict each other"):
        run(place, again(ApiKeys="", OpenToAnyone="yes-anyone-may-spend"), PARAMS=f"ApiKeys={KEYS}")
    assert calls(place) == []


def test_the_digest_of_an_empty_key_opens_nothing(place):
    """`printf %s "$KEY" | sha256sum` where KEY is not set: an empty header would let anybody in."""
    empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
    with pytest.raises(Refused, match="the digest of an empty key"):
        run(place, again(), PARAMS=f"ApiKeys={KEYS},bob:{empty}")
    assert calls(place) == []


def test_the_profile_of_another_account_is_refused(place):
    other = GEOGRAPHIC | {"InferenceProfileArn": GEOGRAPHIC["InferenceProfileArn"].replace(ACCOUNT, "999999999999")}
    aws = Aws()
    aws.no_stack()
    with pytest.raises(Refused, match="is of account 999999999999, and the credentials are of 123456789012"):
        run(place, aws, other)


@pytest.mark.parametrize("tool", ["sam", "cargo-lambda", "npm"])
def test_a_tool_that_is_missing_is_named(place, monkeypatch, tool):
    (place / "tools" / tool).unlink()
    monkeypatch.setenv("PATH", str(place / "tools"))
    with pytest.raises(Refused, match=f"{tool} is missing"):
        deploy.main({}, Aws(), place)


def test_keys_are_random_and_made_of_256_bits():
    keys = [draw()[0] for _ in range(20)]
    assert len(set(keys)) == 20 and all(len(key) == 43 for key in keys)
    key, digest = draw("alice")
    assert digest == f"alice:{hashlib.sha256(key.encode()).hexdigest()}"


def test_the_template_takes_what_is_drawn():
    TEMPLATE.checked({"ApiKeys": f"{draw()[1]},{draw('alice')[1]}", "Revision": revision({})})


def test_a_number_is_the_same_with_zeros_before_it():
    """Conditions compare text: 00 would reserve nothing at all instead of leaving it to the account."""
    assert TEMPLATE.checked({"ReservedConcurrency": "00"}) == {"ReservedConcurrency": "0"}
