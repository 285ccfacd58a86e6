import pathlib
import shutil

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SAM = """#!/bin/sh
for word in "$@"; do case $word in file://*) parameters=$(cat "${word#file://}"); esac; done
printf '%s\\n---\\n%s\\n===\\n' "$*" "$parameters" >> sam.log
if [ "$1" = build ]; then mkdir -p target/sam/build/Function && echo "$CODE" > target/sam/build/Function/bootstrap; fi
[ "$1" != "$FAILS" ]
"""


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="writes the snapshots instead of comparing them")


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
