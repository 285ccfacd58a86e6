"""What `make deploy` learns from AWS, and will not go on with."""

import pytest
from deploying import Refused, again, calls, refused, run
from deployments import ACCOUNT, GEOGRAPHIC, KEYS
from scripted_aws import Aws

GUARDRAIL = {"GuardrailId": "gr1d2e3f4g5h", "GuardrailVersion": "3"}


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
    with refused(place, "PARAMS='ReservedConcurrency=0 ") as aws:
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
        assert ("warning: Lambda may refuse to reserve a concurrency of 10" in capsys.readouterr().err) == warned


def test_such_an_account_can_deploy_without(place):
    aws = Aws()
    aws.no_stack()
    aws.profile(GEOGRAPHIC)
    aws.stack()
    (_, (_, values)) = run(place, aws, PARAMS="ReservedConcurrency=0")
    assert values["ReservedConcurrency"] == "0"


def of_ten_in_all():
    aws = Aws()
    aws.no_stack()
    aws.profile(GEOGRAPHIC)
    aws.concurrency(10, limit=10)
    return aws


def test_an_account_that_is_no_larger_than_the_ceiling_reserves_nothing_by_itself(place, capsys):
    """New accounts often have ten, of which Lambda lets none be reserved."""
    aws = of_ten_in_all()
    aws.stack()
    (_, (_, values)) = run(place, aws)
    assert values["ReservedConcurrency"] == "0"
    assert "10 functions at once at most" in capsys.readouterr().err


def test_such_an_account_is_not_given_less_than_it_asked_for(place):
    for params, wanted in [("ReservedConcurrency=10", 10), ("ReservedConcurrency=0 ProvisionedConcurrency=2", 2)]:
        with pytest.raises(Refused, match=f"a concurrency of {wanted} cannot be reserved"):
            run(place, of_ten_in_all(), PARAMS=params)
    assert calls(place) == []


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


def test_the_profile_of_another_account_is_refused(place):
    other = GEOGRAPHIC | {"InferenceProfileArn": GEOGRAPHIC["InferenceProfileArn"].replace(ACCOUNT, "999999999999")}
    aws = Aws()
    aws.no_stack()
    with pytest.raises(Refused, match="is of account 999999999999, and the credentials are of 123456789012"):
        run(place, aws, other)
