"""Signatures of what comes in, as Standard Webhooks has them. Pure: headers, body and secrets in, a verdict out.

The package ``standardwebhooks`` works out what a signature must be. It does not judge: its ``verify`` reads the machine's own clock, takes
a time of any spelling and signs another than was sent, ends at the first signature that fits, and raises whatever decoding raises at one
that is malformed (ADR 0056). So headers are read here strictly, the time is compared with the clock that the
whole service goes by, and every signature is compared with that of every secret, each in constant time and none left out.
"""

import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from app.hr.source_errors import SignatureRefused

TOLERANCE: Final = timedelta(minutes=5)
"""How far the time of an attempt may be from ours, either way (reference/directory-numbers.md, HR event intake, rule 1)."""
ID, TIMESTAMP, SIGNATURE = b"webhook-id", b"webhook-timestamp", b"webhook-signature"
HEADERS: Final = (ID, TIMESTAMP, SIGNATURE)

_TOKEN: Final = b"authorization"
_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}")
_TIME: Final = re.compile(rb"[1-9][0-9]{0,10}")
_VERSION: Final = b"v1,"
_MOST: Final = 8
"""Most signatures of one request; two secrets in force take two."""
_LONGEST: Final = 1024
_DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the headers of one request say: the message, when it was sent this time, and what it was signed with."""

    id: str
    at: datetime
    signatures: tuple[bytes, ...]


def is_signed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request has any of the three headers (raw headers, names in lower case)."""
    return any(name in HEADERS for name, _ in headers)


def read(headers: Iterable[tuple[bytes, bytes]], now: datetime) -> Attempt:
    """Read the three headers; raise ``SignatureRefused`` unless each is there once, is well formed, and the time is near ``now``.

    A token beside them is refused too: which of the two decides would be anybody's guess.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == _TOKEN:
            raise SignatureRefused("with_token")
        if name in found:
            raise SignatureRefused("repeated")
        if name in HEADERS:
            found[name] = value
    if len(found) < len(HEADERS):
        raise SignatureRefused("incomplete")
    if not _ID.fullmatch(found[ID]) or not _TIME.fullmatch(found[TIMESTAMP]):
        raise SignatureRefused("malformed")
    at = datetime.fromtimestamp(int(found[TIMESTAMP]), UTC)
    if abs(now - at) > TOLERANCE:
        raise SignatureRefused("time")
    return Attempt(found[ID].decode("ascii"), at, _signatures(found[SIGNATURE]))


def matches(attempt: Attempt, body: bytes, secrets: Iterable[str]) -> bool:
    """Tell whether one of the signatures is that of one of ``secrets`` over this body, in a time that does not depend on which."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    found = False
    for secret in secrets:
        expected = b64decode(Webhook(secret).sign(attempt.id, attempt.at, text).removeprefix("v1,"))
        for each in attempt.signatures:
            found |= hmac.compare_digest(expected, each)
    return found


def _signatures(value: bytes) -> tuple[bytes, ...]:
    """Decode those of version 1; others are of schemes that this service does not take."""
    given = value.split(b" ")
    if len(value) > _LONGEST or len(given) > _MOST:
        raise SignatureRefused("malformed")
    found = []
    for each in given:
        if not each.startswith(_VERSION):
            continue
        try:
            digest = b64decode(each.removeprefix(_VERSION), validate=True)
        except Base64Error:
            raise SignatureRefused("malformed") from None
        if len(digest) != _DIGEST:
            raise SignatureRefused("malformed")
        found.append(digest)
    if not found:
        raise SignatureRefused("unsigned")
    return tuple(found)
