"""An axum application on `lambda_http`, as its `http-axum-streaming` example shows."""

import json

import pytest


@pytest.fixture
def function(rust):
    return rust("axum_app")


def test_path_parameters_and_repeated_query_parameters_arrive(function):
    answer = function.get("/items/a%20b?tag=x&tag=y&q=caf%C3%A9")
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.json() == {"name": "a b", "query": [["tag", "x"], ["tag", "y"], ["q", "café"]]}


def test_a_json_body_and_the_cookies_arrive(function):
    headers = {"content-type": "application/json", "cookie": "session=1; theme=dark"}
    answer = function.post("/items", json.dumps({"name": "naïve"}).encode(), headers)
    assert answer.status == 201
    assert answer.json() == {"name": "naïve", "cookies": ["session=1; theme=dark"]}


def test_each_cookie_is_a_header_of_its_own(function):
    answer = function.post("/sign-in", b"")
    assert answer.status == 303
    assert answer.header("location") == "/"
    assert answer.headers("set-cookie") == ["session=1; HttpOnly", "theme=dark"]
    assert answer.text() == "signed in"


def test_a_header_that_is_set_twice_is_sent_twice(function):
    assert function.get("/linked").headers("link") == ["</a.css>; rel=preload", "</b.js>; rel=preload"]


def test_bytes_that_are_no_text_survive_both_ways(function):
    every_byte = bytes(range(256))
    answer = function.post("/reverse", every_byte, {"content-type": "application/octet-stream"})
    assert answer.header("content-type") == "application/x-reversed"
    assert answer.body() == every_byte[::-1]


def test_an_event_reaches_the_client_while_the_application_still_waits_for_the_next(function, upstream):
    answer = function.get("/events", {"accept": "text/event-stream"})
    assert answer.status == 200
    assert answer.header("content-type") == "text/event-stream"
    assert answer.until(b"\n\n") == b"event: token\ndata: first\n\n"
    upstream.answers("second")
    assert answer.body() == b"event: token\ndata: second\n\n"


def test_an_unknown_route_is_the_applications_404_and_not_the_urls(function):
    answer = function.get("/nowhere")
    assert answer.status == 404
    assert answer.header("x-amzn-errortype") is None


def test_a_wrong_method_is_the_applications_405(function):
    answer = function.get("/sign-in")
    assert answer.status == 405
    assert answer.header("allow") == "POST"


def test_an_answer_without_a_body_ends(function):
    answer = function.get("/empty")
    assert answer.status == 204
    assert answer.body() == b""


def test_a_body_that_fails_ends_in_the_text_that_this_runtime_writes_into_it(function, upstream):
    answer = function.get("/breaks")
    assert answer.until(b"first\n") == b"first\n"
    upstream.answers("no more")
    assert answer.body().startswith(b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n")
