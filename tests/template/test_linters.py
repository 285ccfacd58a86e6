"""What linters say of everything that each deployment creates."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from cloudformation import Stack, source
from deployments import DEPLOYMENTS

CHECKOV = pathlib.Path(__file__).parents[2] / "target" / "checkov" / "bin" / "checkov"


@pytest.fixture(scope="module")
def stacks():
    return {name: Stack(**given) for name, given in DEPLOYMENTS.items()}


def test_cfn_lint_finds_nothing(stacks, tmp_path):
    for name, stack in stacks.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(stack.as_template()))
    cfn_lint = pathlib.Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([cfn_lint, *sorted(tmp_path.iterdir())], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_checkov_finds_what_is_put_aside_with_a_reason_and_nothing_else(stacks, tmp_path):
    """So each suppression in the template is needed by some deployment, and each deployment is clean with them."""
    reasons = {}
    for name, stack in stacks.items():
        template = stack.as_template()
        for logical, resource in template["Resources"].items():
            skipped = resource.pop("Metadata", {}).get("checkov", {}).get("skip", [])
            reasons |= {(f"{resource['Type']}.{logical}", skip["id"]): skip["comment"] for skip in skipped}
        (tmp_path / f"{name}.json").write_text(json.dumps(template))
    assert all(reasons.values())
    done = subprocess.run(
        [CHECKOV, "--directory", tmp_path, "--framework", "cloudformation", "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"LOG_LEVEL": "ERROR"},
    )
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] == sum(len(stack.resources) for stack in stacks.values())
    found = {(check["resource"], check["check_id"]) for check in report["results"]["failed_checks"]}
    unexplained = found - reasons.keys()
    # SAM copies the function's suppressions to everything that it makes of the function: its version, alias, URL, ….
    written = source()["Resources"]
    of_the_function = {check for _, check in reasons.keys() & found}
    unneeded = {
        (resource, check)
        for resource, check in reasons.keys() - found
        if resource.split(".")[1] in written.keys() - {"Function"} or check not in of_the_function
    }
    assert (unexplained, unneeded) == (set(), set())
