"""`make smoke` finds what it is for: something bad on the way, and it says so; something good, and it is content."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from proxy import Manner, proxy

SMOKE = pathlib.Path(__file__).parents[1] / "smoke"
OF_A_REPLY = {
    "test_a_reply_is_a_stream_of_events_with_one_end",
    "test_a_reply_says_under_what_it_was_made_and_what_it_took",
    "test_nothing_on_the_way_may_keep_a_reply",
    "test_tokens_arrive_over_the_time_in_which_they_were_made",
}


def found(url, **environment):
    """The checks that are not content, and all that was said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=short", SMOKE],
        env=os.environ | {"BRO_BUDDY_URL": url} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    checks = re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE)
    assert (done.returncode == 0) == (not checks), done.stdout
    return set(checks), done.stdout


@pytest.mark.parametrize(
    ("manner", "checks", "words"),
    [
        (Manner.PASSES_ON, set(), "passed"),
        (Manner.HOLDS_BACK, {"test_tokens_arrive_over_the_time_in_which_they_were_made"}, "it was buffered"),
        (Manner.COMPRESSES, OF_A_REPLY, "compresses replies (gzip)"),
        (Manner.LETS_ANYBODY_IN, {"test_a_key_is_wanted_and_only_the_right_one_is_taken"}, "200"),
    ],
    ids=lambda parameter: parameter.name if isinstance(parameter, Manner) else "",
)
def test_it_finds_what_is_bad_and_nothing_else(manner, checks, words):
    with proxy(os.environ["BRO_BUDDY_URL"], manner, os.environ["BRO_BUDDY_KEY"]) as url:
        not_content, said = found(url)
    assert not_content == checks, said
    assert words in said


def test_a_key_does_not_travel_in_the_clear():
    _, said = found("http://bro-buddy.example")
    assert "neither a key nor a signature is sent in the clear: https://bro-buddy.example" in said


def test_a_check_that_the_access_calls_for_is_not_left_out():
    not_content, said = found(os.environ["BRO_BUDDY_URL"], BRO_BUDDY_ACCESS="cloudfront")
    assert not_content == {"test_behind_cloudfront_a_body_needs_its_hash"}, said
