"""From the text of a token to a subject, or to one refusal.

Order: the compact form (``compact``), the issuer, algorithm, type and key, the signature (``jose.jws``, and nothing
else of ``jose``), the claims (``claims``), then what the store knows: revocation, epochs, whether account and client
still stand. The payload is parsed before the signature is checked because ``iss`` chooses the keys; nothing of it is
believed before.

A verified token is remembered by the SHA-256 of its text, for five minutes at most and never beyond its end. A
counter in the store, read at most once a second, tells when something was revoked, here or in another process; then
everything is forgotten. If the counter cannot be read, no token is taken.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from jose import jws
from jose.exceptions import JOSEError

from app.auth import claims, compact, epochs
from app.auth.errors import AccountRefused, TokenExpired, TokenRejected
from app.auth.profile import Claimed, Delegation, Profile
from app.auth.reasons import Reason, Rejected
from app.auth.repository import (
    ACCOUNT_NAMED,
    CLIENTS_NAMED,
    REVOCATIONS_NAMED,
    AccountRepository,
    Client,
    ClientRepository,
)
from app.auth.scopes import known, scopes_of_person
from app.auth.subject import Bearer, Person, Service
from app.kit.clock import Clock
from app.kit.db import Reader, Row
from app.kit.joining import Joining
from app.kit.together import Together

REMEMBERED_SECONDS: Final = 300.0
LOOK_EVERY_SECONDS: Final = 1.0

Known = Mapping[str, Sequence[Row]]
_KNOWN: Final = Together(revoked=REVOCATIONS_NAMED, clients=CLIENTS_NAMED, account=ACCOUNT_NAMED)
"""What the store knows of a token, at one moment."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A token that is good now: whose it is, its claims, when it ends in seconds since 1970, and the key under which it is revoked."""

    caller: Bearer
    claims: Mapping[str, Any] = field(repr=False)
    expires_at: int
    revocation_key: str | None


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """Clock difference forgiven, in seconds; longest token read, in bytes; most verified tokens remembered."""

    leeway_seconds: int = 30
    max_bytes: int = 8192
    cache_size: int = 20_000


class TokenVerifier:
    """Verifies access tokens of the issuers that it is given."""

    def __init__(
        self,
        *,
        accounts: AccountRepository,
        clients: ClientRepository,
        reader: Reader,
        clock: Clock,
        limits: TokenLimits,
    ) -> None:
        """Know no issuer yet: ``trust`` adds them, since their key sets report back here (``forget``)."""
        self._profiles: dict[str, Profile] = {}
        self._accounts, self._clients, self._reader, self._clock = accounts, clients, reader, clock
        self._leeway, self._max_bytes, self._cache_size = limits.leeway_seconds, limits.max_bytes, limits.cache_size
        self._remembered: OrderedDict[bytes, tuple[float, Bearer]] = OrderedDict()
        self._verifying, self._looking = Joining[bytes, Bearer](), Joining[None, None]()
        self._forgotten = 0
        self._generation: int | None = None
        self._looked = 0.0

    def trust(self, profiles: Iterable[Profile]) -> None:
        """Take tokens of these issuers; raise ``ValueError`` when two of them have the same ``iss``."""
        for profile in profiles:
            if profile.issuer in self._profiles:
                message = f"{profile.issuer} is configured twice"
                raise ValueError(message)
            self._profiles[profile.issuer] = profile

    def forget(self) -> None:
        """Look at every token again: something was revoked, or keys changed."""
        self._remembered.clear()
        self._verifying.forget()
        self._forgotten += 1
        self._generation = None

    async def prepare(self) -> None:
        """Ask once what is known of nobody's token, for a process that is about to serve. Raises ``Unavailable``."""
        await _KNOWN.rows(self._reader, **dict.fromkeys(("token", "shown", "client", "front_end", "key")))

    async def verify(self, token: str) -> Bearer:
        """Give the subject of an access token.

        Raises ``TokenRejected`` (``TokenExpired`` for a good token that is over), ``IssuerUnavailable`` when the
        issuer's keys have never been read, and ``Unavailable`` when the store does not answer.
        """
        now = self._clock.now().timestamp()
        if self._generation is None or not 0 <= now - self._looked < LOOK_EVERY_SECONDS:
            await self._looking.of(None, lambda: self._look(now))
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and now < remembered[0]:
            self._remembered.move_to_end(digest)
            return remembered[1]
        return await self._verifying.of(digest, lambda: self._remember(digest, token, now))

    async def _remember(self, digest: bytes, token: str, now: float) -> Bearer:
        """Look at a token once for all who bring it at the same time; who joins in has begun after whatever made us forget last."""
        forgotten = self._forgotten
        examined = await self._examined(token, now)
        subject, until = examined.caller, float(examined.expires_at + self._leeway)
        if forgotten == self._forgotten and self._cache_size:
            self._remembered[digest] = (min(until, now + REMEMBERED_SECONDS), subject)
            self._remembered.move_to_end(digest)
            if len(self._remembered) > self._cache_size:
                self._remembered.popitem(last=False)
        return subject

    async def examine(self, token: str) -> Examined:
        """Look at a token anew and give what it says, for whoever handles tokens as such; raises as ``verify`` does."""
        now = self._clock.now().timestamp()
        await self._look(now)
        return await self._examined(token, now)

    async def _examined(self, token: str, now: float) -> Examined:
        try:
            return await self._verify(token, now)
        except Rejected as rejected:
            raise TokenExpired if rejected.reason is Reason.EXPIRED else TokenRejected(rejected.reason) from None

    async def _look(self, now: float) -> None:
        generation = await epochs.value(self._reader, epochs.TOKENS)
        if generation != self._generation:
            self.forget()
            self._generation = generation
        self._looked = now

    async def _verify(self, token: str, now: float) -> Examined:
        read = compact.read(token, max_bytes=self._max_bytes)
        issuer = read.claims.get("iss")
        profile = self._profiles.get(issuer) if isinstance(issuer, str) else None
        if profile is None:
            raise Rejected(Reason.ISSUER)
        await self._check_signature(token, read, profile)
        expires = claims.check(
            read.claims, audience=profile.audience, required=profile.required, now=now, leeway=self._leeway
        )
        claimed = profile.claimed(read.claims)
        key = None if claimed.jti is None else profile.revocation_key(claimed.jti)
        delegation = claimed.delegation
        rows = await _KNOWN.rows(
            self._reader,
            token=key,
            shown=None if delegation is None else delegation.revocation_key,
            client=claimed.client_id,
            front_end=None if delegation is None else delegation.front_end,
            key=claimed.user_name,
        )
        if rows["revoked"]:
            raise Rejected(Reason.REVOKED)
        try:
            subject = self._subject(claimed, profile, rows)
        except AccountRefused:
            raise Rejected(Reason.ROW_TAMPERED) from None
        return Examined(subject, read.claims, expires, key)

    async def _check_signature(self, token: str, read: compact.Compact, profile: Profile) -> None:
        if read.algorithm not in profile.algorithms:
            raise Rejected(Reason.ALGORITHM)
        if read.type not in profile.types:
            raise Rejected(Reason.TYPE)
        key = await profile.keys.find(read.kid, read.algorithm)
        if key is None:
            raise Rejected(Reason.KID_UNKNOWN)
        try:
            jws.verify(token, key, (read.algorithm,))
        except JOSEError:
            raise Rejected(Reason.SIGNATURE) from None

    def _subject(self, claimed: Claimed, profile: Profile, rows: Known) -> Bearer:
        client = self._clients.read(rows["clients"], claimed.client_id)
        if client is not None and client.state != "active":
            raise Rejected(Reason.CLIENT_DISABLED)
        if client is None and (profile.registered_only or claimed.user_name is None):
            raise Rejected(Reason.CLIENT_UNKNOWN)
        if claimed.user_name is None and client is not None:
            return _service(claimed, client)
        person = self._person(claimed, profile, rows)
        return person if claimed.delegation is None else self._delegated(person, claimed.delegation, client, rows)

    def _delegated(self, person: Person, delegation: Delegation, client: Client | None, rows: Known) -> Person:
        """Give the person for whom a back end acts: both clients stand as they did at the exchange; the back end's scopes bound these."""
        if client is None or not client.exchanges:
            raise Rejected(Reason.DELEGATION)
        if client.epoch != delegation.client_epoch:
            raise Rejected(Reason.EPOCH)
        front_end = self._clients.read(rows["clients"], delegation.front_end)
        if front_end is not None and front_end.state != "active":
            raise Rejected(Reason.CLIENT_DISABLED)
        return replace(person, scopes=person.scopes & client.scopes, front_end=delegation.front_end)

    def _person(self, claimed: Claimed, profile: Profile, rows: Known) -> Person:
        account = self._accounts.read(rows["account"])
        if account is None:
            if profile.built_in:
                raise Rejected(Reason.SUBJECT_UNKNOWN)
        elif account.state == "disabled":
            raise Rejected(Reason.SUBJECT_DISABLED)
        elif _is_over(claimed, account.epoch, account.epoch_at.timestamp()):
            raise Rejected(Reason.EPOCH)
        allowed = scopes_of_person(() if account is None else account.roles)
        return Person(
            user_name=claimed.user_name or "",
            client_id=claimed.client_id,
            scopes=allowed if claimed.scopes is None else allowed & claimed.scopes,
            acr=claimed.acr,
            auth_time=claimed.auth_time,
            issuer=profile.issuer,
            jti=claimed.jti,
        )


def _service(claimed: Claimed, client: Client) -> Service:
    if _is_over(claimed, client.epoch, client.epoch_at.timestamp()):
        raise Rejected(Reason.EPOCH)
    return Service(client.client_id, known(client.scopes & (claimed.scopes or frozenset())))


def _is_over(claimed: Claimed, epoch: int, epoch_at: float) -> bool:
    """Tell whether a token was issued before its subject's last change.

    By count where the token has one, else by time.
    """
    return claimed.epoch != epoch if claimed.epoch is not None else epoch > 0 and claimed.issued_at < epoch_at
