"""Signing keys: Ed25519 for the access log, EC P-256 (ES256) for tokens; private parts wrapped under KEK ``sign``.

A key is named by its RFC 7638 thumbprint, so its name follows from the key. It goes from ``next`` (published, so that
others have it cached before the first signature) to ``current`` (signs), ``previous`` (published) and ``retired``.
Public keys of the log are never forgotten: an old checkpoint must verify for ever.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, NoReturn, Protocol, SupportsIndex

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.envelope import prefixed
from app.crypto.errors import KeyUnavailable
from app.crypto.models import KeyState, SigningKeyRow, SigningUse

ALGORITHMS: Final[Mapping[SigningUse, str]] = {"log": "EdDSA", "token": "ES256"}

_COORDINATE: Final = 32


class SigningVault(Protocol):
    """Wraps and unwraps private signing keys: the keyring."""

    def wrap_signing(self, private: bytes, context: bytes) -> tuple[int, bytes]:
        """Wrap, bound to ``context``; gives the KEK's version and the wrapped bytes."""
        ...

    def unwrap_signing(self, wrapped: bytes, context: bytes, kek_version: int) -> bytes:
        """Unwrap."""
        ...


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """A public key of the access log, whatever its state, with the time it was made."""

    kid: str
    state: KeyState
    created_at: datetime
    public: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class SigningState:
    """A signing key as an operator sees it: what it signs, its state, its name, and since when it is in that state."""

    use: SigningUse
    state: KeyState
    kid: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """What the token issuer signs with, and what it publishes.

    ``private_pem`` is PKCS#8 PEM of the current key; ``public`` are the JWKs of every key that is not retired, the
    current one first.
    """

    kid: str
    algorithm: str
    public: tuple[Mapping[str, str], ...]
    private_pem: str = field(repr=False)

    @property
    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Give the JWK Set document (RFC 7517 section 5)."""
        return {"keys": [dict(key) for key in self.public]}

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled with the private key."""
        message = "token keys are neither copied nor pickled"
        raise TypeError(message)


def new_signing_key(vault: SigningVault, use: SigningUse, *, state: KeyState, at: datetime) -> SigningKeyRow:
    """Generate a key pair for ``use``, as a row that is not in a session yet."""
    private: Ed25519PrivateKey | EllipticCurvePrivateKey = (
        Ed25519PrivateKey.generate() if use == "log" else generate_ec(SECP256R1())
    )
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secret = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    kid = thumbprint(public)
    version, wrapped = vault.wrap_signing(secret, signing_context(kid, use, ALGORITHMS[use], public))
    return SigningKeyRow(
        kid=kid,
        use=use,
        algorithm=ALGORITHMS[use],
        public=public,
        wrapped=wrapped,
        kek_version=version,
        created_at=at,
        state=state,
    )


async def load_log_signer(session: AsyncSession, vault: SigningVault) -> Ed25519PrivateKey:
    """Load the key that signs the access log now; raises ``KeyUnavailable`` when none does or it does not unwrap."""
    private = unwrap_private(vault, await _current(session, "log"))
    if not isinstance(private, Ed25519PrivateKey):
        reason = "the log's signing key is not an Ed25519 key"
        raise KeyUnavailable(reason)
    return private


async def load_log_verifiers(session: AsyncSession) -> tuple[LogVerifier, ...]:
    """Load every public key that ever signed the log or will, oldest first; verifying needs no keyring."""
    rows = await session.scalars(
        select(SigningKeyRow).where(SigningKeyRow.use == "log").order_by(SigningKeyRow.created_at, SigningKeyRow.kid)
    )
    verifiers = []
    for row in rows:
        public = load_der_public_key(row.public)
        if not isinstance(public, Ed25519PublicKey):
            reason = f"the log's public key {row.kid} is not an Ed25519 key"
            raise KeyUnavailable(reason)
        verifiers.append(LogVerifier(kid=row.kid, state=row.state, created_at=row.created_at, public=public))
    return tuple(verifiers)


async def load_token_keys(session: AsyncSession, vault: SigningVault) -> TokenKeys:
    """Load the issuer's current private key and all public ones not retired; raises as ``load_log_signer`` does."""
    current = await _current(session, "token")
    rows = await session.scalars(
        select(SigningKeyRow)
        .where(SigningKeyRow.use == "token", SigningKeyRow.state != "retired", SigningKeyRow.kid != current.kid)
        .order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.kid)
    )
    private = unwrap_private(vault, current)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return TokenKeys(
        kid=current.kid,
        algorithm=current.algorithm,
        private_pem=pem.decode(),
        public=tuple(public_jwk(row) for row in (current, *rows)),
    )


async def signing_states(session: AsyncSession) -> tuple[SigningState, ...]:
    """List the keys that are not retired: those of the log before those of tokens, and of each use the current one first."""
    rows = await session.scalars(select(SigningKeyRow).where(SigningKeyRow.state != "retired"))
    order = ("current", "next", "previous", "retired")
    found = [SigningState(row.use, row.state, row.kid, row.since or row.created_at) for row in rows]
    return tuple(sorted(found, key=lambda each: (each.use, order.index(each.state), each.since)))


def unwrap_private(vault: SigningVault, row: SigningKeyRow) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
    """Unwrap a row's private key, bound to the row's name, use and public half; raises ``KeyUnavailable``."""
    context = signing_context(row.kid, row.use, row.algorithm, row.public)
    private = load_der_private_key(vault.unwrap_signing(row.wrapped, context, row.kek_version), password=None)
    if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey):
        reason = f"the signing key {row.kid} is of a kind that this version does not know"
        raise KeyUnavailable(reason)
    return private


def signing_context(kid: str, use: str, algorithm: str, public: bytes) -> bytes:
    """Serialise what a wrapped signing key is bound to: its own row."""
    return b"".join(prefixed(part) for part in (kid.encode(), use.encode(), algorithm.encode(), public))


def public_jwk(row: SigningKeyRow) -> dict[str, str]:
    """Write a row's public key as a JWK for signatures (RFC 7517, RFC 8037)."""
    return {**_members(row.public), "kid": row.kid, "alg": row.algorithm, "use": "sig"}


def thumbprint(public: bytes) -> str:
    """Name a public key (DER SubjectPublicKeyInfo) by its RFC 7638 thumbprint: 43 characters, base64url."""
    return _base64url(sha256(orjson.dumps(_members(public), option=orjson.OPT_SORT_KEYS)).digest())


def _members(public: bytes) -> dict[str, str]:
    """Give the JWK members that make up a public key, and no others."""
    key = load_der_public_key(public)
    match key:
        case Ed25519PublicKey():
            return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes_raw())}
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            numbers = key.public_numbers()
            x, y = (number.to_bytes(_COORDINATE, "big") for number in (numbers.x, numbers.y))
            return {"crv": "P-256", "kty": "EC", "x": _base64url(x), "y": _base64url(y)}
        case _:
            reason = "a public signing key is of a kind that this version does not know"
            raise KeyUnavailable(reason)


def _base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def _current(session: AsyncSession, use: SigningUse) -> SigningKeyRow:
    """Load the one row that signs now."""
    row = await session.scalar(select(SigningKeyRow).where(SigningKeyRow.use == use, SigningKeyRow.state == "current"))
    if row is None:
        reason = f"there is no current signing key for {use}; the keys were never made"
        raise KeyUnavailable(reason)
    return row
