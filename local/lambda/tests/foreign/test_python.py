"""A Python function on AWS's own runtime client (`awslambdaric`), which does not stream, behind a `BUFFERED` URL."""

import pytest


@pytest.fixture
def function(python):
    return python(["--invoke-mode", "buffered"])


def test_a_dict_with_a_status_is_the_whole_response(function):
    answer = function.post("/structured", "{}", {"cookie": "a=1; b=2"})
    assert answer.status == 201
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-model") == "small"
    assert answer.headers("set-cookie") == ["session=1; HttpOnly", "theme=dark"]
    assert answer.json() == {"method": "POST", "cookies": ["a=1", "b=2"]}


def test_a_base64_body_is_decoded(function):
    every_byte = bytes(range(256))
    answer = function.post("/binary", every_byte, {"content-type": "image/png"})
    assert answer.header("content-type") == "application/octet-stream"
    assert answer.body() == every_byte[::-1]


def test_a_dict_without_a_status_is_the_body_of_a_200(function):
    answer = function.get("/instance")
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.json()["invocation"] == 1


def test_a_string_is_the_body_of_a_200_without_its_quotes(function):
    answer = function.get("/string")
    assert (answer.status, answer.header("content-type"), answer.text()) == (200, "application/json", "just text")


def test_none_is_the_body_null(function):
    answer = function.get("/nothing")
    assert (answer.status, answer.text()) == (200, "null")


def test_the_second_request_meets_the_same_warm_sandbox(function):
    first, second = function.get("/instance").json(), function.get("/instance").json()
    assert first["process"] == second["process"]
    assert second["invocation"] == 2


def test_the_memory_asked_for_is_in_the_environment(python):
    assert python(["--memory", "512"]).get("/instance").json()["memory"] == "512"


def test_behind_a_streaming_url_the_dict_itself_is_the_body(python):
    answer = python().post("/structured", "{}")
    assert answer.status == 200
    assert answer.json()["statusCode"] == 201


def test_a_raised_exception_is_a_502_and_the_sandbox_lives_on(function):
    answer = function.get("/fail")
    assert (answer.status, answer.text()) == (502, "Internal Server Error")
    assert "there is no model" in function.console("ValueError")
    assert function.get("/instance").json()["invocation"] == 2


def test_a_buffered_answer_of_more_than_six_megabytes_is_a_502(function):
    assert function.get("/too-large").status == 502
    function.console("Function.ResponseSizeTooLarge")


def test_a_process_that_exits_is_a_502_and_is_replaced(function):
    assert function.get("/exit").status == 502
    function.console("Runtime.ExitError")
    assert function.get("/instance").json()["invocation"] == 1
