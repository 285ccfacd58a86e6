"""Who can call the function: under each access those who should, by both of the permissions that a function URL asks
for, and nobody past the URL."""

import pytest
from cloudformation import ACCOUNT, DISTRIBUTION, FUNCTION_ARN, Stack
from deployments import ACCESSES, CALLER, DEPLOYMENTS
from iam import ALLOWED, ANYBODY, DENIED, decide, of_a_caller

OTHER_CALLER = f"arn:aws:iam::{ACCOUNT}:role/other"
STRANGER = "arn:aws:iam::999999999999:role/stranger"
CLOUDFRONT = "cloudfront.amazonaws.com"
OURS = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{DISTRIBUTION}"}
ANOTHER = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2OTHEREXAMPLE"}
ANOTHER_ACCOUNTS = {"aws:SourceArn": f"arn:aws:cloudfront::999999999999:distribution/{DISTRIBUTION}"}
VIEWERS = [
    (CLOUDFRONT, OURS),
    (CLOUDFRONT, ANOTHER),
    (CLOUDFRONT, ANOTHER_ACCOUNTS),
    ("s3.amazonaws.com", OURS),
    (CALLER, {}),
    (OTHER_CALLER, {}),
    (STRANGER, {}),
    (ANYBODY, {}),
]
LET_IN = {
    "cloudfront": [(CLOUDFRONT, OURS)],
    "cloudfront-own-domain": [(CLOUDFRONT, OURS)],
    "iam": [(CALLER, {})],
    "iam-nobody-named": [],
    # A stranger who signs needs leave from an account of its own as well; nobody needs to sign.
    "public": [viewer for viewer in VIEWERS if viewer[0] != STRANGER],
}


def by_url(stack, principal, context):
    """The two checks of a request to the function URL, which must both pass."""
    url = next(iter(stack.of("AWS::Lambda::Url").values()))
    return [
        of_a_caller(
            stack, principal, "lambda:InvokeFunctionUrl", context | {"lambda:FunctionUrlAuthType": url["AuthType"]}
        ),
        of_a_caller(stack, principal, "lambda:InvokeFunction", context | {"lambda:InvokedViaFunctionUrl": "true"}),
    ]


@pytest.mark.parametrize("deployment", LET_IN)
@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: "/".join(map(str, [viewer[0], *viewer[1].values()])))
def test_the_url_lets_in_whom_it_should(deployment, viewer):
    verdicts = decide(by_url(Stack(**DEPLOYMENTS[deployment]), *viewer))
    if viewer in LET_IN[deployment]:
        assert verdicts == [ALLOWED, ALLOWED]
    else:
        assert all(verdict in DENIED for verdict in verdicts), verdicts


@pytest.mark.parametrize("access", ACCESSES)
def test_nobody_invokes_the_function_past_its_url(access):
    stack = Stack(**ACCESSES[access])
    direct = {"lambda:InvokedViaFunctionUrl": "false"}
    asked = [of_a_caller(stack, who, "lambda:InvokeFunction", context | direct) for who, context in VIEWERS]
    asked += [of_a_caller(stack, who, "lambda:InvokeFunction", context) for who, context in VIEWERS]
    assert all(verdict in DENIED for verdict in decide(asked))


@pytest.mark.parametrize("access", ACCESSES)
def test_only_the_alias_can_be_called(access):
    """Not the unpublished code, nor a version that was replaced."""
    stack = Stack(**ACCESSES[access])
    context = {"lambda:InvokedViaFunctionUrl": "true"}
    asked = [
        of_a_caller(stack, who, "lambda:InvokeFunction", source | context, resource)
        for who, source in VIEWERS
        for resource in (FUNCTION_ARN, f"{FUNCTION_ARN}:7")
    ]
    assert all(verdict in DENIED for verdict in decide(asked))
