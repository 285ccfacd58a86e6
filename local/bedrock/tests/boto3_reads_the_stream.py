"""boto3, Amazon's own reader of the format, reads what the stand-in sends.

Needs pytest and boto3, and in LOCAL_BEDROCK_BIN the path of the program `local-bedrock`.
"""

import os
import pathlib
import subprocess

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0"
FIXTURES = pathlib.Path(__file__).parents[3] / "tests" / "wire" / "bedrock"


@pytest.fixture
def bedrock():
    """Starts the program with given options and returns a client of it."""
    running = []

    def start(*options):
        binary = os.environ["LOCAL_BEDROCK_BIN"]
        process = subprocess.Popen(
            [binary, "--ttft", "0", "--gap", "0", *options], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        return boto3.client(
            "bedrock-runtime",
            endpoint_url=process.stdout.readline().strip(),
            region_name="us-east-1",
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5),
        )

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=5)
        process.stdout.close()


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


def test_a_dropped_connection_is_not_mistaken_for_an_ending(bedrock):
    events = []
    # botocore passes on what urllib3 says of it; which exception that is differs between versions.
    with pytest.raises(Exception, match="(?i)incomplete|broken|prematurely"):
        for event in ask(bedrock("--fault", "drop@3")):
            events.append(next(iter(event)))
    assert events == ["messageStart", *["contentBlockDelta"] * 3]


def test_a_bare_model_id_is_refused(bedrock):
    with pytest.raises(ClientError, match="inference profile that contains this model"):
        ask(bedrock(), model_id="anthropic.claude-3-haiku-20240307-v1:0")


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
