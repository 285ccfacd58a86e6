"""Deploys to AWS: `make deploy PROFILE_ARN=arn:…`, described in docs/DEPLOY.md.

Asks AWS first what can be asked, then has SAM build and deploy. What is not given stays as it was. Arguments come from
the environment, as make hands on what stands on its command line: PROFILE_ARN, STACK_NAME and PARAMS."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import boto3
import yaml
from account import Account
from api_key import digest, draw
from botocore.exceptions import BotoCoreError
from parameters import Refused, check, declared, parse, revision

ROOT = pathlib.Path(__file__).parents[1]
BUILD = pathlib.Path("target/sam/build")


def main(environment, session, root=ROOT):
    for tool in ("sam", "cargo-lambda", "cargo", "npm"):
        if not shutil.which(tool):
            raise Refused(f"{tool} is missing; make brings sam and cargo-lambda, and README.md says what else is needed")
    stack_name = environment.get("STACK_NAME") or "bro-buddy"
    # CloudFront's names have room for 64 characters, and the region is a part of them.
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{0,39}", stack_name):
        raise Refused(f"STACK_NAME must be 1 to 40 letters, digits and hyphens, the first a letter; it is {stack_name!r}")
    template = (root / "template.yaml").read_text()
    known, given = declared(template), parse(environment.get("PARAMS", ""))
    if environment.get("PROFILE_ARN"):
        given["InferenceProfileArn"] = environment["PROFILE_ARN"]
    check(known, given)

    region = _region(given, session)
    account = Account(session, region)
    number = account.number()
    stack = account.stack(stack_name)
    before = {name: value for name, value in (stack or {"parameters": {}})["parameters"].items() if name in known}
    values, key = _values(known, before, given, account, number)
    _tell(f"{'Updating' if stack else 'Creating'} the stack {stack_name} in {region}, account {number}.")

    def sam(command, *rest, **parameters):
        # A file, since sam's command line drops parameters with empty values.
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(parameters, file)
            file.flush()
            common = ["--region", region, "--parameter-overrides", f"file://{file.name}"]
            if subprocess.run(["sam", command, *common, *rest], cwd=root).returncode != 0:
                raise Refused(f"sam {command} failed; what it said is above")

    sam("build", "--beta-features", "--build-dir", str(BUILD), **values)
    binary = (root / BUILD / "Function" / "bootstrap").read_bytes()
    values["Revision"] = revision(values, template.encode(), binary)
    deploy = ["--stack-name", stack_name, "--template-file", str(BUILD / "template.yaml"), "--resolve-s3"]
    deploy += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    try:
        sam("deploy", *deploy, **values)
        print(f"url  {account.stack(stack_name)['outputs']['Url']}")
    finally:
        # Even if something went wrong: the stack may have its digest already, and nothing else has the key.
        if key:
            print(f"key  {key}")
            _tell("This key is shown once. Keep it; `make api-key` draws others.")


def _region(given, session):
    """Where the profile is; without one, where the stack is looked for."""
    region = given["InferenceProfileArn"].split(":")[3] if "InferenceProfileArn" in given else session.region_name
    if not region:
        raise Refused("which inference profile? make deploy PROFILE_ARN=arn:aws:bedrock:…; or set AWS_REGION, to update")
    return region


def _values(known, before, given, account, number):
    """Every parameter's value: as given now, else as looked up, else as before. And a key, if one had to be drawn."""
    arn = (before | given).get("InferenceProfileArn")
    if not arn:
        raise Refused("there is no such stack yet. Name the inference profile: make deploy PROFILE_ARN=arn:aws:bedrock:…")
    if arn.split(":")[4] != number:
        raise Refused(f"the inference profile is of account {arn.split(':')[4]}, and the credentials are of {number}")
    models = {"GlobalModelArn": ""} if "DestinationModelArns" in given else account.destinations(arn)
    values = before | models | given

    def value(name):
        return str(values.get(name, known[name].get("Default", "")))

    reserved, provisioned = int(value("ReservedConcurrency")), int(value("ProvisionedConcurrency"))
    if reserved and provisioned > reserved:
        raise Refused(f"ProvisionedConcurrency={provisioned} is more than ReservedConcurrency={reserved}")
    account.check_concurrency(reserved, had=int(before.get("ReservedConcurrency", 0)))

    if value("ApiKeys") and value("OpenToAnyone"):
        raise Refused("ApiKeys and OpenToAnyone contradict each other; empty one of them: PARAMS='OpenToAnyone='")
    if digest("") in value("ApiKeys").lower():
        raise Refused("ApiKeys has the digest of an empty key, as hashing a variable that is not set gives it: draw one, make api-key")
    key = None
    if value("Access") != "iam" and not value("ApiKeys") and not value("OpenToAnyone"):
        key, values["ApiKeys"] = draw()
    return values, key


def _tell(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(os.environ, boto3.Session())
    except (Refused, BotoCoreError) as why:
        sys.exit(f"deploy: {why}")
    except KeyboardInterrupt:
        sys.exit("deploy: interrupted; what had begun goes on in CloudFormation")
