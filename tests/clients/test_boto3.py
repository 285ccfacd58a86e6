"""boto3, the AWS SDK for Python, reads what the stand-in for Bedrock sends and is let in by its own signature.

Needs pytest and boto3[crt], and in LOCAL_BEDROCK_BIN the path of the program `local-bedrock`.
"""

import datetime
import os
import pathlib
import re
import subprocess
import sys

import boto3
import pytest
from botocore.auth import AUTH_TYPE_MAPS, SigV4Auth
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0"
FIXTURES = pathlib.Path(__file__).parents[1] / "wire" / "bedrock"
CREDENTIALS = {
    "aws_access_key_id": "ASIACLIENT",
    "aws_secret_access_key": "s3cr3t/+=",
    "aws_session_token": "t0ken//+==",
}
ONCE = {"total_max_attempts": 1}


def unconfigured():
    """The environment without what a developer may have set for AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


@pytest.fixture(autouse=True)
def unconfigured_client(monkeypatch):
    for name in os.environ.keys() - unconfigured().keys():
        monkeypatch.delenv(name)


@pytest.fixture
def start():
    """Starts the program with given options and returns its URL. It knows CREDENTIALS and verifies signatures."""
    running = []
    known = [
        *("--access-key-id", CREDENTIALS["aws_access_key_id"]),
        *("--secret-access-key", CREDENTIALS["aws_secret_access_key"]),
        *("--session-token", CREDENTIALS["aws_session_token"]),
    ]

    def start(*options):
        command = [os.environ["LOCAL_BEDROCK_BIN"], *known, *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=unconfigured())
        running.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def client(endpoint, region="us-east-1", retries=ONCE, **credentials):
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(retries=retries, connect_timeout=30, read_timeout=30),
        **CREDENTIALS | credentials,
    )


@pytest.fixture
def bedrock(start):
    """Starts the program with given options and returns a client of it."""
    return lambda *options: client(start(*options))


def ask(client, model_id=PROFILE, **inference):
    response = client.converse_stream(
        modelId=model_id,
        system=[{"text": "Be a bro."}],
        messages=[{"role": "user", "content": [{"text": "Yo, three colours?"}]}],
        inferenceConfig={"maxTokens": 150, "temperature": 0.3, **inference},
    )
    return response["stream"]


def test_a_reply_is_read_to_its_end(bedrock):
    events = list(ask(bedrock("--tokens", "5")))
    assert [next(iter(event)) for event in events] == [
        "messageStart",
        *["contentBlockDelta"] * 5,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    text = "".join(event["contentBlockDelta"]["delta"]["text"] for event in events[1:6])
    assert text == "This reply is scripted: there "
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    usage = events[-1]["metadata"]["usage"]
    assert usage["outputTokens"] == 5
    assert usage["totalTokens"] == usage["inputTokens"] + 5


def test_botocores_own_signer_and_that_of_the_common_runtime_agree(bedrock, monkeypatch):
    # botocore leaves signing to awscrt where that is installed, as it is with aws-sam-cli.
    assert AUTH_TYPE_MAPS["v4"] is not SigV4Auth, "awscrt is not installed"
    assert "metadata" in list(ask(bedrock()))[-1]
    monkeypatch.setitem(AUTH_TYPE_MAPS, "v4", SigV4Auth)
    assert "metadata" in list(ask(bedrock()))[-1]


def test_limits_are_kept(bedrock):
    client = bedrock("--tokens", "20")
    [stop] = [event["messageStop"] for event in ask(client, maxTokens=3) if "messageStop" in event]
    assert stop["stopReason"] == "max_tokens"
    [stop] = [event["messageStop"] for event in ask(client, stopSequences=["scripted"]) if "messageStop" in event]
    assert stop["stopReason"] == "stop_sequence"


@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [
        ("throttle", "ThrottlingException", 429),
        ("not-ready", "ModelNotReadyException", 429),
        ("500", "InternalServerException", 500),
        ("503", "ServiceUnavailableException", 503),
        ("model-error", "ModelErrorException", 424),
        ("model-timeout", "ModelTimeoutException", 408),
        ("validation", "ValidationException", 400),
        ("access-denied", "AccessDeniedException", 403),
        ("not-found", "ResourceNotFoundException", 404),
    ],
)
def test_a_refusal_is_an_error_of_the_service(bedrock, fault, error, status):
    client = bedrock("--fault", fault)
    with pytest.raises(getattr(client.exceptions, error)) as refused:
        ask(client)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "kind",
    [
        "internalServerException",
        "modelStreamErrorException",
        "validationException",
        "throttlingException",
        "serviceUnavailableException",
    ],
)
def test_an_exception_in_mid_stream_comes_after_the_tokens_before_it(bedrock, kind):
    tokens = []
    with pytest.raises(EventStreamError) as raised:
        for event in ask(bedrock("--fault", f"exception:{kind}@3")):
            tokens += [event["contentBlockDelta"]] if "contentBlockDelta" in event else []
    assert len(tokens) == 3
    assert raised.value.response["Error"]["Code"] == kind


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        # What urllib3 says of it.
        ("drop@3", "(?i)incomplete|broken|prematurely"),
        ("reset@3", "(?i)reset by peer"),
        ("corrupt@3", "Checksum mismatch"),
        ("corrupt-prelude@3", "Checksum mismatch"),
    ],
)
def test_a_reply_that_breaks_is_an_error(bedrock, fault, message):
    events = []
    with pytest.raises(Exception, match=message):
        for event in ask(bedrock("--fault", fault)):
            events.append(next(iter(event)))
    assert events == ["messageStart", *["contentBlockDelta"] * 3]


@pytest.mark.parametrize("fault", ["truncate@3", "truncate-frame@3"])
def test_a_body_that_ends_early_in_due_form_is_told_by_the_missing_message_stop_alone(bedrock, fault):
    events = [next(iter(event)) for event in ask(bedrock("--fault", fault))]
    assert events == ["messageStart", *["contentBlockDelta"] * 3]


@pytest.mark.parametrize("fault", ["unknown-event@2", "reasoning@2", "tool-use@2", "bytewise", "coalesced"])
def test_an_unusual_reply_has_the_same_text(bedrock, fault):
    events = list(ask(bedrock("--tokens", "5", "--fault", fault)))
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas) == "This reply is scripted: there "
    assert "metadata" in events[-1]


def test_a_bare_model_id_is_refused(bedrock):
    with pytest.raises(ClientError, match="inference profile that contains this model"):
        ask(bedrock(), model_id="anthropic.claude-3-haiku-20240307-v1:0")


@pytest.mark.parametrize(
    ("credentials", "error", "message"),
    [
        (
            {"aws_secret_access_key": "guess"},
            "InvalidSignatureException",
            "^The request signature we calculated does not match the signature you provided",
        ),
        (
            {"aws_access_key_id": "AKIASOMEONE"},
            "UnrecognizedClientException",
            "^The security token included in the request is invalid",
        ),
        (
            {"aws_session_token": "stale"},
            "UnrecognizedClientException",
            "^The security token included in the request is invalid",
        ),
        ({"region": "eu-west-1"}, "InvalidSignatureException", "^Credential should be scoped to a valid region"),
    ],
    ids=["secret", "key", "token", "region"],
)
def test_who_is_not_known_is_refused(start, credentials, error, message):
    assert_refused(client(start(), **credentials), error, message)


@pytest.mark.parametrize(
    ("minutes", "message"),
    [(-10, r"^Signature expired: .* is now earlier than .* - 5 min\.\)$"), (10, "^Signature not yet current: .*")],
    ids=["late", "early"],
)
def test_a_wrong_clock_is_refused(start, monkeypatch, minutes, message):
    signer = sys.modules[AUTH_TYPE_MAPS["v4"].__module__]
    now, offset = signer.get_current_datetime, datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(signer, "get_current_datetime", lambda **options: now(**options) + offset)
    assert_refused(client(start()), "InvalidSignatureException", message)


def assert_refused(bedrock, error, message):
    with pytest.raises(ClientError) as refused:
        ask(bedrock)
    assert refused.value.response["Error"]["Code"] == error
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert re.search(message, refused.value.response["Error"]["Message"])


def test_a_request_that_was_changed_on_its_way_is_refused(start):
    bedrock = client(start())

    def change(request, **_kwargs):
        request.body = request.body.replace(b"colours", b"numbers")

    bedrock.meta.events.register("before-send.bedrock-runtime.ConverseStream", change)
    assert_refused(bedrock, "InvalidSignatureException", "^The request signature we calculated does not match")


def test_an_api_key_is_a_bearer_token(start, monkeypatch):
    endpoint = start("--bearer-token", "bedrock-api-key-1")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1")
    assert "metadata" in list(ask(keyless(endpoint)))[-1]
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-2")
    assert_refused(keyless(endpoint), "AccessDeniedException", "^Authentication failed")


def keyless(endpoint):
    """A client that finds nothing but the environment's API key."""
    return boto3.client("bedrock-runtime", endpoint_url=endpoint, region_name="us-east-1", config=Config(retries=ONCE))


def test_a_throttle_is_tried_as_often_as_botocore_does_by_itself(start):
    bedrock = client(start("--fault", "throttle"), retries={"mode": "standard"})
    with pytest.raises(bedrock.exceptions.ThrottlingException) as refused:
        ask(bedrock)
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_reply_that_is_closed_half_way_leaves_the_client_fit_for_the_next(bedrock):
    asking = bedrock("--tokens", "1000")
    for _attempt in range(3):
        stream = ask(asking, maxTokens=1000)
        events = iter(stream)
        assert "messageStart" in next(events)
        assert "contentBlockDelta" in next(events)
        stream.close()


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.bin")), ids=lambda path: path.stem)
def test_the_fixtures_are_frames_to_botocore_as_well(path):
    buffer = EventStreamBuffer()
    buffer.add_data(path.read_bytes())
    if path.stem == "corrupt-crc":
        with pytest.raises(ChecksumMismatch):
            list(buffer)
        return
    kinds = [event.headers.get(":event-type") or event.headers[":exception-type"] for event in buffer]
    assert kinds[0] == "messageStart"
    whole = path.stem in ("reply", "max-tokens", "empty", "unknown-event")
    assert (kinds[-1] == "metadata") == whole
