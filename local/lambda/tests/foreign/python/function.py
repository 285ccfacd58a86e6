"""A buffered function behind a function URL, after AWS's documentation of the URL's response payloads."""

import base64
import json
import os

invocations = 0


def structured(event):
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "X-Model": "small"},
        "cookies": ["session=1; HttpOnly", "theme=dark"],
        "body": json.dumps({"method": event["requestContext"]["http"]["method"], "cookies": event.get("cookies")}),
        "isBase64Encoded": False,
    }


def binary(event):
    received = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/octet-stream"},
        "body": base64.b64encode(received[::-1]).decode(),
        "isBase64Encoded": True,
    }


def instance(_event):
    return {"process": os.getpid(), "invocation": invocations, "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]}


def fail(_event):
    raise ValueError("there is no model")


def exit_(_event):
    os._exit(1)


ROUTES = {
    "/structured": structured,
    "/binary": binary,
    "/instance": instance,
    "/string": lambda event: "just text",
    "/nothing": lambda event: None,
    "/too-large": lambda event: "x" * (7 * 1024 * 1024),
    "/fail": fail,
    "/exit": exit_,
}


def handler(event, context):
    global invocations
    invocations += 1
    return ROUTES[event["rawPath"]](event)
