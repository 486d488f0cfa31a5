"""Token exchange (RFC 8693): a back end shows a person's access token and gets one with which it acts for that person.

The right to do so stands on the client's row. What comes out is never more than what went in: the person stays the person; scopes only
shrink, by those of the token shown and by the back end's own; both clients' ceilings bound what policy shows (``permissions.standing``);
the life is short and ends with the token shown; a second proof of identity, given at the front end, does not travel. The token says in
``act`` who acts, and cannot be exchanged again. It dies with whatever ends the person's tokens, with the token shown, with the back end's
secret or right. One event tells of every exchange; the looks that follow tell of person, client and on whose behalf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import structlog

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import oauth
from app.auth.errors import AccountRefused, TokenRejected
from app.auth.issuer import AccessToken, BuiltInIssuer
from app.auth.oauth import Fault, OAuthAnswer, OAuthFault
from app.auth.repository import Account, AccountRepository, Client
from app.auth.scopes import written as scope_text
from app.auth.subject import Person
from app.auth.token_door import Authenticate
from app.auth.verifier import Examined, TokenVerifier
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Database

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 — a type of tokens
ACTION: Final = "token.exchange"

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the form asks for."""

    subject_token: str
    scopes: frozenset[str] | None


class TokenExchange:
    """Answers the grant type of RFC 8693."""

    def __init__(
        self,
        *,
        database: Database,
        verifier: TokenVerifier,
        issuer: BuiltInIssuer,
        accounts: AccountRepository,
        authenticate: Authenticate,
        clock: Clock,
        longest_seconds: int,
    ) -> None:
        """Take what knows tokens, accounts and clients, and the longest life of what is issued."""
        self._database, self._verifier, self._issuer, self._accounts = database, verifier, issuer, accounts
        self._authenticate, self._clock, self._longest = authenticate, clock, longest_seconds

    async def answer(self, form: Mapping[str, str], authorization: Sequence[str], address: str | None) -> OAuthAnswer:
        """Answer the form of a back end that brings a person's token; raise ``OAuthFault``, and ``Unavailable`` where none can be given."""
        client_id, secret = oauth.read_client(form, authorization)
        if secret is None:
            raise OAuthFault(Fault.CLIENT)
        client = await self._authenticate(client_id, secret, address)
        if not client.exchanges:
            self._refuse(client, Fault.EXCHANGE_FORBIDDEN, "no_right")
        asked = self._read(form)
        try:
            shown = await self._verifier.examine(asked.subject_token)
        except TokenRejected as rejected:
            self._refuse(client, Fault.SUBJECT_TOKEN, rejected.reason.value)
        person = self._person(client, shown)
        account = await self._account(client, person)
        token = self._issue(client, person, account, shown, asked.scopes)
        await self._put_on_record(client, person, account, token)
        body = {
            "access_token": token.text,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": token.lifetime,
            "scope": scope_text(token.scopes),
        }
        return OAuthAnswer(200, body, oauth.NO_STORE)

    def _read(self, form: Mapping[str, str]) -> _Asked:
        """Read the parameters of RFC 8693 section 2.1; an actor token is not served, since the client that asks is the actor."""
        if "audience" in form and form["audience"] != self._issuer.audience:
            raise OAuthFault(Fault.TARGET)
        if "resource" in form and form["resource"].rstrip("/") != self._issuer.issuer.rstrip("/"):
            raise OAuthFault(Fault.TARGET)
        fits = (
            form.get("subject_token_type") == ACCESS_TOKEN
            and form.get("requested_token_type", ACCESS_TOKEN) == ACCESS_TOKEN
            and "actor_token" not in form
            and "actor_token_type" not in form
        )
        if not fits or "subject_token" not in form:
            raise OAuthFault(Fault.EXCHANGE_MALFORMED)
        return _Asked(form["subject_token"], oauth.read_scopes(form))

    def _person(self, client: Client, shown: Examined) -> Person:
        """Give whose token it is: a person's own, not one that somebody acts with, and not one meant for another actor."""
        if not isinstance(shown.caller, Person):
            self._refuse(client, Fault.SUBJECT_TOKEN, "no_person")
        if "act" in shown.claims:
            self._refuse(client, Fault.SUBJECT_TOKEN, "chain")
        if "may_act" in shown.claims:
            named = shown.claims["may_act"]
            if not isinstance(named, dict) or named.get("sub") != client.client_id:
                self._refuse(client, Fault.SUBJECT_TOKEN, "may_act")
        return shown.caller

    async def _account(self, client: Client, person: Person) -> Account:
        try:
            account = await self._accounts.by_key(self._database.reader, person.user_name)
        except AccountRefused:
            account = None
        if account is None or account.state != "active" or account.contact_id is None:
            self._refuse(client, Fault.SUBJECT_TOKEN, "no_account")
        return account

    def _issue(
        self, client: Client, person: Person, account: Account, shown: Examined, asked: frozenset[str] | None
    ) -> AccessToken:
        most = person.scopes & client.scopes
        scopes = most if asked is None else asked
        if not scopes or not scopes <= most:
            self._refuse(client, Fault.SCOPE_BEYOND, "scope")
        left = shown.expires_at - int(self._clock.now().timestamp())
        if left <= 0:
            self._refuse(client, Fault.SUBJECT_TOKEN, "expired")
        more: dict[str, Any] = {
            "act": {"sub": client.client_id, "epoch": client.epoch},
            "front_end": person.client_id,
            **({} if shown.revocation_key is None else {"subject_jti": shown.revocation_key}),
        }
        return self._issuer.issue(
            subject=account.user_name,
            client_id=client.client_id,
            scopes=scopes,
            epoch=account.epoch,
            lifetime=min(self._longest, left),
            more=more,
        )

    async def _put_on_record(self, client: Client, person: Person, account: Account, token: AccessToken) -> None:
        context = current_request()
        author = Author(
            type="service",
            id=client.client_id,
            client_id=client.client_id,
            on_behalf_of=str(account.contact_id),
            address=context.address if context else None,
            request_id=context.request_id if context else None,
        )
        detail = {
            "front_end": person.client_id,
            "jti": token.jti,
            "expires_at": token.expires_at,
            "scopes": sorted(token.scopes),
        }
        async with self._database.unit_of_work() as unit:
            await add_intent(unit.session, written(author, ACTION, self._clock.now(), query=detail))
        _log.info("token_exchanged", client_id=client.client_id, front_end=person.client_id, jti=token.jti)

    def _refuse(self, client: Client, fault: Fault, reason: str) -> NoReturn:
        context = current_request()
        _log.warning(
            "exchange_refused",
            client_id=client.client_id,
            reason=reason,
            address=None if context is None else context.address,
        )
        raise OAuthFault(fault)
