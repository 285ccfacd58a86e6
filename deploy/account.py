"""What is asked of AWS before a deployment. Nothing here changes anything."""

import functools

from botocore.exceptions import BotoCoreError, ClientError
from parameters import Refused
from screen import tell

# CloudFormation can only delete a stack in these.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
# Lambda keeps a part of each account's concurrency unreserved: this part of most accounts, the other of the smallest.
USUALLY_UNRESERVED = 100
LEAST_UNRESERVED = 10


class Account:
    """An AWS account in one region, as the credentials of a boto3 session see it."""

    def __init__(self, session, region):
        self._session = session
        self._region = region

    @functools.cached_property
    def number(self):
        """The account's twelve digits."""
        return self._ask("sts", "get_caller_identity")["Account"]

    def stack(self, name):
        """Parameters and outputs of a stack, or None where there is no such stack."""
        try:
            (stack,) = self._ask("cloudformation", "describe_stacks", StackName=name)["Stacks"]
        except Missing:
            return None
        status = stack["StackStatus"]
        if status == "REVIEW_IN_PROGRESS":
            return None
        if status in DEAD:
            delete = f"target/venv/bin/sam delete --stack-name {name} --region {self._region}"
            raise Refused(f"the stack {name} is {status}: delete it first, with: {delete}")
        if status == "UPDATE_ROLLBACK_FAILED":
            mend = f"aws cloudformation continue-update-rollback --stack-name {name} --region {self._region}"
            raise Refused(f"the stack {name} is {status}: see why in the CloudFormation console, then: {mend}")
        if status.endswith("_IN_PROGRESS"):
            raise Refused(f"the stack {name} is {status}: wait until that is through")
        return {
            "parameters": {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])},
            "outputs": {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        }

    def destinations(self, profile_arn):
        """The models that an inference profile routes to, as the template's parameters."""
        try:
            profile = self._ask("bedrock", "get_inference_profile", inferenceProfileIdentifier=profile_arn)
        except Missing:
            raise Refused(f"there is no inference profile {profile_arn} in {self._region}") from None
        if profile["status"] != "ACTIVE":
            raise Refused(f"the inference profile {profile_arn} is {profile['status']}")
        arns = sorted(model["modelArn"] for model in profile["models"])
        regional = [arn for arn in arns if arn.split(":")[3]]
        anywhere = [arn for arn in arns if not arn.split(":")[3]]
        if not regional or len(anywhere) > 1:
            raise Refused(f"the inference profile {profile_arn} routes to {arns}, which the template has no place for")
        return {"DestinationModelArns": ",".join(regional), "GlobalModelArn": "".join(anywhere)}

    @functools.cached_property
    def _limit(self):
        return self._ask("lambda", "get_account_settings")["AccountLimit"]

    @property
    def concurrency(self):
        """Invocations that all functions of the account may have at once."""
        return self._limit["ConcurrentExecutions"]

    def check_concurrency(self, wanted, had):
        """Refuses what Lambda would refuse to keep for one function, after `had` was given back."""
        if wanted <= had:
            return
        left = self._limit["UnreservedConcurrentExecutions"] + had - wanted
        remedy = (
            f"of this account's {self.concurrency} in {self._region}, {left} would be left for other functions. "
            "Ask AWS for a higher quota of concurrent executions, or give PARAMS='ReservedConcurrency=0 ProvisionedConcurrency=0': "
            "then the account's limit is the ceiling"
        )
        if left < LEAST_UNRESERVED:
            raise Refused(f"a concurrency of {wanted} cannot be reserved: {remedy}")
        if left < USUALLY_UNRESERVED:
            tell(f"warning: Lambda may refuse to reserve a concurrency of {wanted}, but for the smallest accounts: {remedy}.")

    def check_guardrail(self, guardrail, version):
        """Refuses a guardrail that is not there, or for which the role would need more than the template gives it."""
        try:
            found = self._ask("bedrock", "get_guardrail", guardrailIdentifier=guardrail, guardrailVersion=version)
        except Missing:
            raise Refused(f"there is no guardrail {guardrail} of version {version} in {self._region}") from None
        # AWS: "Permissions for using cross-Region inference with Amazon Bedrock Guardrails" and "… guardrail encryption".
        if found.get("crossRegionDetails"):
            raise Refused(f"the guardrail {guardrail} uses cross-Region inference, whose profiles the role does not reach")
        if found.get("kmsKeyArn"):
            raise Refused(f"the guardrail {guardrail} has a KMS key of its own, which the role may not use")

    def _ask(self, service, operation, **arguments):
        try:
            return getattr(self._session.client(service, region_name=self._region), operation)(**arguments)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code == "ResourceNotFoundException" or (code == "ValidationError" and "does not exist" in message):
                raise Missing from None
            raise Refused(f"{service}:{operation} in {self._region}: {code}: {message}") from None
        except BotoCoreError as error:
            raise Refused(f"{service}:{operation} in {self._region}: {error}") from None


class Missing(Exception):
    """AWS knows no such thing."""
