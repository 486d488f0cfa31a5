"""``grant_type=authorization_code`` and ``grant_type=refresh_token`` of the token endpoint.

A code is good once, for its client, its address and the verifier of its challenge; shown in any other way it is spent, and shown again it
ends the sign-in that it began, with every token of it. A refresh token is good once too: the answer holds the next one. One that was used
before is in two hands, so the family ends, whoever asked; there is no time in which a second use is forgiven. Both rest on the account's
epoch, so whatever ends a person's tokens ends these. What a refusal was for stays inside: the client reads ``invalid_grant``.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.auth import epochs, oauth, repository
from app.auth.accounts import after_commit
from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.families import Code, Family, FamilyRepository, Grant, Refresh, new_token, token_hash
from app.auth.issuer import BuiltInIssuer
from app.auth.oauth import Fault, OAuthAnswer, OAuthFault
from app.auth.repository import Account, AccountRepository, Client
from app.auth.scopes import scopes_of_person, written
from app.auth.sign_in_events import CODE_REUSED, REFRESH_REUSED, SignInEvents
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Authenticate = Callable[[str, str, str | None], Awaitable[Client]]
"""Gives the client that has a secret: id, secret, address; raises ``OAuthFault``."""


@dataclass(frozen=True, slots=True)
class GrantPolicy:
    """Lives in seconds: of access tokens, of a refresh token that is not used, of a whole sign-in."""

    access_seconds: int = 3600
    idle_seconds: int = 43_200
    absolute_seconds: int = 604_800


class CodeGrants:
    """Turns codes and refresh tokens into tokens."""

    def __init__(
        self,
        *,
        database: Database,
        rows: FamilyRepository,
        accounts: AccountRepository,
        clients: Clients,
        issuer: BuiltInIssuer,
        events: SignInEvents,
        clock: Clock,
        policy: GrantPolicy,
        authenticate: Authenticate,
        forget: Callable[[], None],
    ) -> None:
        """Take the store, what knows accounts and clients, the issuer that signs, and what drops verified tokens (``forget``)."""
        self._database, self._rows, self._accounts, self._clients = database, rows, accounts, clients
        self._issuer, self._events, self._clock, self._policy = issuer, events, clock, policy
        self._authenticate, self._forget = authenticate, forget

    async def authorization_code(
        self, form: Mapping[str, str], authorization: Sequence[str], address: str | None
    ) -> OAuthAnswer:
        """Answer the form of a client that brings a code; raise ``OAuthFault``."""
        client = await self._client(form, authorization, address)
        text, verifier = form.get("code", ""), form.get("code_verifier", "")
        if not text or not verifier:
            raise OAuthFault(Fault.CODE_MISSING)
        async with self._database.unit_of_work() as unit:
            answer = await self._exchanged(unit, client, text, verifier, form.get("redirect_uri"))
        return answer or OAuthFault(Fault.GRANT).answer()

    async def refresh_token(
        self, form: Mapping[str, str], authorization: Sequence[str], address: str | None
    ) -> OAuthAnswer:
        """Answer the form of a client that brings a refresh token; raise ``OAuthFault``."""
        client = await self._client(form, authorization, address)
        if "refresh_token" not in form:
            raise OAuthFault(Fault.REFRESH_MISSING)
        asked = oauth.read_scopes(form)
        async with self._database.unit_of_work() as unit:
            answer = await self._carried_on(unit, client, form["refresh_token"], asked)
        return answer or OAuthFault(Fault.GRANT).answer()

    async def end(self, unit: UnitOfWork, text: str, client_id: str) -> bool:
        """End the sign-in that a client's refresh token carries on (RFC 7009); ``False`` when it is none of that client's."""
        found = await self._rows.refresh(unit.session, text)
        family = None if found is None else await self._rows.family(unit.session, found.family_id)
        if family is None or family.grant.client_id != client_id:
            return False
        await self._end(unit, family)
        return True

    async def _client(self, form: Mapping[str, str], authorization: Sequence[str], address: str | None) -> Client:
        client_id, secret = oauth.read_client(form, authorization)
        if secret is not None:
            return await self._authenticate(client_id, secret, address)
        try:
            client = await self._clients.by_client_id(self._database.reader, client_id)
        except AccountRefused:
            client = None
        if client is None or client.state != "active" or client.secret_hash is not None:
            self._events.report("client_refused")
            raise OAuthFault(Fault.CLIENT)
        return client

    async def _exchanged(
        self, unit: UnitOfWork, client: Client, text: str, verifier: str, redirect_uri: str | None
    ) -> OAuthAnswer | None:
        now = self._clock.now()
        code = await self._rows.code(unit.session, text)
        if code is None:
            self._events.report("code_refused", client_id=client.client_id)
            return None
        if not await self._rows.use_code(unit.session, code, at=now):
            await self._reused(unit, code.grant, CODE_REUSED)
            return None
        account = await self._standing(unit, code.grant)
        fits = _fits(code, client, verifier, redirect_uri) and now < code.expires_at
        if not fits or account is None:
            self._events.report("code_refused", client_id=client.client_id)
            return None
        ends = now + timedelta(seconds=self._policy.absolute_seconds)
        family = Family(code.grant, ends)
        await self._rows.add_family(unit.session, family)
        return await self._answer(unit, family, account, code.grant.scopes)

    async def _carried_on(
        self, unit: UnitOfWork, client: Client, text: str, asked: frozenset[str] | None
    ) -> OAuthAnswer | None:
        now = self._clock.now()
        found = await self._rows.refresh(unit.session, text)
        family = None if found is None else await self._rows.family(unit.session, found.family_id)
        if found is None or family is None or family.ended_at is not None:
            self._events.report("refresh_refused", client_id=client.client_id)
            return None
        if family.grant.client_id != client.client_id:
            await self._reused(unit, family.grant, REFRESH_REUSED)
            return None
        if asked is not None and not asked <= family.grant.scopes:
            return OAuthFault(Fault.SCOPE_BEYOND).answer()
        if not await self._rows.use_refresh(unit.session, found, at=now):
            await self._reused(unit, family.grant, REFRESH_REUSED)
            return None
        account = await self._standing(unit, family.grant)
        if account is None or now >= min(found.expires_at, family.expires_at):
            self._events.report("refresh_refused", client_id=client.client_id)
            return None
        return await self._answer(unit, family, account, family.grant.scopes if asked is None else asked)

    async def _standing(self, unit: UnitOfWork, grant: Grant) -> Account | None:
        """Give the account when it still stands as it did at the sign-in."""
        account = await self._account(unit, grant)
        stands = account is not None and account.state == "active" and account.epoch == grant.epoch
        return account if stands else None

    async def _account(self, unit: UnitOfWork, grant: Grant) -> Account | None:
        try:
            return await self._accounts.by_id(unit.session, grant.account_id)
        except AccountRefused:
            return None

    async def _answer(self, unit: UnitOfWork, family: Family, account: Account, scopes: frozenset[str]) -> OAuthAnswer:
        grant, now = family.grant, self._clock.now()
        token = self._issuer.issue(
            subject=account.user_name,
            client_id=grant.client_id,
            scopes=scopes & scopes_of_person(account.roles),
            epoch=account.epoch,
            lifetime=self._policy.access_seconds,
            more={"acr": grant.acr, "auth_time": int(grant.auth_time.timestamp())},
        )
        text = new_token()
        refresh = Refresh(
            hash=token_hash(text),
            family_id=grant.family_id,
            expires_at=min(now + timedelta(seconds=self._policy.idle_seconds), family.expires_at),
            jti=token.jti,
            access_expires_at=now + timedelta(seconds=token.lifetime),
        )
        await self._rows.add_refresh(unit.session, refresh)
        body = {
            "access_token": token.text,
            "token_type": "Bearer",
            "expires_in": token.lifetime,
            "refresh_token": text,
            "scope": written(token.scopes),
        }
        return OAuthAnswer(200, body, oauth.NO_STORE)

    async def _reused(self, unit: UnitOfWork, grant: Grant, action: str) -> None:
        """End the family of what was shown twice, or by somebody else, and put that on record once."""
        self._events.report(action.replace(".", "_"), client_id=grant.client_id)
        family = await self._rows.family(unit.session, grant.family_id)
        if family is None or family.ended_at is not None:
            return
        await self._end(unit, family)
        account = await self._account(unit, grant)
        if account is not None:
            await self._events.put(unit.session, action, account, client_id=grant.client_id, refused="invalid_grant")

    async def _end(self, unit: UnitOfWork, family: Family) -> None:
        now = self._clock.now()
        await epochs.bump(unit.session, epochs.TOKENS)
        await self._rows.end_family(unit.session, family, at=now)
        for jti, ends in await self._rows.access_tokens(unit.session, family.grant.family_id, now=now):
            await repository.revoke(unit.session, jti, expires_at=ends)
        after_commit(self._forget)


def _fits(code: Code, client: Client, verifier: str, redirect_uri: str | None) -> bool:
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    proven = hmac.compare_digest(urlsafe_b64encode(digest).rstrip(b"="), code.challenge.encode())
    return (
        _VERIFIER.fullmatch(verifier) is not None
        and proven
        and code.grant.client_id == client.client_id
        and redirect_uri in {None, code.redirect_uri}
    )
