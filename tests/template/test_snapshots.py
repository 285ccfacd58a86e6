"""Everything that each deployment creates, as it was last agreed to: tests/template/snapshots/.

A change shows up as a difference to review; `target/venv/bin/pytest tests/template --update` accepts it."""

import json
import pathlib

import pytest
from cloudformation import Stack
from deployments import DEPLOYMENTS

SNAPSHOTS = pathlib.Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_it_creates_what_was_agreed_to(name, request):
    stack = Stack(**DEPLOYMENTS[name])
    resources = {
        logical: {key: value for key, value in resource.items() if key != "Metadata"}
        for logical, resource in stack.resources.items()
    }
    text = json.dumps({"Resources": resources, "Outputs": stack.outputs}, indent=1, sort_keys=True) + "\n"
    snapshot = SNAPSHOTS / f"{name}.json"
    if request.config.getoption("--update"):
        SNAPSHOTS.mkdir(exist_ok=True)
        snapshot.write_text(text)
    assert text == snapshot.read_text(), f"{snapshot.name} differs"


def test_no_snapshot_is_left_over():
    assert {path.stem for path in SNAPSHOTS.iterdir()} == DEPLOYMENTS.keys()
