"""The reply was not held back anywhere on its way."""

import pytest


def test_tokens_arrive_over_the_time_in_which_they_were_made(reply):
    tokens = [event for event in reply.events if event.name == "token"]
    timing = reply.events[-1].data["timing"]
    made_ms = timing["total_ms"] - timing["ttft_ms"]
    arrived_ms = (reply.events[-1].at - tokens[0].at) * 1000
    if len(tokens) < 3 or made_ms < 50:
        pytest.skip(f"{len(tokens)} pieces made within {made_ms:.0f} ms prove nothing: run it again")
    assert arrived_ms >= made_ms / 2, f"made over {made_ms:.0f} ms, arrived within {arrived_ms:.0f} ms: it was buffered"
