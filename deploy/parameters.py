"""The template's parameters: what may be given, and what a deployment is known by."""

import hashlib
import re
import shlex

import yaml


class Refused(Exception):
    """Why nothing is deployed, and what to do about it."""


def declared(template):
    """The parameters that a template declares, by name."""
    return yaml.load(template, _IgnoringIntrinsics)["Parameters"]


def parse(text):
    """`Access=iam Timeout=30` as a dictionary. A value may be empty, or quoted as in a shell."""
    given = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals:
            raise Refused(f"PARAMS: {word!r} is not Name=value")
        given[name] = value
    return given


def check(declared, values):
    """Refuses at once what CloudFormation would refuse after the build, which takes minutes."""
    for name, value in values.items():
        if name not in declared:
            raise Refused(f"PARAMS: there is no parameter {name}; there are {', '.join(declared)}")
        parameter = declared[name]
        pattern, allowed = parameter.get("AllowedPattern", ".*"), parameter.get("AllowedValues")
        is_list = parameter["Type"] == "CommaDelimitedList"
        if not all(re.fullmatch(pattern, one) for one in (value.split(",") if is_list else [value])):
            raise Refused(f"{name} {parameter.get('ConstraintDescription', f'must match {pattern}')}; it is {value!r}")
        if allowed and value not in map(str, allowed):
            raise Refused(f"{name} must be one of {', '.join(repr(str(one)) for one in allowed)}; it is {value!r}")
        if parameter["Type"] == "Number":
            low, high = parameter.get("MinValue", 0), parameter.get("MaxValue", float("inf"))
            if not (value.isdecimal() and low <= int(value) <= high):
                raise Refused(f"{name} must be a number from {low} to {high}; it is {value!r}")


def revision(values, *contents):
    """Changes whenever the parameters or these contents do. A new version of the function is published then."""
    parts = [f"{name}={value}".encode() for name, value in sorted(values.items()) if name != "Revision"]
    digests = [hashlib.sha256(part).digest() for part in [*parts, *contents]]
    return hashlib.sha256(b"".join(digests)).hexdigest()


class _IgnoringIntrinsics(yaml.SafeLoader):
    """Parameters have no intrinsic functions; what the rest of a template has is of no interest here."""


_IgnoringIntrinsics.add_multi_constructor("!", lambda loader, suffix, node: None)
