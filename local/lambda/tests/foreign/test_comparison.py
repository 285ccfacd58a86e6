"""The tests that the README's comparison names."""

import re

from conftest import HERE


def test_every_test_that_the_comparison_names_exists():
    _, comparison = (HERE.parents[1] / "README.md").read_text().split("\n## Compared\n")
    named = re.findall(r"`(\w+)::(\w+)`", comparison)
    assert len(named) > 40
    for file, test in named:
        foreign = file.startswith("test_")
        path = HERE / f"{file}.py" if foreign else HERE.parent / "lambda" / f"{file}.rs"
        definition = f"def {test}(" if foreign else f"fn {test}("
        assert definition in path.read_text(), f"{file}::{test}"
