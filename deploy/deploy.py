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
from botocore.exceptions import BotoCoreError
from choices import choose
from parameters import Refused, parse, revision
from screen import tell
from template import Template

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
    text = (root / "template.yaml").read_text()
    template, given = Template(text), parse(environment.get("PARAMS", ""))
    if environment.get("PROFILE_ARN"):
        given["InferenceProfileArn"] = environment["PROFILE_ARN"]
    given = template.checked(given)

    region = _region(given, environment, session)
    account = Account(session, region)
    stack = account.stack(stack_name)
    before = {name: value for name, value in (stack or {"parameters": {}})["parameters"].items() if name in template}
    values, key = choose(template, before, given, account)
    tell(f"{'Updating' if stack else 'Creating'} the stack {stack_name} in {region}, account {account.number}.")

    def sam(command, *rest):
        # A file, since sam's command line drops parameters with empty values.
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            common = ["--region", region, "--parameter-overrides", f"file://{file.name}"]
            if subprocess.run(["sam", command, *common, *rest], cwd=root).returncode != 0:
                raise Refused(f"sam {command} failed; what it said is above")

    sam("build", "--beta-features", "--build-dir", str(BUILD))
    binary = (root / BUILD / "Function" / "bootstrap").read_bytes()
    values["Revision"] = revision(values, text.encode(), binary, before=before.get("Revision", ""))
    deploy = ["--stack-name", stack_name, "--template-file", str(BUILD / "template.yaml"), "--resolve-s3"]
    deploy += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    try:
        sam("deploy", *deploy)
        print(f"url  {account.stack(stack_name)['outputs']['Url']}")
    finally:
        # Even if something went wrong: the stack may have its digest already, and nothing else has the key.
        if key:
            print(f"key  {key}")
            tell("This key is shown once. Keep it; `make api-key` draws others.")


def _region(given, environment, session):
    """Where the profile is; without one, where the stack is looked for. boto3 does not read AWS_REGION."""
    arn = given.get("InferenceProfileArn")
    region = arn.split(":")[3] if arn else environment.get("AWS_REGION") or session.region_name
    if not region:
        raise Refused("which inference profile? make deploy PROFILE_ARN=arn:aws:bedrock:…; or set AWS_REGION, to update")
    return region


if __name__ == "__main__":
    try:
        main(os.environ, boto3.Session())
    except (Refused, BotoCoreError) as why:
        sys.exit(f"deploy: {why}")
    except KeyboardInterrupt:
        sys.exit("deploy: interrupted; what had begun goes on in CloudFormation")
