"""What `sam build` asks of Cargo, and what it makes of the template: the real sam, and a `cargo` that writes down what it
was asked."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml
from cfnlint.decode import cfn_yaml
from cloudformation import source
from deployments import IAM

ROOT = pathlib.Path(__file__).parents[2]
CARGO = """#!/bin/sh
echo "$*" >> "$HERE/cargo.log"
case $1 in
metadata)
    echo "{\\"target_directory\\":\\"$HERE/target\\",\\"packages\\":[]}" ;;
lambda)
    mkdir -p target/lambda/bro-buddy target/lambda/bro-stack
    echo ours > target/lambda/bro-buddy/bootstrap
    echo another > target/lambda/bro-stack/bootstrap ;;
esac
"""


@pytest.fixture(scope="module", params=["x86_64", "arm64"])
def built(request, tmp_path_factory):
    """A folder in which the function was built for a processor."""
    here = tmp_path_factory.mktemp("built")
    for tool in ("cargo", "cargo-lambda"):
        (here / tool).write_text(CARGO)
        (here / tool).chmod(0o755)
    shutil.copy(ROOT / "template.yaml", here)
    (here / "Cargo.toml").write_text('[package]\nname = "bro-buddy"\n')
    (here / "values.yaml").write_text(yaml.safe_dump(IAM | {"Architecture": request.param}))
    sam = [pathlib.Path(sys.executable).parent / "sam", "build", "--beta-features", "--region", "us-east-1"]
    done = subprocess.run(
        [*sam, "--build-dir", "target/sam/build", "--parameter-overrides", "file://values.yaml"],
        cwd=here,
        env=os.environ | {"PATH": f"{here}:{os.environ['PATH']}", "HERE": str(here), "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return here, request.param


def test_the_function_alone_is_built_for_the_processor_that_was_chosen(built):
    here, architecture = built
    (build,) = [line for line in (here / "cargo.log").read_text().splitlines() if line.startswith("lambda")]
    assert build.split() == ["lambda", "build", "--release", *(["--arm64"] * (architecture == "arm64")), "--bin", "bro-buddy"]
    artefact = here / "target/sam/build/Function"
    assert {path.name: path.read_text() for path in artefact.iterdir()} == {"bootstrap": "ours\n"}


def test_the_template_is_deployed_as_it_is_written(built):
    here, _ = built
    deployed = cfn_yaml.load(str(here / "target/sam/build/template.yaml"))
    written = source()
    assert deployed["Resources"]["Function"]["Properties"].pop("CodeUri") == "Function"
    written["Resources"]["Function"]["Properties"].pop("CodeUri")
    for resource in deployed["Resources"].values():
        for added in [key for key in resource.get("Metadata", {}) if key.startswith("Sam")]:
            del resource["Metadata"][added]
        if not resource.get("Metadata", True):
            del resource["Metadata"]
    for section in ("Parameters", "Rules", "Conditions", "Resources", "Outputs"):
        assert deployed[section] == written[section], section
