"""A Node.js function on AWS's own runtime client (`aws-lambda-ric`), streaming by `awslambda.streamifyResponse`."""

import http.client

import pytest


@pytest.fixture
def function(node):
    return node()


def test_an_event_reaches_the_client_while_the_function_still_waits_for_the_next(function, upstream):
    answer = function.get("/events")
    assert answer.status == 200
    assert answer.header("content-type") == "text/event-stream"
    assert answer.header("cache-control") == "no-store"
    assert answer.until(b"\n\n") == b"data: first\n\n"
    upstream.answers("second")
    assert answer.body() == b"data: second\n\n"


def test_status_headers_and_cookies_come_from_the_metadata(function):
    answer = function.get("/metadata")
    assert answer.status == 418
    assert answer.header("content-type") == "text/plain"
    assert answer.header("x-model") == "small"
    assert answer.headers("set-cookie") == ["session=1; Path=/; HttpOnly", "theme=dark"]
    assert answer.text() == "short and stout"


def test_a_stream_without_metadata_is_payload_from_its_first_byte(function, upstream):
    answer = function.get("/plain")
    assert answer.status == 200
    assert answer.header("content-type") == "application/octet-stream"
    assert answer.until(b"\n") == b"first\n"
    upstream.answers("second\n")
    assert answer.body() == b"second\n"


def test_the_content_type_that_the_function_sets_is_the_clients(function):
    answer = function.get("/content-type")
    assert (answer.status, answer.header("content-type"), answer.text()) == (200, "text/csv", "a,b\n")


def test_metadata_without_a_write_is_lost_and_the_answer_a_502(function):
    # As on AWS (aws-lambda-nodejs-runtime-interface-client #97): `end` with the body writes no metadata.
    assert function.get("/end-without-write").status == 502


def test_the_event_is_that_of_a_function_url(function):
    headers = {"content-type": "text/plain", "cookie": "a=1; b=2", "x-twice": "1"}
    event = function.post("/event?x=1&x=2", "hello", headers).json()
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/event", "x=1&x=2")
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ("hello", False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["headers"]["x-twice"] == "1"


def test_the_second_request_meets_the_same_warm_sandbox(function):
    first, second = function.get("/instance").json(), function.get("/instance").json()
    assert (first["invocation"], second["invocation"]) == (1, 2)
    assert first["process"] == second["process"]
    assert first["requestId"] != second["requestId"]


def test_memory_and_deadline_are_what_the_context_tells(node):
    function = node(["--memory", "512", "--timeout", "40"])
    instance = function.get("/instance").json()
    assert int(instance["memory"]) == 512
    assert 0 < instance["remaining"] <= 40_000


def test_a_streamed_answer_may_be_larger_than_a_buffered_one(function):
    assert len(function.get("/large").body()) == 7 * 1024 * 1024


def test_an_exception_before_the_first_byte_is_a_502_and_the_sandbox_lives_on(function):
    # This runtime reports it by trailers behind an empty stream.
    answer = function.get("/throw")
    assert (answer.status, answer.text()) == (502, "Internal Server Error")
    function.console("TypeError: there is no model")
    assert function.get("/instance").json()["invocation"] == 2


def test_an_exception_in_mid_stream_cuts_the_answer_and_the_sandbox_lives_on(function, upstream):
    answer = function.get("/throw-midway")
    assert answer.status == 200
    assert answer.until(b"\n") == b"first\n"
    upstream.answers("the model has gone")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.body()
    function.console("Error: the model has gone")
    assert function.get("/instance").json()["invocation"] == 2


def test_a_process_that_exits_in_mid_stream_cuts_the_answer_and_is_replaced(function, upstream):
    answer = function.get("/exit-midway")
    assert answer.until(b"\n") == b"first\n"
    upstream.answers("")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.body()
    function.console("Runtime.ExitError")
    assert function.get("/instance").json()["invocation"] == 1
