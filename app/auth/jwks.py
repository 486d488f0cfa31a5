"""JSON Web Keys, read strictly (RFC 7517, RFC 7518 section 6).

A key is prepared once, for the algorithms that fit its type and nothing else: an EC curve names its one algorithm, an
RSA key those with RSASSA-PKCS1-v1_5. So a token cannot pick an algorithm for a key that was not made for it. A key of
a set that is malformed, private, too weak or for another use is left out, and the others still serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
)
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicNumbers as EcNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyECKey, CryptographyRSAKey

from app.auth.compact import decode_segment
from app.auth.reasons import Reason, Rejected

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512")
EC_ALGORITHMS: Final = ("ES256", "ES384", "ES512")
ALGORITHMS: Final = frozenset((*RSA_ALGORITHMS, *EC_ALGORITHMS))
"""What ``jose`` verifies for us; it has neither RSASSA-PSS nor EdDSA."""

MAX_KEYS: Final = 64
"""Most keys read from one set."""

_CURVES: Final[Mapping[str, tuple[type[EllipticCurve], str, int]]] = {
    "P-256": (SECP256R1, "ES256", 32),
    "P-384": (SECP384R1, "ES384", 48),
    "P-521": (SECP521R1, "ES512", 66),
}
_PRIVATE_MEMBERS: Final = frozenset({"d", "dp", "dq", "k", "oth", "p", "q", "qi"})
_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192
_MIN_EXPONENT: Final = 65_537
_MAX_EXPONENT: Final = 2**32


class MalformedKeyError(ValueError):
    """A JWK that this service does not verify with; the message says why and quotes nothing."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Public keys by id and algorithm."""

    keys: Mapping[tuple[str, str], Key]
    ids: frozenset[str]

    def get(self, kid: str, algorithm: str) -> Key | None:
        """Give the key ``kid`` prepared for ``algorithm``, ``None`` when no such key is here.

        Raise ``Rejected`` when it does not fit.
        """
        key = self.keys.get((kid, algorithm))
        if key is None and kid in self.ids:
            raise Rejected(Reason.KEY_MISMATCH)
        return key


EMPTY: Final = KeySet({}, frozenset())


def _text(jwk: Mapping[str, Any], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str) or not value:
        message = f"{name} is not a string"
        raise MalformedKeyError(message)
    return value


def _number(jwk: Mapping[str, Any], name: str, size: int | None = None) -> int:
    try:
        octets = decode_segment(_text(jwk, name))
    except MalformedKeyError:
        raise
    except ValueError as error:
        message = f"{name} is not base64url"
        raise MalformedKeyError(message) from error
    if size is not None and len(octets) != size:
        message = f"{name} has the wrong length"
        raise MalformedKeyError(message)
    return int.from_bytes(octets, "big")


def _elliptic(jwk: Mapping[str, Any]) -> dict[str, Key]:
    curve = _CURVES.get(_text(jwk, "crv"))
    if curve is None:
        message = "unknown curve"
        raise MalformedKeyError(message)
    kind, algorithm, size = curve
    try:
        public = EcNumbers(_number(jwk, "x", size), _number(jwk, "y", size), kind()).public_key()
    except MalformedKeyError:
        raise
    except ValueError as error:
        message = "the point is not on the curve"
        raise MalformedKeyError(message) from error
    return {algorithm: CryptographyECKey(public, algorithm)}


def _rsa(jwk: Mapping[str, Any]) -> dict[str, Key]:
    modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or modulus % 2 == 0:
        message = "the modulus is too short, too long or even"
        raise MalformedKeyError(message)
    if not _MIN_EXPONENT <= exponent <= _MAX_EXPONENT or exponent % 2 == 0:
        message = "the exponent is not one in use"
        raise MalformedKeyError(message)
    try:
        public = RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        message = "the numbers are no RSA key"
        raise MalformedKeyError(message) from error
    return {algorithm: CryptographyRSAKey(public, algorithm) for algorithm in RSA_ALGORITHMS}


def parse_key(jwk: object) -> tuple[str, dict[str, Key]]:
    """Read one public signature key: its ``kid`` and, per algorithm that fits, the prepared key.

    Raise ``MalformedKeyError``.
    """
    if not isinstance(jwk, dict):
        message = "a key is an object"
        raise MalformedKeyError(message)
    kid, kind = _text(jwk, "kid"), _text(jwk, "kty")
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        message = "a published key holds no private member"
        raise MalformedKeyError(message)
    if jwk.get("use", "sig") != "sig":
        message = "the key is not for signatures"
        raise MalformedKeyError(message)
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        message = "the key is not for verifying"
        raise MalformedKeyError(message)
    match kind:
        case "EC":
            keys = _elliptic(jwk)
        case "RSA":
            keys = _rsa(jwk)
        case _:
            message = "unknown key type"
            raise MalformedKeyError(message)
    declared = jwk.get("alg")
    if declared is not None:
        keys = {algorithm: key for algorithm, key in keys.items() if algorithm == declared}
        if not keys:
            message = "alg does not fit the key type"
            raise MalformedKeyError(message)
    return kid, keys


def parse_set(document: Mapping[str, Any]) -> tuple[KeySet, list[str]]:
    """Read a key set: the keys that can be used, and for each of the others why not.

    Raises ``MalformedKeyError`` when it is no set.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        message = "keys is not a list of reasonable length"
        raise MalformedKeyError(message)
    keys: dict[tuple[str, str], Key] = {}
    left_out = []
    for jwk in listed:
        try:
            kid, prepared = parse_key(jwk)
        except MalformedKeyError as error:
            left_out.append(str(error))
            continue
        for algorithm, key in prepared.items():
            keys.setdefault((kid, algorithm), key)
    return KeySet(keys, frozenset(kid for kid, _ in keys)), left_out
