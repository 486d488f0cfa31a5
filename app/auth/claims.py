"""The claims of a token whose signature holds: their types, their times, whom they are for.

Numbers are integers: RFC 7519 would allow fractions, but no issuer needs them, and booleans, floats and strings that
compare as numbers have all been used to slip past an expiry check. Who the caller is, is read by the issuer's profile
after these checks.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.auth.reasons import Reason, Rejected
from app.auth.subject import is_plain

LAST_SECOND: Final = 253_402_300_799
"""31 December 9999, 23:59:59 UTC; no date of a token lies beyond."""

_MAX_AUDIENCES: Final = 16
_ALWAYS: Final = ("iss", "sub", "aud", "exp", "iat")
_OTHER_TOKENS: Final = ("nonce", "at_hash", "c_hash", "s_hash", "events")
_OTHER_KINDS: Final = frozenset({"id", "refresh", "offline", "logout", "registrationaccesstoken", "initialaccesstoken"})


def seconds(claims: Mapping[str, Any], name: str) -> int:
    """Give a NumericDate as whole seconds since 1970; raise ``Rejected`` when it is anything but such an integer."""
    value = claims[name]
    if type(value) is not int or not 0 <= value <= LAST_SECOND:
        raise Rejected(Reason.CLAIM_TYPE)
    return value


def plain(claims: Mapping[str, Any], name: str) -> str:
    """Give a claim that is a name; raise ``Rejected`` when it is missing or not a short printable string."""
    if name not in claims:
        raise Rejected(Reason.CLAIM_MISSING)
    value = claims[name]
    if not isinstance(value, str) or not is_plain(value):
        raise Rejected(Reason.CLAIM_TYPE)
    return value


def words(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Give a claim that lists words, as one string with single spaces (RFC 8693) or as an array of strings.

    Absent means none.
    """
    listed = claims.get(name, [])
    if isinstance(listed, str):
        listed = listed.split(" ") if listed else []
    if not isinstance(listed, list) or not all(is_plain(word) for word in listed):
        raise Rejected(Reason.CLAIM_TYPE)
    return frozenset(listed)


def _check_audience(value: object, audience: str) -> None:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_AUDIENCES:
        raise Rejected(Reason.CLAIM_TYPE)
    if not all(isinstance(item, str) for item in listed):
        raise Rejected(Reason.CLAIM_TYPE)
    if audience not in listed:
        raise Rejected(Reason.AUDIENCE)


def _check_kind(claims: Mapping[str, Any]) -> None:
    """Refuse an ID, refresh or logout token of an issuer that gives all of its tokens the same header."""
    if any(name in claims for name in _OTHER_TOKENS):
        raise Rejected(Reason.NOT_AN_ACCESS_TOKEN)
    kind = claims.get("typ")
    if isinstance(kind, str) and kind.lower() in _OTHER_KINDS:
        raise Rejected(Reason.NOT_AN_ACCESS_TOKEN)


def check(claims: Mapping[str, Any], *, audience: str, required: frozenset[str], now: float, leeway: int) -> int:
    """Check what every access token must say and give its ``exp``.

    ``required`` names what this issuer promises beyond ``iss sub aud exp iat``; ``now`` is seconds since 1970,
    ``leeway`` the clock difference forgiven in seconds. ``iss`` has been matched already, exactly, when the issuer
    was chosen. Raises ``Rejected``.
    """
    if any(name not in claims for name in _ALWAYS) or not required.issubset(claims):
        raise Rejected(Reason.CLAIM_MISSING)
    plain(claims, "sub")
    expires, issued = seconds(claims, "exp"), seconds(claims, "iat")
    starts = seconds(claims, "nbf") if "nbf" in claims else issued
    _check_kind(claims)
    _check_audience(claims["aud"], audience)
    if expires <= issued or expires <= starts:
        raise Rejected(Reason.LIFETIME)
    if issued > now + leeway:
        raise Rejected(Reason.ISSUED_IN_FUTURE)
    if starts > now + leeway:
        raise Rejected(Reason.NOT_YET_VALID)
    if now >= expires + leeway:
        raise Rejected(Reason.EXPIRED)
    return expires
