"""Secrets that are none: words that stand where a secret belongs, and keys that nobody drew at random.

A closed list and a coarse estimate, meant to stop an oversight at start; no judge of passwords that people choose.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from typing import Final

_WORDS: Final = """
admin administrator changeit changeme change default demo dev development duanhao duanhaoowner duanhaoservice dummy example fixme
foobar hunter letmein owner pass passw0rd passwd password placeholder postgres postgresql pwd qwerty replace replaceme root sample
secret secretkey service test tester testing todo welcome xxx yourpassword yourpasswordhere yoursecret yoursecrethere 123456
"""
PLACEHOLDERS: Final = frozenset(_WORDS.split())
"""Words that stand where a secret belongs; compared without case, punctuation and trailing digits."""

_TEMPLATE: Final = re.compile(r"^(<.*>|\$\{.*\}|\{\{.*\}\}|%.*%|\*+|x+|\.+)$", re.IGNORECASE)
_LEAST_LENGTH: Final = 12
_LEAST_BITS: Final = 40.0
_LEAST_ROOT_BYTES: Final = 20
_REGULAR: Final = 0.7


def is_placeholder(secret: str) -> bool:
    """Tell whether a text stands where a secret belongs, or could be guessed: a known word, a template, too short, too regular."""
    plain = re.sub(r"[^a-z0-9]", "", secret.lower())
    if plain in PLACEHOLDERS or plain.rstrip("0123456789") in PLACEHOLDERS or _TEMPLATE.match(secret):
        return True
    steps = [after - before for before, after in pairwise(secret.encode())]
    return len(secret) < _LEAST_LENGTH or _bits(secret) < _LEAST_BITS or _is_regular(steps)


def is_guessable_key(key: bytes) -> bool:
    """Tell whether 32 bytes are no random key: few different ones, a regular row, or a text; a random key is none once in 10^12."""
    steps = [(after - before) % 256 for before, after in pairwise(key)]
    return len(set(key)) < _LEAST_ROOT_BYTES or _is_regular(steps) or all(0x20 <= each < 0x7F for each in key)  # noqa: PLR2004 — ASCII


def _bits(text: str) -> float:
    """Estimate what a text carries when its characters are drawn as often as they occur in it."""
    shares = [text.count(each) / len(text) for each in set(text)]
    return -sum(share * log2(share) for share in shares) * len(text)


def _is_regular(steps: Sequence[int]) -> bool:
    return bool(steps) and max(steps.count(each) for each in set(steps)) >= _REGULAR * len(steps)
