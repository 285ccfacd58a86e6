"""Draws an API key: `make api-key`, or `make api-key ID=alice`.

The key goes to whoever may call, the digest into the parameter ApiKeys. The key itself is kept nowhere."""

import hashlib
import re
import secrets
import sys


def draw(name=None):
    """A key of 256 random bits, and what ApiKeys has of it: `id:digest`. Without a name the digest gives the id."""
    key = secrets.token_urlsafe(32)
    return key, f"{name or 'key-' + digest(key)[:8]}:{digest(key)}"


def digest(key):
    """What is kept of a key: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else None
    if given and not re.fullmatch(r"[A-Za-z0-9_-]+", given):
        sys.exit(f"{given!r} is no id of a key: letters, digits, - and _ only")
    key, entry = draw(given)
    print(f"key     {key}\ndigest  {entry}")
