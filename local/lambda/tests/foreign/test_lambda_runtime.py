"""A Rust function on stock `lambda_runtime`, as its `basic-streaming-response` example shows."""

import http.client

import pytest


@pytest.fixture
def function(rust):
    return rust("stock_runtime")


def test_the_documentations_example_streams_its_four_words(function):
    answer = function.get("/")
    assert answer.status == 200
    assert answer.header("content-type") == "application/octet-stream"
    assert answer.header("transfer-encoding") == "chunked"
    assert answer.text() == "Hello\nworld\nfrom\nLambda!\n"


def test_a_chunk_reaches_the_client_while_the_function_still_waits_for_the_next(function, upstream):
    answer = function.get("/relay")
    assert answer.until(b"\n") == b"first\n"
    upstream.answers("second\n")
    assert answer.body() == b"second\n"


def test_status_headers_and_cookies_come_from_the_metadata(function):
    answer = function.get("/metadata")
    assert answer.status == 418
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert answer.header("x-model") == "small"
    assert answer.headers("set-cookie") == ["session=1; Path=/; HttpOnly", "theme=dark"]
    assert answer.text() == "short and stout"


def test_the_second_request_meets_the_same_warm_sandbox(function):
    first, second = function.get("/instance").json(), function.get("/instance").json()
    assert (first["invocation"], second["invocation"]) == (1, 2)
    assert first["process"] == second["process"]
    assert first["logStream"] == second["logStream"]
    assert first["requestId"] != second["requestId"]
    function.console("cold start")
    assert len([line for line in function.console_so_far() if "cold start" in line]) == 1


def test_two_requests_at_once_meet_two_sandboxes(function, upstream):
    busy = function.get("/relay")
    assert busy.until(b"\n") == b"first\n"
    assert function.get("/instance").json()["invocation"] == 1
    upstream.answers("second\n")
    assert busy.body() == b"second\n"


def test_the_memory_asked_for_is_what_the_context_tells(rust):
    function = rust("stock_runtime", ["--memory", "512"])
    assert function.get("/instance").json()["memory"] == 512


def test_an_error_before_the_first_byte_is_a_502_and_the_sandbox_lives_on(function):
    answer = function.get("/refuse")
    assert answer.status == 502
    assert answer.text() == "Internal Server Error"
    assert "the model is not ready" in function.console("the model is not ready")
    assert function.get("/instance").json()["invocation"] == 2


def test_a_panic_is_a_502_and_the_sandbox_lives_on(function):
    assert function.get("/panic").status == 502
    assert "an index out of its bounds" in function.console("an index out of its bounds")
    assert function.get("/instance").json()["invocation"] == 2


def test_an_error_in_mid_stream_is_the_text_that_this_runtime_writes_into_the_body(function, upstream):
    # lambda_runtime 1.5 announces error trailers and then writes them as a last chunk; no platform can tell.
    answer = function.get("/relay-then-fail")
    assert answer.until(b"first\n") == b"first\n"
    upstream.answers("")
    assert answer.body().startswith(b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n")


def test_a_process_that_exits_in_mid_stream_cuts_the_answer_and_is_replaced(function, upstream):
    answer = function.get("/relay-then-exit")
    assert answer.until(b"\n") == b"first\n"
    upstream.answers("")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.body()
    function.console("Runtime.ExitError")
    assert function.get("/instance").json()["invocation"] == 1


def test_one_sandbox_at_most_makes_the_second_request_at_once_a_429(rust, upstream):
    function = rust("stock_runtime", ["--sandboxes", "1"])
    busy = function.get("/relay")
    assert busy.until(b"\n") == b"first\n"
    assert function.get("/instance").status == 429
    upstream.answers("second\n")
    assert busy.body() == b"second\n"
