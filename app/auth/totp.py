"""One-time codes from a shared secret and the time: RFC 6238 with SHA-1, six digits and steps of thirty seconds. Pure.

SHA-1, six digits and thirty seconds are what every authenticator app takes; HMAC-SHA-1 is not hurt by what broke the hash. A code of the
step before or after is taken too, for clocks that differ, and none of a step that was used already: whoever saw a code being typed cannot
use it again.
"""

import hmac
import re
from base64 import b32encode
from typing import Final
from urllib.parse import quote, urlencode

SECRET_BYTES: Final = 20
"""As many as the hash has (RFC 4226 section 4, R6)."""
STEP_SECONDS: Final = 30
_DIGITS: Final = 6
_LEEWAY: Final = 1
_CODE: Final = re.compile(r"[0-9]{6}")


def step_of(seconds: float) -> int:
    """Give the time step of ``seconds`` since 1970."""
    return int(seconds // STEP_SECONDS)


def code_at(secret: bytes, step: int) -> str:
    """Give the code of one step (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def matching_step(secret: bytes, typed: str, *, now: float) -> int | None:
    """Give the step whose code was typed, the newest where two share it, or ``None``; spaces are forgiven.

    Every step is compared, so the time taken does not tell which one it was.
    """
    code = re.sub(r"[ \u00a0-]", "", typed)
    if _CODE.fullmatch(code) is None:
        return None
    found = None
    for step in range(step_of(now) - _LEEWAY, step_of(now) + _LEEWAY + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def written_secret(secret: bytes) -> str:
    """Write the secret as apps take it by hand: base32 without padding."""
    return b32encode(secret).decode().rstrip("=")


def enrolment_uri(secret: bytes, *, issuer: str, user_name: str) -> str:
    """Write the address that an authenticator app reads from a QR code."""
    label = f"{quote(issuer, safe='')}:{quote(user_name, safe='')}"
    members = {
        "secret": written_secret(secret),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": _DIGITS,
        "period": STEP_SECONDS,
    }
    return f"otpauth://totp/{label}?{urlencode(members, quote_via=quote)}"
