"""A real language model's reply, through the function and both stand-ins.

Run by `make test-model`, which starts the stack and names it in BRO_BUDDY_URL and BRO_BUDDY_LOG.
"""

import http.client
import json
import os
import time
import urllib.parse

PATIENCE = 120  # seconds; a reply of 150 tokens takes some ten on a slow machine


def ask(message):
    """Yields (seconds since the question, event name, data) as they come."""
    url = urllib.parse.urlsplit(os.environ["BRO_BUDDY_URL"])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
    asked = time.monotonic()
    body = json.dumps({"message": message})
    connection.request("POST", "/api/chat", body, {"content-type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    assert response.headers["content-type"] == "text/event-stream"
    name = None
    for line in response:
        line = line.decode("utf-8").rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield time.monotonic() - asked, name, json.loads(line.removeprefix("data: "))


def test_a_reply_grows_token_by_token_and_leaves_its_record():
    events = list(ask("Yo, name three colours"))
    names = [name for _, name, _ in events]
    assert names[0] == "start" and names[-1] == "done", names
    assert "smollm2" in events[0][2]["model"], "a scripted reply proves nothing here"

    tokens = [(at, data["text"]) for at, name, data in events if name == "token"]
    text = "".join(text for _, text in tokens)
    assert len(tokens) >= 5 and " " in text.strip(), text
    assert "\ufffd" not in text, text
    # Generated one after another, they cannot come all at once.
    assert tokens[-1][0] - tokens[0][0] > 0.1, [at for at, _ in tokens]

    done = events[-1][2]
    assert done["stop_reason"] in ("end_turn", "max_tokens")
    assert 0 < done["usage"]["output_tokens"] <= 150
    assert done["timing"]["ttft_ms"] > 0 and done["timing"]["bedrock_ms"] > 0

    record = wait_for_record(events[0][2]["id"])
    assert record["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BroBuddy"
    assert record["OutputTokenCount"] == done["usage"]["output_tokens"]
    assert record["Outcome"] == "done"


def wait_for_record(request_id):
    """The record is written just after the client has its last byte."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open(os.environ["BRO_BUDDY_LOG"], encoding="utf-8") as log:
            lines = [json.loads(line) for line in log if line.endswith("\n")]
        records = [line for line in lines if "_aws" in line and line["request_id"] == request_id]
        if records:
            assert len(records) == 1, records
            return records[0]
        time.sleep(0.05)
    raise AssertionError(f"no record of {request_id}")
