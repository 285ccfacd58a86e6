"""`make deploy` as its tests run it: with a scripted AWS, and a `sam` that writes down what it was told."""

import contextlib
import pathlib
import sys

import pytest
import yaml
from deployments import GEOGRAPHIC
from scripted_aws import Aws

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

import deploy  # noqa: E402
from api_key import draw  # noqa: E402, F401
from parameters import Refused, revision  # noqa: E402, F401
from template import Template  # noqa: E402

TEMPLATE = Template((ROOT / "template.yaml").read_text())


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


@contextlib.contextmanager
def refused(place, why):
    aws = Aws()
    yield aws
    with pytest.raises(Refused, match=why):
        run(place, aws)
    assert calls(place) == []
