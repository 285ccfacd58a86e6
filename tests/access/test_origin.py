"""Behind an edge: the function's own URL."""

import os
import urllib.error
import urllib.request

import pytest


def test_nobody_gets_past_the_edge():
    request = urllib.request.Request(os.environ["BRO_BUDDY_ORIGIN"] + "healthz")
    request.add_header("x-api-key", os.environ["BRO_BUDDY_KEY"])
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.status == 403
