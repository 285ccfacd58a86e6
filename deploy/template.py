"""The template, as far as a deployment has to know it: its parameters, and the rules of what goes together.

CloudFormation refuses the same, but after the build, which takes minutes."""

import re

import yaml
from parameters import Refused


class Template:
    def __init__(self, text):
        parsed = yaml.load(text, _Loader)
        self._parameters, self._rules = parsed["Parameters"], parsed["Rules"]

    def __contains__(self, name):
        return name in self._parameters

    def effective(self, values):
        """Every parameter that has a value, be it the default one, as CloudFormation tells it: as text."""
        defaults = {name: parameter["Default"] for name, parameter in self._parameters.items() if "Default" in parameter}
        return {name: str(value) for name, value in (defaults | values).items()}

    def checked(self, given):
        """The values, each one that its parameter takes. Numbers lose their leading zeros."""
        return {name: self._checked(name, value) for name, value in given.items()}

    def _checked(self, name, value):
        if name not in self._parameters:
            raise Refused(f"PARAMS: there is no parameter {name}; there are {', '.join(self._parameters)}")
        parameter = self._parameters[name]
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
            return str(int(value))
        return value

    def check_rules(self, values):
        """Refuses values of all parameters that do not go together."""
        for rule in self._rules.values():
            if not _holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}), values):
                continue
            for assertion in rule["Assertions"]:
                if not _holds(assertion["Assert"], values):
                    raise Refused(f"{assertion['AssertDescription']} (PARAMS='Name=' empties a parameter.)")


def _holds(node, values):
    ((function, operands),) = node.items()
    match function:
        case "Fn::Equals":
            one, other = (values[side["Ref"]] if isinstance(side, dict) else str(side) for side in operands)
            return one == other
        case "Fn::Not":
            return not _holds(operands[0], values)
        case "Fn::And":
            return all(_holds(operand, values) for operand in operands)
        case "Fn::Or":
            return any(_holds(operand, values) for operand in operands)
    raise NotImplementedError(function)


class _Loader(yaml.SafeLoader):
    """Reads `!Equals […]` as `{"Fn::Equals": […]}`."""


def _intrinsic(loader, name, node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    construct = kinds.get(type(node), loader.construct_mapping)
    value = construct(node) if isinstance(node, yaml.ScalarNode) else construct(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic)
