"""`make deploy`, with a scripted AWS and a `sam` that writes down what it was told."""

import contextlib
import hashlib
import pathlib
import shutil
import sys

import pytest
import yaml
from deployments import ACCOUNT, APPLICATION, CALLER, GEOGRAPHIC, GLOBAL, KEYS
from scripted_aws import Aws

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

import deploy  # noqa: E402
from api_key import draw  # noqa: E402
from parameters import Refused, revision  # noqa: E402

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
    aws = Aws()
    aws.stack(ReservedConcurrency="10", **GEOGRAPHIC, **parameters)
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


def test_the_revision_follows_the_code_and_the_parameters(place, monkeypatch):
    def revise(params="", code="one"):
        monkeypatch.setenv("CODE", code)
        return run(place, again(ApiKeys=KEYS), PARAMS=params)[-1][1]["Revision"]

    first = revise()
    assert revise() == first
    assert len({first, revise(code="two"), revise("Timeout=30"), revise("Timeout=31")}) == 4
    values = {"Timeout": "30", "Revision": first}
    assert revision(values, b"code") == revision(values | {"Revision": ""}, b"code")
    assert revision({"A": "1", "B": "2"}) != revision({"A": "1B=2"})


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
    with refused(place, "ROLLBACK_COMPLETE: delete it first, with: sam delete --stack-name bro-buddy") as aws:
        aws.stack(status="ROLLBACK_COMPLETE")


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
    known = deploy.declared((ROOT / "template.yaml").read_text())
    deploy.check(known, {"ApiKeys": f"{draw()[1]},{draw('alice')[1]}", "Revision": revision({})})
