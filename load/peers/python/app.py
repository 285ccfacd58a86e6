"""A chat server after FastAPI's documentation of `StreamingResponse` and boto3's of `converse_stream`."""

import json
import os

import boto3
from botocore.config import Config
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

SYSTEM = """You are a friendly conversation partner. Keep replies short and useful: a few sentences at most.
You do not give medical or legal advice. When someone asks for it, say kindly that you cannot help with that, and point to a professional.
Talk like a good friend: casual, warm and upbeat, with light slang, never crude. Get to the point."""

# As many connections as there may be replies at once: boto3 keeps ten otherwise, and opens the others anew each time.
bedrock = boto3.client("bedrock-runtime", config=Config(max_pool_connections=50))
app = FastAPI()


class Chat(BaseModel):
    message: str


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def events(stream):
    stop_reason = usage = None
    for part in stream:
        if "contentBlockDelta" in part:
            if text := part["contentBlockDelta"]["delta"].get("text"):
                yield event("token", {"text": text})
        elif "messageStop" in part:
            stop_reason = part["messageStop"]["stopReason"]
        elif "metadata" in part:
            counted = part["metadata"]["usage"]
            usage = {
                "input_tokens": counted["inputTokens"],
                "output_tokens": counted["outputTokens"],
                "total_tokens": counted["totalTokens"],
            }
    yield event("done", {"stop_reason": stop_reason, "usage": usage})


@app.post("/api/chat")
def chat(chat: Chat):
    reply = bedrock.converse_stream(
        modelId=os.environ["MODEL_ID"],
        system=[{"text": SYSTEM}],
        messages=[{"role": "user", "content": [{"text": chat.message}]}],
        inferenceConfig={"maxTokens": 150, "temperature": 0.3},
    )
    return StreamingResponse(
        events(reply["stream"]), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )
