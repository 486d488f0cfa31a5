"""How tokens of one issuer are read: what is allowed in their header, and what their claims mean here.

There is one profile for the built-in issuer and one per issuer outside. Tier, role and department claims are not read
at all. The shape that Microsoft Entra sends (version 2.0) is what the defaults of an outside issuer fit: ``scp`` is a
string, ``azp`` (or ``appid``) the client, ``uti`` the token id; a token without ``scp`` whose ``oid`` equals its
``sub`` is an application acting for itself, and then ``roles`` are its scopes.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from jose.backends.base import Key

from app.auth.claims import plain, seconds, words
from app.auth.compact import normal_type
from app.auth.issuer import TOKEN_TYPE, BuiltInIssuer
from app.auth.jwks import ALGORITHMS
from app.auth.reasons import Reason, Rejected
from app.auth.subject import ACR_STEP_UP, SECOND_PROOF, is_client_id, user_name_key
from app.config import ExternalIssuer

_BUILT_IN_CLAIMS: Final = frozenset({"nbf", "jti", "client_id", "scope", "epoch"})
_OTHER_CLIENT_CLAIM: Final = "appid"
_APPLICATION_SCOPES: Final = "roles"


class KeySource(Protocol):
    """Where the public keys of an issuer are."""

    async def find(self, kid: str, algorithm: str) -> Key | None:
        """Give the key or ``None``; raise ``Rejected`` when it does not fit ``algorithm``."""
        ...


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a token says that a back end got in exchange for a person's.

    Through which client the person had signed in, the back end's epoch then, and the key under which the person's own token is revoked.
    """

    front_end: str
    client_epoch: int
    revocation_key: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a verified token says of its holder. ``user_name`` is ``None`` for a service account.

    ``scopes`` is ``None`` where the issuer gives none and the person's own apply; ``epoch`` is ``None`` where the
    issuer knows no epochs and ``issued_at`` has to do.
    """

    user_name: str | None
    client_id: str
    scopes: frozenset[str] | None
    jti: str | None
    epoch: int | None
    issued_at: int
    acr: str | None
    auth_time: int | None
    delegation: Delegation | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One issuer."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    types: frozenset[str]
    required: frozenset[str]
    built_in: bool
    registered_only: bool
    keys: KeySource
    claimed: Callable[[Mapping[str, Any]], Claimed]

    def revocation_key(self, jti: str) -> str:
        """Give the key under which one of its tokens is revoked: ids of different issuers may be equal."""
        return jti if self.built_in else foreign_key(self.issuer, jti)


def foreign_key(issuer: str, jti: str) -> str:
    """Give the key under which a token of an issuer outside is revoked."""
    return "x:" + hashlib.sha256(f"{issuer}\n{jti}".encode()).hexdigest()


def _person(name: str) -> str:
    key = user_name_key(name)
    if key is None:
        raise Rejected(Reason.SUBJECT)
    return key


def _optional(claims: Mapping[str, Any], name: str) -> str | None:
    return plain(claims, name) if name in claims else None


def _is_application(claims: Mapping[str, Any]) -> bool:
    """Tell an application's own token from a person's: only there are ``oid`` and ``sub`` the same principal."""
    return _APPLICATION_SCOPES in claims and claims.get("oid") == claims["sub"] and claims.get("idtyp", "app") == "app"


def _read_built_in(claims: Mapping[str, Any]) -> Claimed:
    subject, client_id, epoch = plain(claims, "sub"), plain(claims, "client_id"), claims["epoch"]
    delegation = _delegation(claims, subject, client_id) if "act" in claims else None
    if type(epoch) is not int or not isinstance(claims["scope"], str):
        raise Rejected(Reason.CLAIM_TYPE)
    return Claimed(
        user_name=None if subject == client_id else _person(subject),
        client_id=client_id,
        scopes=words(claims, "scope"),
        jti=plain(claims, "jti"),
        epoch=epoch,
        issued_at=seconds(claims, "iat"),
        acr=_optional(claims, "acr"),
        auth_time=seconds(claims, "auth_time") if "auth_time" in claims else None,
        delegation=delegation,
    )


def _delegation(claims: Mapping[str, Any], subject: str, client_id: str) -> Delegation:
    """Read ``act`` (RFC 8693 section 4.1), which names the client that the token was issued to, and nobody behind it."""
    act = claims["act"]
    if not isinstance(act, dict) or set(act) != {"sub", "epoch"} or type(act["epoch"]) is not int:
        raise Rejected(Reason.CLAIM_TYPE)
    if act["sub"] != client_id or subject == client_id:
        raise Rejected(Reason.DELEGATION)
    return Delegation(plain(claims, "front_end"), act["epoch"], _optional(claims, "subject_jti"))


def built_in(issuer: BuiltInIssuer) -> Profile:
    """Describe our own tokens: ES256, ``at+jwt``, every claim of RFC 9068 and the subject's epoch."""
    return Profile(
        issuer=issuer.issuer,
        audience=issuer.audience,
        algorithms=frozenset({"ES256"}),
        types=frozenset({TOKEN_TYPE}),
        required=_BUILT_IN_CLAIMS,
        built_in=True,
        registered_only=True,
        keys=issuer,
        claimed=_read_built_in,
    )


def _foreign_acr(said: frozenset[str], second_proof: tuple[str, ...] | None) -> str | None:
    """Give one word for how somebody signed in with an issuer outside: ours for a second proof where it says so, else the issuer's own."""
    if second_proof is not None:
        return ACR_STEP_UP if not said.isdisjoint(second_proof) else None
    return min(said, key=lambda word: (word not in SECOND_PROOF, word), default=None)


def external(settings: ExternalIssuer, keys: KeySource) -> Profile:
    """Describe the tokens of an issuer outside; raise ``ValueError`` for an algorithm that cannot be verified here."""
    unsupported = set(settings.algorithms) - ALGORITHMS
    if unsupported:
        message = f"{settings.issuer}: {', '.join(sorted(unsupported))} cannot be verified here"
        raise ValueError(message)

    def read(claims: Mapping[str, Any]) -> Claimed:
        client_claim = settings.client_claim if settings.client_claim in claims else _OTHER_CLIENT_CLAIM
        client = plain(claims, client_claim)
        client_id = settings.binding.get(client, client)
        application = (
            settings.scope_claim is not None and settings.scope_claim not in claims and _is_application(claims)
        )
        if application and not is_client_id(client_id):
            raise Rejected(Reason.CLIENT_UNKNOWN)
        name = None if application else plain(claims, settings.binding_claim)
        scope_claim = _APPLICATION_SCOPES if application else settings.scope_claim
        return Claimed(
            user_name=None if name is None else _person(settings.binding.get(name, name)),
            client_id=client_id,
            scopes=None if scope_claim is None else words(claims, scope_claim),
            jti=None if settings.jti_claim is None else _optional(claims, settings.jti_claim),
            epoch=None,
            issued_at=seconds(claims, "iat"),
            acr=_foreign_acr(words(claims, settings.acr_claim), settings.second_proof),
            auth_time=seconds(claims, settings.auth_time_claim) if settings.auth_time_claim in claims else None,
        )

    return Profile(
        issuer=settings.issuer,
        audience=settings.audience,
        algorithms=frozenset(settings.algorithms),
        types=frozenset(map(normal_type, settings.types)),
        required=frozenset({settings.jti_claim} if settings.jti_claim else ()),
        built_in=False,
        registered_only=settings.registered_only,
        keys=keys,
        claimed=read,
    )
