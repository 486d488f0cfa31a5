"""The compact form of a token, read strictly: what has to hold before anybody looks at a signature.

RFC 7515 leaves a reader much freedom (unknown header members, padded base64, duplicate names). Every freedom has been
an attack once, so this reader has none: three parts, canonical base64url, two JSON objects without duplicate names, a
header of known members. The key is never taken from the token: ``jku``, ``x5u``, ``jwk``, ``x5c`` and ``crit`` end
it.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from app.auth.reasons import Reason, Rejected

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+")
_KID: Final = re.compile(r"[A-Za-z0-9._~=-]{1,128}")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY_MEMBERS: Final = frozenset({"jku", "jwk", "x5c", "x5u"})
_PLAIN_MEMBERS: Final = frozenset({"alg", "kid", "typ"})
_THUMBPRINT_MEMBERS: Final = frozenset({"x5t", "x5t#S256"})
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Compact:
    """A well-formed token whose signature nobody has checked: nothing in it may be believed."""

    algorithm: str
    kid: str
    type: str
    claims: Mapping[str, Any]


def decode_segment(text: str) -> bytes:
    """Decode base64url without padding, in its one canonical spelling; raise ``ValueError`` for any other."""
    if _ALPHABET.fullmatch(text) is None:
        message = "not base64url"
        raise ValueError(message)
    try:
        decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if encode_segment(decoded) != text:
        message = "trailing bits are not zero"
        raise ValueError(message)
    return decoded


def encode_segment(data: bytes) -> str:
    """Encode base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member is given twice"
        raise ValueError(message)
    return members


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def strict_object(data: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8 without duplicate members, NaN or Infinity.

    Raise ``ValueError`` for anything else. Nesting too deep for the parser counts as malformed: a few kilobytes of
    brackets are enough to reach its limit.
    """
    try:
        parsed = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error
    if not isinstance(parsed, dict):
        message = "not an object"
        raise ValueError(message)  # noqa: TRY004 — malformed input, one error for all of it
    return parsed


def _check_header(header: Mapping[str, Any]) -> None:
    if "crit" in header:
        raise Rejected(Reason.HEADER_CRITICAL)
    if not _KEY_MEMBERS.isdisjoint(header):
        raise Rejected(Reason.HEADER_KEY)
    for name, value in header.items():
        if name in _THUMBPRINT_MEMBERS:
            if not isinstance(value, str) or _THUMBPRINT.fullmatch(value) is None:
                raise Rejected(Reason.HEADER_MEMBER)
        elif name not in _PLAIN_MEMBERS:
            raise Rejected(Reason.HEADER_MEMBER)
    if not isinstance(header.get("alg"), str):
        raise Rejected(Reason.ALGORITHM)
    if not isinstance(header.get("typ"), str):
        raise Rejected(Reason.TYPE)
    kid = header.get("kid")
    if not isinstance(kid, str) or _KID.fullmatch(kid) is None:
        raise Rejected(Reason.KID)


def normal_type(value: str) -> str:
    """Give a ``typ`` value as RFC 7515 section 4.1.9 compares it: lower case, without ``application/``."""
    return value.lower().removeprefix("application/")


def _object_of(segment: bytes, reason: Reason) -> dict[str, Any]:
    try:
        return strict_object(segment)
    except ValueError as error:
        raise Rejected(reason) from error


def read(token: str, *, max_bytes: int) -> Compact:
    """Read a token of at most ``max_bytes`` characters.

    Raise ``Rejected`` at the first thing that is not as it should be.
    """
    if len(token) > max_bytes:
        raise Rejected(Reason.OVERSIZE)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise Rejected(Reason.SEGMENTS)
    try:
        head, payload, _signature = map(decode_segment, parts)
    except ValueError as error:
        raise Rejected(Reason.BASE64) from error
    header = _object_of(head, Reason.HEADER_JSON)
    _check_header(header)
    claims = _object_of(payload, Reason.PAYLOAD_JSON)
    return Compact(algorithm=header["alg"], kid=header["kid"], type=normal_type(header["typ"]), claims=claims)
