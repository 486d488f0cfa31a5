"""Tokens made here: for a client that shows its secret, and at the command line.

The token endpoint answers in the shapes of RFC 6749 and never with a problem document; every refusal of a client
reads the same. The command line may make a token for a person only in development; in production it makes one for a
service account, with a reason that the caller puts on record.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs, oauth, repository
from app.auth.accounts import UserAccounts, after_commit
from app.auth.clients import Clients
from app.auth.errors import AccountNotFound, MintRefused
from app.auth.issuer import AccessToken, BuiltInIssuer
from app.auth.oauth import Fault, OAuthAnswer, OAuthFault, TokenRequest
from app.auth.profile import foreign_key
from app.auth.repository import Account, Client, Source
from app.auth.scopes import known, scopes_of_person, written
from app.auth.subject import is_client_id
from app.auth.throttle import Throttle
from app.auth.verifier import TokenVerifier
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import Unavailable

MAX_MINTED_SECONDS: Final = 30 * 86_400
"""Longest life of a token made at the command line."""

GrantAnswer = Callable[[Mapping[str, str], Sequence[str], str | None], Awaitable[OAuthAnswer]]
"""Answers one grant type: form, ``Authorization`` headers, address; raises ``OAuthFault``."""

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """A token's life in seconds, whether this is production, and the front end of people's minted tokens."""

    lifetime_seconds: int
    production: bool
    front_end: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Where accounts and clients are found, and the reader for looking outside of a transaction."""

    accounts: UserAccounts
    clients: Clients
    reader: Reader


