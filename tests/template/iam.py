"""What IAM decides of the stack's policies, by `@cloud-copilot/iam-simulate`."""

import json
import pathlib
import subprocess

from cloudformation import ACCOUNT, ALIAS_ARN, FUNCTION_ARN, STACK

HERE = pathlib.Path(__file__).parent
ALLOWED = "Allowed"
DENIED = ("ImplicitlyDenied", "ExplicitlyDenied")
ANYBODY = {"type": "Anonymous"}
# Resources that AWS's list of actions does not have, or has twice, so that nothing can be checked against it: the model
# in no region of a global profile, and an alias or a version, which look the same.
UNLISTED = ("arn:aws:bedrock:::foundation-model/", f"{FUNCTION_ARN}:")


def decide(simulations):
    """One verdict for each simulation."""
    done = subprocess.run(
        ["node", HERE / "simulate.js"], input=json.dumps(simulations), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for simulation, answer in zip(simulations, answers, strict=True):
        assert "error" not in answer, f"{simulation['request']}: {answer['error']}"
    return [answer["verdict"] for answer in answers]


def of_a_role(stack, role, action, resource, account=ACCOUNT, **context):
    """May one of the stack's roles do this, by its own policies?"""
    properties = stack.of("AWS::IAM::Role")[role]
    assert "ManagedPolicyArns" not in properties
    return {
        "unlisted": resource.startswith(UNLISTED),
        "request": {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{role}",
            "action": action,
            "resource": {"resource": resource, "accountId": account},
            "contextVariables": {key.replace("__", ":"): value for key, value in context.items()},
        },
        "identityPolicies": [
            {"name": policy["PolicyName"], "policy": policy["PolicyDocument"]} for policy in properties["Policies"]
        ],
    }


def of_a_caller(stack, principal, action, context, resource=ALIAS_ARN):
    """May this principal, who has no policies of its own, do this to the function, by the function's policy?"""
    return {
        "request": {
            "principal": principal,
            "action": action,
            "resource": {"resource": resource, "accountId": ACCOUNT},
            "contextVariables": context,
        },
        "resourcePolicy": {
            "Version": "2012-10-17",
            "Statement": [
                _statement(name, permission) for name, permission in stack.of("AWS::Lambda::Permission").items()
            ],
        },
    }


def _statement(name, permission):
    """A permission as Lambda writes it into the function's policy (AddPermission, in Lambda's API reference)."""
    conditions = {
        "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
        "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
        "SourceArn": ("ArnLike", "aws:SourceArn"),
    }
    principal = permission["Principal"]
    statement = {
        "Sid": name,
        "Effect": "Allow",
        "Principal": principal
        if principal == "*"
        else {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Action": permission["Action"],
        "Resource": permission["FunctionName"],
    }
    for key, value in permission.items():
        if key in conditions:
            operator, context_key = conditions[key]
            value = str(value).lower() if isinstance(value, bool) else value
            statement.setdefault("Condition", {}).setdefault(operator, {})[context_key] = value
        else:
            assert key in ("Action", "FunctionName", "Principal"), key
    return statement
