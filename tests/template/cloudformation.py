"""What CloudFormation would make of template.yaml for some parameters: SAM's own transform, run here, then rules,
conditions and intrinsic functions.

Attributes that only AWS knows are stood for by values of the right shape. An intrinsic function that is not known
here is an error, never a guess."""

import copy
import os
import pathlib
import re

from cfnlint.decode import cfn_yaml

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM's transform takes the partition from it.

from samtranslator.translator.transform import transform  # noqa: E402

TEMPLATE = pathlib.Path(__file__).parents[2] / "template.yaml"
ACCOUNT = "123456789012"
REGION = "us-east-1"
STACK = "bro-buddy"
DISTRIBUTION = "EDFDVBD6EXAMPLE"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-Function"
ALIAS_ARN = f"{FUNCTION_ARN}:live"

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
REFS = {"AWS::Lambda::Alias": ALIAS_ARN, "AWS::CloudFront::Distribution": DISTRIBUTION}
ATTRIBUTES = {
    ("AWS::Lambda::Function", "Arn"): FUNCTION_ARN,
    ("AWS::Lambda::Version", "Version"): "1",
    ("AWS::Lambda::Url", "FunctionUrl"): f"https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.{REGION}.on.aws/",
    ("AWS::Logs::LogGroup", "Arn"): f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}:*",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    ("AWS::CloudWatch::Alarm", "Arn"): f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{name}}",
    ("AWS::CloudFront::Distribution", "DomainName"): "d111111abcdef8.cloudfront.net",
    ("AWS::CloudFront::OriginAccessControl", "Id"): "EOACEXAMPLE",
    ("AWS::CloudFront::Function", "FunctionARN"): f"arn:aws:cloudfront::{ACCOUNT}:function/{{name}}",
}
NOTHING = object()


def source():
    """template.yaml as it is written."""
    return cfn_yaml.load(str(TEMPLATE))


class Refused(Exception):
    """What CloudFormation says of parameters before it creates anything."""


class Stack:
    """The resources and outputs that some parameters give, with nothing left to decide."""

    def __init__(self, **given):
        template = source()
        self.parameters = _parameters(template["Parameters"], given)
        # What `sam build` and `sam deploy` put there.
        template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/code"
        template = transform(template, copy.deepcopy(self.parameters), _NoManagedPolicies(), passthrough_metadata=True)
        self._template = template
        for name, rule in template.get("Rules", {}).items():
            self._check(name, rule)
        self.resources = {}
        for name, resource in template["Resources"].items():
            if self._holds(resource.get("Condition")):
                self.resources[name] = self._resolve({k: v for k, v in resource.items() if k != "Condition"})
        self.outputs = {
            name: self._resolve(output["Value"])
            for name, output in template["Outputs"].items()
            if self._holds(output.get("Condition"))
        }

    def of(self, kind):
        """The properties of each resource of a type, by logical name."""
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def as_template(self):
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": self.resources}

    def _check(self, name, rule):
        if "RuleCondition" in rule and not self._resolve(rule["RuleCondition"]):
            return
        for assertion in rule["Assertions"]:
            if not self._resolve(assertion["Assert"]):
                raise Refused(f"{name}: {assertion['AssertDescription']}")

    def _holds(self, condition):
        return condition is None or self._resolve(self._template["Conditions"][condition])

    def _resolve(self, node):
        if isinstance(node, dict):
            if len(node) == 1:
                (key, value) = next(iter(node.items()))
                if key == "Ref":
                    return self._ref(value)
                if key == "Condition":
                    return self._holds(value)
                if key.startswith("Fn::"):
                    return self._function(key.removeprefix("Fn::"), value)
            resolved = {key: self._resolve(value) for key, value in node.items()}
            return {key: value for key, value in resolved.items() if value is not NOTHING}
        if isinstance(node, list):
            return [value for value in map(self._resolve, node) if value is not NOTHING]
        return node

    def _function(self, name, value):
        match name:
            case "If":
                condition, yes, no = value
                return self._resolve(yes if self._holds(condition) else no)
            case "GetAtt":
                resource, attribute = value.split(".", 1) if isinstance(value, str) else value
                return self._attribute(resource, attribute)
            case "Sub":
                text, variables = (value, {}) if isinstance(value, str) else value
                variables = self._resolve(variables)
                return re.sub(r"\$\{([^}]+)\}", lambda match: str(self._variable(match[1], variables)), text)
        value = self._resolve(value)
        match name:
            case "Equals":
                return str(value[0]) == str(value[1])
            case "And":
                return all(value)
            case "Or":
                return any(value)
            case "Not":
                return not value[0]
            case "Join":
                return value[0].join(value[1])
            case "Split":
                return value[1].split(value[0])
            case "Select":
                return value[1][int(value[0])]
        raise NotImplementedError(f"Fn::{name}")

    def _variable(self, name, variables):
        if name in variables:
            return variables[name]
        return self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)

    def _ref(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.parameters:
            return self.parameters[name]
        if name in PSEUDO:
            return PSEUDO[name]
        return REFS.get(self._existing(name)["Type"], f"{STACK}-{name}")

    def _attribute(self, name, attribute):
        return ATTRIBUTES[(self._existing(name)["Type"], attribute)].format(name=f"{STACK}-{name}")

    def _existing(self, name):
        resource = self._template["Resources"][name]
        assert self._holds(resource.get("Condition")), f"{name} is named by what exists, and does not exist itself"
        return resource


def _parameters(declared, given):
    unknown = given.keys() - declared.keys()
    assert not unknown, f"no such parameters: {unknown}"
    values = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("Default"))
        if value is None:
            raise Refused(f"{name} is missing")
        is_list = parameter["Type"] == "CommaDelimitedList"
        for one in value.split(",") if is_list else [value]:
            if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], one):
                raise Refused(f"{name}: {parameter.get('ConstraintDescription', parameter['AllowedPattern'])}")
            if "AllowedValues" in parameter and one not in parameter["AllowedValues"]:
                raise Refused(f"{name} must be one of {parameter['AllowedValues']}")
            in_range = parameter.get("MinValue", one) <= one <= parameter.get("MaxValue", one)
            if parameter["Type"] == "Number" and not in_range:
                raise Refused(f"{name} is out of its range")
        values[name] = value.split(",") if is_list else value
    return values


class _NoManagedPolicies:
    def load(self):
        return {}
