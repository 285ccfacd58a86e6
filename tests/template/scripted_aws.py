"""An AWS that answers as it was told to, by botocore's Stubber: what it is asked must be what was expected, in its order."""

import boto3
from botocore.stub import Stubber
from deployments import ACCOUNT


class Aws:
    """A session whose services answer as scripted, each answer once and for the right question."""

    region_name = None

    def __init__(self):
        self._clients = {}
        self._stubs = {}
        self.answer("sts", "get_caller_identity", {"Account": ACCOUNT}, {})

    def client(self, service, region_name):
        assert region_name == "us-east-1"
        if service not in self._clients:
            client = boto3.client(service, region_name, aws_access_key_id="x", aws_secret_access_key="x")
            self._clients[service], self._stubs[service] = client, Stubber(client)
            self._stubs[service].activate()
        return self._clients[service]

    def answer(self, service, operation, response, expected):
        self.client(service, "us-east-1")
        self._stubs[service].add_response(operation, response, expected)

    def fail(self, service, operation, code, message="no"):
        self.client(service, "us-east-1")
        self._stubs[service].add_client_error(operation, code, message)

    def no_stack(self):
        self.fail("cloudformation", "describe_stacks", "ValidationError", "Stack with id bro-buddy does not exist")

    def stack(self, status="UPDATE_COMPLETE", name="bro-buddy", **parameters):
        stack = {
            "StackName": name,
            "CreationTime": 0,
            "StackStatus": status,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Outputs": [{"OutputKey": "Url", "OutputValue": "https://d1.cloudfront.net/"}],
        }
        self.answer("cloudformation", "describe_stacks", {"Stacks": [stack]}, {"StackName": name})

    def profile(self, profile, status="ACTIVE"):
        models = [*profile["DestinationModelArns"].split(","), *filter(None, [profile.get("GlobalModelArn")])]
        arn = profile["InferenceProfileArn"]
        response = {
            "inferenceProfileName": "a profile",
            "inferenceProfileArn": arn,
            "inferenceProfileId": arn.split("/")[1],
            "models": [{"modelArn": model} for model in models],
            "status": status,
            "type": "SYSTEM_DEFINED",
        }
        self.answer("bedrock", "get_inference_profile", response, {"inferenceProfileIdentifier": arn})

    def guardrail(self, guardrail, found=()):
        """A guardrail with what is found of it beyond the usual, or None where there is none."""
        if found is None:
            return self.fail("bedrock", "get_guardrail", "ResourceNotFoundException")
        if "crossRegionDetails" in found:
            arn = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail-profile/us.guardrail.v1:0"
            found = {"crossRegionDetails": {**found["crossRegionDetails"], "guardrailProfileArn": arn}}
        response = {
            "name": "a guardrail",
            "guardrailId": guardrail["GuardrailId"],
            "guardrailArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/{guardrail['GuardrailId']}",
            "version": guardrail["GuardrailVersion"],
            "status": "READY",
            "createdAt": 0,
            "updatedAt": 0,
            "blockedInputMessaging": "No.",
            "blockedOutputsMessaging": "No.",
            **dict(found),
        }
        expected = {"guardrailIdentifier": guardrail["GuardrailId"], "guardrailVersion": guardrail["GuardrailVersion"]}
        self.answer("bedrock", "get_guardrail", response, expected)

    def concurrency(self, unreserved, limit=1000):
        limit = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
        self.answer("lambda", "get_account_settings", {"AccountLimit": limit}, {})

    def all_asked(self):
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()
