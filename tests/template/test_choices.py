"""What `make deploy` makes a stack with, of what is given, what AWS knows and what was before."""

import hashlib

import pytest
from deploying import TEMPLATE, Refused, again, calls, draw, first_time, revision, run, said
from deployments import APPLICATION, CALLER, DEPLOYMENTS, GEOGRAPHIC, GLOBAL, KEYS
from scripted_aws import Aws

GUARDRAIL = {"GuardrailId": "gr1d2e3f4g5h", "GuardrailVersion": "3"}


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


def test_more_warm_sandboxes_than_replies_are_refused(place):
    aws = Aws()
    aws.no_stack()
    aws.profile(GEOGRAPHIC)
    aws.concurrency(1000)
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


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (f"alice:{'a' * 64},alice:{'b' * 64}", "the id alice twice"),
        (f"alice:{'a' * 64},bob:{'A' * 64}", f"the digest {'a' * 64} twice"),
    ],
)
def test_keys_with_which_the_function_would_not_start_are_refused(place, keys, why):
    with pytest.raises(Refused, match=why):
        run(place, again(ApiKeys=KEYS), PARAMS=f"ApiKeys={keys}")
    assert calls(place) == []
    TEMPLATE.checked({"ApiKeys": f"alice:{'a' * 64},Alice:{'b' * 64}"})


def test_a_door_that_was_open_to_anyone_is_not_open_again_unasked(place):
    was_open = {"Access": "public", "ApiKeys": "", "OpenToAnyone": "yes-anyone-may-spend"}
    with pytest.raises(Refused, match="OpenToAnyone needs Access=cloudfront or Access=public; empty it"):
        run(place, again(**was_open), PARAMS="Access=iam")
    assert calls(place) == []
    (_, (_, values)) = run(place, again(**was_open), PARAMS="Access=iam OpenToAnyone=")
    assert (values["Access"], values["OpenToAnyone"]) == ("iam", "")


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
