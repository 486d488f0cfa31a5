"""What may be asked about a token that is out: taking it back (RFC 7009), and whether it is good (RFC 7662).

A client takes back tokens that were issued to it, an access token by its ``jti``, a refresh token through whoever keeps those
(``RefreshTokens``); a token that is not good is as good as taken back, so nothing is learnt from the answer. Whether a token is good is
told to clients that keep a secret, for tokens that are meant for this service, whoever issued them; every other one is
``{"active": false}`` and not a word more, whatever the cause.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import structlog

from app.audit.authors import Author, written
from app.audit.events import EventDraft
from app.audit.intents import add_intent
from app.auth import epochs, oauth, repository
from app.auth.accounts import after_commit
from app.auth.clients import Clients
from app.auth.errors import AccountRefused, TokenRejected
from app.auth.oauth import Fault, OAuthAnswer, OAuthFault
from app.auth.repository import Client
from app.auth.scopes import written as scope_text
from app.auth.subject import Person, is_client_id
from app.auth.verifier import Examined, TokenVerifier
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Unavailable

ACTION: Final = "token.revoke"

_INACTIVE: Final[Mapping[str, Any]] = {"active": False}
_TOLD: Final = ("iss", "aud", "exp", "iat", "nbf", "acr", "auth_time")
_DOT: Final = "."

_log = structlog.get_logger("duanhao.security")

Authenticate = Callable[[str, str, str | None], Awaitable[Client]]
"""Gives the client that has a secret: id, secret, address; raises ``OAuthFault``."""


class RefreshTokens(Protocol):
    """Whoever keeps refresh tokens."""

    async def end(self, unit: UnitOfWork, text: str, client_id: str) -> bool:
        """End what ``client_id`` carries on with this refresh token, in the transaction of ``unit``; ``False``: none of that client's."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its form as bytes, its media type, every ``Authorization`` header, the caller's address."""

    body: bytes
    content_type: str
    authorization: Sequence[str]
    address: str | None


class TokenDoor:
    """Answers ``/oauth/revoke`` and ``/oauth/introspect``."""

    def __init__(
        self,
        *,
        database: Database,
        verifier: TokenVerifier,
        clients: Clients,
        authenticate: Authenticate,
        clock: Clock,
        refresh: RefreshTokens | None = None,
    ) -> None:
        """Take what knows tokens and clients; ``refresh`` where there are refresh tokens."""
        self._database, self._verifier, self._clients = database, verifier, clients
        self._authenticate, self._clock, self._refresh = authenticate, clock, refresh

    async def revoke(self, asked: Asked) -> OAuthAnswer:
        """Take back the token of a client, which may be a front end without a secret; 200 as well when there is nothing to take back."""
        return await _answered(self._taken_back, asked)

    async def introspect(self, asked: Asked) -> OAuthAnswer:
        """Tell a client that keeps a secret whether an access token is good now, and then what it says."""
        return await _answered(self._told, asked)

    async def _taken_back(self, asked: Asked) -> Mapping[str, Any]:
        form = oauth.read_form(asked.body, asked.content_type)
        client = await self._client(form, asked)
        await self._take_back(_token(form), client)
        return {}

    async def _told(self, asked: Asked) -> Mapping[str, Any]:
        form = oauth.read_form(asked.body, asked.content_type)
        client_id, secret = oauth.read_client(form, asked.authorization)
        if secret is None:
            raise OAuthFault(Fault.CLIENT)
        await self._authenticate(client_id, secret, asked.address)
        token = _token(form)
        try:
            found = await self._verifier.examine(token)
        except TokenRejected:
            return _INACTIVE
        return _description(found) if self._clock.now().timestamp() < found.expires_at else _INACTIVE

    async def _client(self, form: Mapping[str, str], asked: Asked) -> Client:
        """Give the client that asks: one with its secret, or a front end by its name, which has nothing else; the token is proof enough."""
        client_id, secret = oauth.read_client(form, asked.authorization)
        if secret is not None:
            return await self._authenticate(client_id, secret, asked.address)
        try:
            known = (
                await self._clients.by_client_id(self._database.reader, client_id) if is_client_id(client_id) else None
            )
        except AccountRefused:
            known = None
        if known is None or known.state != "active" or known.secret_hash is not None:
            _log.warning("client_refused", client_id=None if known is None else known.client_id, address=asked.address)
            raise OAuthFault(Fault.CLIENT)
        return known

    async def _take_back(self, token: str, client: Client) -> None:
        if _DOT not in token:
            if self._refresh is not None:
                async with self._database.unit_of_work() as unit:
                    if await self._refresh.end(unit, token, client.client_id):
                        await add_intent(unit.session, self._event(client, {"kind": "refresh_token"}))
            return
        try:
            found = await self._verifier.examine(token)
        except TokenRejected:
            return
        if found.caller.client_id != client.client_id:
            _log.warning("revocation_refused", client_id=client.client_id)
            raise OAuthFault(Fault.NOT_YOURS)
        if found.revocation_key is None:
            return
        async with self._database.unit_of_work() as unit:
            ends = datetime.fromtimestamp(found.expires_at, UTC)
            await epochs.bump(unit.session, epochs.TOKENS)  # first: of two at once, the other then finds it revoked
            if await repository.revoke(unit.session, found.revocation_key, expires_at=ends):
                await add_intent(
                    unit.session, self._event(client, {"kind": "access_token", "jti": found.revocation_key})
                )
                after_commit(self._verifier.forget)

    def _event(self, client: Client, detail: Mapping[str, Any]) -> EventDraft:
        context = current_request()
        author = Author(
            type="service",
            id=client.client_id,
            client_id=client.client_id,
            address=context.address if context else None,
            request_id=context.request_id if context else None,
        )
        return written(author, ACTION, self._clock.now(), query=detail)


async def _answered(work: Callable[[Asked], Awaitable[Mapping[str, Any]]], asked: Asked) -> OAuthAnswer:
    """Answer in the shapes of the protocol, whatever happens."""
    try:
        return OAuthAnswer(200, await work(asked), oauth.NO_STORE)
    except OAuthFault as fault:
        return fault.answer()
    except Unavailable:
        return OAuthFault(Fault.UNAVAILABLE, retry_after=1).answer()


def _token(form: Mapping[str, str]) -> str:
    if "token" not in form:
        raise OAuthFault(Fault.TOKEN_MISSING)
    return form["token"]


def _description(found: Examined) -> dict[str, Any]:
    """Say what a good token says (RFC 7662 section 2.2): the caller as this service knows it, not what another issuer claims of roles."""
    caller, claims = found.caller, found.claims
    person = caller.user_name if isinstance(caller, Person) else None
    acting = isinstance(caller, Person) and caller.front_end is not None
    return {
        "active": True,
        "token_type": "Bearer",
        "client_id": caller.client_id,
        "sub": caller.client_id if person is None else person,
        **({} if person is None else {"username": person}),
        "scope": scope_text(caller.scopes),
        **({"jti": claims["jti"]} if isinstance(claims.get("jti"), str) else {}),
        **{name: claims[name] for name in _TOLD if name in claims},
        **({"act": {"sub": caller.client_id}} if acting else {}),
    }
