"""Checks of a running Bro-Buddy, wherever it is: `make smoke URL=…`, with KEY=… or SIGN=1 to be let in."""

import hashlib
import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
from dataclasses import dataclass, field

import pytest

PATIENCE = 60  # seconds, for each answer and each silence within one
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class Event:
    """A server-sent event, and when its end was read, in seconds since the question."""

    name: str
    data: dict
    at: float


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes = b""
    events: list[Event] = field(default_factory=list)

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem document, or what came instead of one."""
        if self.headers.get("content-type", "").startswith("application/problem+json"):
            return self.json()["code"]
        return f"no problem document: {self.status} {self.body[:200]!r}"


class Service:
    """A Bro-Buddy behind a URL, and what is needed to be let in."""

    def __init__(self, url, key, sign):
        self.url = urllib.parse.urlsplit(url)
        assert self.url.scheme in ("http", "https") and self.url.hostname, f"{url!r} is no URL"
        clear = self.url.scheme == "http" and self.url.hostname not in LOOPBACK
        assert not (clear and (key or sign)), f"neither a key nor a signature is sent in the clear: https://{self.url.netloc}"
        self.key, self.signer = key, Signer(self.url.hostname) if sign else None

    def get(self, path, headers=None):
        return self._answer("GET", path, None, headers or {})

    def post(self, path, body, headers=None):
        """Posts bytes, text, or anything else as JSON, with the body's hash unless `headers` has another one (or None)."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        defaults = {"content-type": "application/json", "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        headers = {name: value for name, value in (defaults | (headers or {})).items() if value is not None}
        return self._answer("POST", path, body, headers)

    def chat(self, message):
        """As a browser asks: whoever may compress is told so."""
        return self.post("/api/chat", {"message": message}, {"accept-encoding": "gzip, br"})

    def _answer(self, method, path, body, headers):
        if self.key is not None:
            headers = {"x-api-key": self.key} | headers
        headers = {name: value for name, value in headers.items() if value != ""}
        if self.signer is not None:
            headers = self.signer.sign(method, self.url._replace(path="").geturl().rstrip("/") + path, body, headers)
        connection = self._connection()
        try:
            asked = time.monotonic()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()})
            streamed = answer.headers.get("content-type", "").startswith("text/event-stream")
            if streamed and "content-encoding" not in answer.headers:
                answer.events = list(read_events(response, asked))
            else:
                answer.body = response.read()
            return answer
        finally:
            connection.close()

    def _connection(self):
        if self.url.scheme == "http":
            return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=PATIENCE)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=PATIENCE, context=context)


class Signer:
    """SigV4 for a function URL, with the credentials that the AWS CLI would take, for the region in the URL's name."""

    def __init__(self, host):
        import boto3

        session = boto3.Session()
        named = re.fullmatch(r".+\.lambda-url\.([a-z0-9-]+)\.on\.aws", host)
        self.credentials = session.get_credentials()
        self.region = named[1] if named else os.environ.get("AWS_REGION") or session.region_name
        assert self.credentials is not None, "SIGN=1 needs AWS credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE, …)"
        assert self.region, "SIGN=1 needs the function's region in AWS_REGION: the URL does not name it"

    def sign(self, method, url, body, headers):
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, data=body, headers=headers)
        SigV4Auth(self.credentials.get_frozen_credentials(), "lambda", self.region).add_auth(request)
        return dict(request.headers)


def read_events(response, asked):
    name, data = None, []
    for line in response:
        line = line.decode("utf-8").rstrip("\r\n")
        if line.startswith("event:"):
            name = line[len("event:") :].strip()
        elif line.startswith("data:"):
            data.append(line[len("data:") :].strip())
        elif not line and name is not None:
            yield Event(name, json.loads("\n".join(data)), time.monotonic() - asked)
            name, data = None, []


@pytest.fixture(scope="session")
def service():
    assert os.environ.get("BRO_BUDDY_URL"), "name the deployment: make smoke URL=https://…"
    sign = os.environ.get("BRO_BUDDY_SIGN", "")
    return Service(os.environ["BRO_BUDDY_URL"], os.environ.get("BRO_BUDDY_KEY") or None, sign not in ("", "0"))


@pytest.fixture(scope="session")
def reply(service):
    """One reply, which all checks of a reply share: it is what costs."""
    answer = service.chat("Yo, count from one to forty, in words")
    assert answer.status == 200, f"{answer.status}: {answer.body[:500]!r}"
    encoding = answer.headers.get("content-encoding")
    assert encoding is None, f"something on the way compresses replies ({encoding}), which holds tokens back"
    return answer


def leave_out(why, *accesses):
    """Skips a check that this deployment does not call for; unless BRO_BUDDY_ACCESS says that it is one that does."""
    assert os.environ.get("BRO_BUDDY_ACCESS") not in accesses, why
    pytest.skip(why)