class TokenService:
    """Issues and revokes tokens."""

    def __init__(
        self,
        *,
        issuer: BuiltInIssuer,
        verifier: TokenVerifier,
        directory: Directory,
        clock: Clock,
        policy: TokenPolicy,
    ) -> None:
        """Take the issuer that signs and what knows clients and accounts."""
        self.issuer = issuer
        self._verifier, self._clock, self._policy = verifier, clock, policy
        self._accounts, self._clients, self._reader = directory.accounts, directory.clients, directory.reader
        self._throttle = Throttle(clock)
        self._grants: dict[str, GrantAnswer] = {}

    async def token_endpoint(
        self, *, body: bytes, content_type: str, authorization: Sequence[str], address: str | None
    ) -> OAuthAnswer:
        """Answer ``POST /oauth/token``: its form, media type, every ``Authorization`` header, the caller's address."""
        try:
            form = oauth.read_form(body, content_type)
            grant = self._grants.get(form.get("grant_type", ""))
            if grant is not None:
                return await grant(form, authorization, address)
            token = await self._client_credentials(oauth.read_request(form, authorization), address)
        except OAuthFault as fault:
            return fault.answer()
        except Unavailable:
            return OAuthFault(Fault.UNAVAILABLE, retry_after=1).answer()
        answer = {
            "access_token": token.text,
            "token_type": "Bearer",
            "expires_in": token.lifetime,
            "scope": written(token.scopes),
        }
        return OAuthAnswer(200, answer, oauth.NO_STORE)

    def serve(self, grants: Mapping[str, GrantAnswer]) -> None:
        """Answer these grant types too, each by what is given for it."""
        self._grants |= grants

    async def authenticated(self, client_id: str, secret: str, address: str | None) -> Client:
        """Give the client that has this secret; raise ``OAuthFault`` for any other, and for one that failed too often."""
        wait = self._throttle.wait(client_id, address)
        if wait:
            _log.warning("client_throttled", client_id=_loggable(client_id), address=address)
            raise OAuthFault(Fault.TOO_FAST, retry_after=wait)
        client = await self._clients.authenticate(self._reader, client_id, secret)
        if client is None:
            self._throttle.failed(client_id, address)
            _log.warning("client_refused", client_id=_loggable(client_id), address=address)
            raise OAuthFault(Fault.CLIENT)
        self._throttle.succeeded(client_id, address)
        return client

    async def _client_credentials(self, request: TokenRequest, address: str | None) -> AccessToken:
        client = await self.authenticated(request.client_id, request.secret, address)
        if request.grant_type != "client_credentials":
            raise OAuthFault(Fault.GRANT_TYPE)
        if request.scopes is not None and not request.scopes <= client.scopes:
            raise OAuthFault(Fault.SCOPE_BEYOND)
        token = self._issue_to_client(client, request.scopes, self._policy.lifetime_seconds)
        _log.info("token_issued", client_id=client.client_id, jti=token.jti, address=address)
        return token

    def _issue_to_client(self, client: Client, scopes: Collection[str] | None, lifetime: int) -> AccessToken:
        return self.issuer.issue(
            subject=client.client_id,
            client_id=client.client_id,
            scopes=known(client.scopes if scopes is None else scopes),
            epoch=client.epoch,
            lifetime=lifetime,
        )

    async def mint(
        self,
        source: Source,
        name: str,
        *,
        lifetime_seconds: int | None = None,
        scopes: Collection[str] | None = None,
        reason: str = "",
    ) -> AccessToken:
        """Make a token for the service account or person called ``name``.

        Without ``scopes``, with all that it may carry. Raises ``MintRefused`` in production for a person or without a
        reason, for a lifetime, scope or state that does not allow it, and ``AccountNotFound`` when nobody is called
        that. The caller records the event.
        """
        lifetime = self._policy.lifetime_seconds if lifetime_seconds is None else lifetime_seconds
        if not 0 < lifetime <= MAX_MINTED_SECONDS:
            detail, chinese = "A token lives between one second and 30 days", "令牌有效期须在 1 秒至 30 天之间"
            raise MintRefused(detail, detail_zh=chinese)
        if self._policy.production and not reason.strip():
            detail, chinese = "In production a reason is required", "生产环境须填写理由"
            raise MintRefused(detail, detail_zh=chinese)
        client = await self._clients.by_client_id(source, name) if is_client_id(name) else None
        if client is not None:
            return self._mint_for_client(client, scopes, lifetime)
        return await self._mint_for_person(source, name, scopes, lifetime)

    def _mint_for_client(self, client: Client, scopes: Collection[str] | None, lifetime: int) -> AccessToken:
        if client.state != "active":
            raise _not_active()
        if scopes is not None and not client.scopes.issuperset(scopes):
            raise _beyond()
        return self._issue_to_client(client, scopes, lifetime)

    async def _mint_for_person(
        self, source: Source, name: str, scopes: Collection[str] | None, lifetime: int
    ) -> AccessToken:
        if self._policy.production:
            detail, chinese = (
                "In production tokens are made for service accounts only",
                "生产环境只能为服务账号签发令牌",
            )
            raise MintRefused(detail, detail_zh=chinese)
        account: Account | None = await self._accounts.by_user_name(source, name)
        if account is None:
            raise AccountNotFound
        front_end = await self._clients.by_client_id(source, self._policy.front_end)
        if account.state != "active" or front_end is None or front_end.state != "active":
            raise _not_active()
        allowed = scopes_of_person(account.roles)
        if scopes is not None and not allowed.issuperset(scopes):
            raise _beyond()
        return self.issuer.issue(
            subject=account.user_name,
            client_id=front_end.client_id,
            scopes=allowed if scopes is None else frozenset(scopes),
            epoch=account.epoch,
            lifetime=lifetime,
        )

    async def revoke(self, session: AsyncSession, jti: str, *, expires_at: datetime, issuer: str | None = None) -> None:
        """Take a token back before its time; ``issuer`` names one outside, ``None`` is the built-in one."""
        own = issuer is None or issuer == self.issuer.issuer
        if await repository.revoke(session, jti if own else foreign_key(issuer or "", jti), expires_at=expires_at):
            await epochs.bump(session, epochs.TOKENS)
            after_commit(self._verifier.forget)

    async def forget_revoked(self, session: AsyncSession) -> int:
        """Drop revocations of tokens that have expired by themselves, a day later; tell how many. For the schedule."""
        return await repository.forget_revoked(session, before=self._clock.now() - repository.KEEP_REVOKED)


def _loggable(client_id: str) -> str:
    return client_id if is_client_id(client_id) else "(malformed)"


def _not_active() -> MintRefused:
    return MintRefused("The account or its front end is not active", detail_zh="账号或其前端未启用")


def _beyond() -> MintRefused:
    return MintRefused("A scope is not one that this account may carry", detail_zh="所请求的权限范围超出该账号")
