"""Other people's functions behind the real `local-lambda` program.

`LOCAL_LAMBDA_BIN` names that program, `FOREIGN_BIN` the directory of the built Rust functions, `FOREIGN_PYTHON` the
directory of the Python function's packages; `make test-foreign` sets all three.
"""

import collections
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).parent
# For what takes milliseconds; generous, since a busy machine is no failure.
PATIENCE = 30


class Answer:
    """A response whose head has been read and whose body is read as it comes."""

    def __init__(self, connection):
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status

    def header(self, name):
        return self._response.getheader(name)

    def headers(self, name):
        return self._response.headers.get_all(name) or []

    def chunk(self):
        """What has come of the body, at least one byte; waits for it. Empty at the end."""
        return self._response.read1()

    def until(self, ending):
        """The body up to and with the given bytes, which may come in several chunks."""
        seen = b""
        while not seen.endswith(ending):
            chunk = self.chunk()
            assert chunk, f"the body ended with {seen!r}"
            seen += chunk
        return seen

    def body(self):
        """The rest of the body.

        Raises `http.client.IncompleteRead` or `ConnectionError` if the connection is cut before its end.
        """
        rest = b""
        while chunk := self.chunk():
            rest += chunk
        return rest

    def text(self):
        return self.body().decode()

    def json(self):
        return json.loads(self.body())


class FunctionUrl:
    """The `local-lambda` program with one function in it."""

    def __init__(self, arguments):
        self._process = subprocess.Popen(
            [os.environ["LOCAL_LAMBDA_BIN"], "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._console = collections.deque()
        self._connections = []
        self._grown = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()
        try:
            banner = self.console("http://")
        except BaseException:
            self.stop()
            raise
        self._address = banner.split("http://")[1].split("/")[0]

    def _read(self):
        for line in self._process.stdout:
            with self._grown:
                self._console.append(line.rstrip("\n"))
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    def console_so_far(self):
        with self._grown:
            return list(self._console)

    def console(self, text):
        """The first line with the given text that the person at the terminal sees; waits for it."""

        def found():
            return next((line for line in self._console if text in line), None)

        with self._grown:
            self._grown.wait_for(lambda: self._ended or found() is not None, PATIENCE)
            line = found()
            assert line is not None, f"no {text!r} in {list(self._console)}"
            return line

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        self._connections.append(connection)
        connection.request(method, path, body=body, headers=headers or {})
        return Answer(connection)

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body, headers=None):
        return self.request("POST", path, body, headers)

    def stop(self):
        for connection in self._connections:
            connection.close()
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()


class Upstream:
    """A server that the functions ask for what to say next: they wait until the test lets it answer."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.address = "127.0.0.1:{}".format(self._listener.getsockname()[1])

    def answers(self, text):
        """Answers the question that a function has asked or is about to ask."""
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(text.encode())

    def close(self):
        self._listener.close()


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def start(upstream):
    """Starts `local-lambda` with a program, variables for it and further options of ours."""
    started = []

    def start(program, variables=None, options=()):
        variables = {"UPSTREAM": upstream.address, **(variables or {})}
        arguments = [argument for pair in variables.items() for argument in ("--env", "=".join(pair))]
        started.append(FunctionUrl([*options, *arguments, "--", str(program)]))
        return started[-1]

    yield start
    for function_url in started:
        function_url.stop()


@pytest.fixture
def rust(start):
    def rust(binary, options=()):
        return start(pathlib.Path(os.environ["FOREIGN_BIN"]) / binary, options=options)

    return rust


@pytest.fixture
def node(start):
    def node(options=()):
        return start(HERE / "node" / "bootstrap", {"NODE": shutil.which("node")}, options)

    return node


@pytest.fixture
def python(start):
    def python(options=()):
        variables = {"PYTHON": sys.executable, "PYTHONPATH": os.environ["FOREIGN_PYTHON"]}
        return start(HERE / "python" / "bootstrap", variables, options)

    return python
