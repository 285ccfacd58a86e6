"""Parameters as they stand on the command line, and what a deployment is known by."""

import hashlib
import secrets
import shlex


class Refused(Exception):
    """Why nothing is deployed, and what to do about it."""


def parse(text):
    """`Access=iam Timeout=30` as a dictionary. A value may be empty, or quoted as in a shell."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Refused(f"PARAMS: {error} in {text!r}") from None
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Refused(f"PARAMS: {word!r} is not Name=value")
        if name in given:
            raise Refused(f"PARAMS: {name} is there twice")
        given[name] = value
    return given


def revision(values, *contents, before=""):
    """What a new version is published for: 48 digits that follow the parameters and these contents, and 16 drawn ones.

    `before`, the stack's, stays where the first 48 are the same. Without the drawn ones a deployment that was rolled
    back could not be tried again: Lambda keeps the version, and publishes nothing that equals the last one."""
    parts = [f"{name}={value}".encode() for name, value in sorted(values.items()) if name != "Revision"]
    digests = [hashlib.sha256(part).digest() for part in [*parts, *contents]]
    digest = hashlib.sha256(b"".join(digests)).hexdigest()[:48]
    return before if before.startswith(digest) else digest + secrets.token_hex(8)
