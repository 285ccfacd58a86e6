"""The reply was not held back anywhere on its way."""


def test_tokens_arrive_over_the_time_in_which_they_were_made(reply):
    tokens = [event for event in reply.events if event.name == "token"]
    assert len(tokens) >= 3, f"{len(tokens)} pieces prove nothing: ask again"
    timing = reply.events[-1].data["timing"]
    made_ms = timing["total_ms"] - timing["ttft_ms"]
    arrived_ms = (reply.events[-1].at - tokens[0].at) * 1000
    assert made_ms >= 50, f"a reply made within {made_ms:.0f} ms proves nothing"
    assert arrived_ms >= made_ms / 2, f"made over {made_ms:.0f} ms, arrived within {arrived_ms:.0f} ms: it was buffered"


def test_the_start_comes_before_the_reply_is_complete(reply):
    total_s = reply.events[-1].at
    assert reply.events[0].at < total_s * 0.9, "the first event came with the last one"
