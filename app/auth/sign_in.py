"""Signing in: from a front end's question through a password, a one-time code and a new password to a code for the front end.

What is asked next follows from what is proven and what is needed, never from which form was sent. A refusal reads the same and costs
the same whether the name is unknown, the password wrong or the account ended; why, the logs are told. Nobody stays signed in here: each
question is answered by its own sign-in, so ``auth_time`` is the time of a real proof.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from app.auth import oauth, sign_in_page
from app.auth.authorization import (
    ACR_PASSWORD,
    ACR_STEP_UP,
    AuthorizationRefused,
    AuthorizationRequest,
    Unanswerable,
    read_query,
    read_request,
    state_of,
)
from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.families import Code, FamilyRepository, Grant, new_token, token_hash
from app.auth.one_time_codes import OneTimeCodes
from app.auth.password_rules import Rule
from app.auth.passwords import Passwords, Standing
from app.auth.redirects import RedirectUris, origin_of, with_answer
from app.auth.repository import Account, AccountRepository, Client
from app.auth.scopes import scopes_of_person
from app.auth.sign_in_brake import SignInBrake
from app.auth.sign_in_events import FAILED, LOCKED, PASSWORD_CHANGED, SIGNED_IN, SignInEvents
from app.auth.sign_in_page import Field, Language, Page, words
from app.auth.sign_in_tickets import Tickets
from app.auth.subject import user_name_key
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import TooMany, Unavailable
from app.kit.models import new_id

_PROOF_SECONDS: Final = 300
_NOBODY: Final = "nobody is called this"
_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
_UNMET: Final = "unmet_authentication_requirements"


@dataclass(frozen=True, slots=True)
class Browser:
    """Who sits in front, as far as a request tells: cookies, language, address, and which site sent the form (``Sec-Fetch-Site``)."""

    cookies: Mapping[str, str]
    language: Language
    address: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    """One browser with one question; ``ticket`` is the question as the form carries it."""

    browser: Browser
    request: AuthorizationRequest
    client: Client
    nonce: str
    ticket: str


@dataclass(frozen=True, slots=True)
class _Proof:
    """What somebody has proven so far: whose password and when, under which epoch; and whether a new one has to be chosen."""

    account_id: UUID
    epoch: int
    at: datetime
    code: bool
    change: bool

    def written(self, visit: _Visit) -> dict[str, Any]:
        return {
            "account_id": str(self.account_id),
            "epoch": self.epoch,
            "at": self.at.timestamp(),
            "code": self.code,
            "change": self.change,
            "of": _digest(visit.ticket),
        }


class SignIn:
    """Answers the sign-in page's requests."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: AccountRepository,
        clients: Clients,
        redirects: RedirectUris,
        passwords: Passwords,
        codes: OneTimeCodes,
        families: FamilyRepository,
        brake: SignInBrake,
        tickets: Tickets,
        events: SignInEvents,
        clock: Clock,
        issuer: str,
        code_seconds: int,
    ) -> None:
        """Take what knows accounts, clients and proofs; ``issuer`` is told beside every answer (RFC 9207)."""
        self._database, self._reader = database, database.reader
        self._accounts, self._clients, self._redirects = accounts, clients, redirects
        self._passwords, self._codes, self._families = passwords, codes, families
        self._brake, self._tickets, self._events, self._clock = brake, tickets, events, clock
        self._issuer, self._code_life = issuer, timedelta(seconds=code_seconds)

    async def begin(self, query: bytes, browser: Browser) -> Page:
        """Answer ``GET /oauth/authorize``: the page, or a refusal, by redirect where the client's address is sure."""
        try:
            parameters = read_query(query)
            client = await self._client(parameters.get("client_id", ""), parameters.get("redirect_uri", ""))
        except Unanswerable:
            return sign_in_page.notice("unanswerable", browser.language, status=400)
        except Unavailable:
            return sign_in_page.notice("unavailable", browser.language, status=503)
        try:
            request = read_request(parameters)
        except AuthorizationRefused as refused:
            return self._refused(parameters["redirect_uri"], state_of(parameters), refused)
        nonce = self._tickets.nonce(browser.cookies) or self._tickets.new_nonce()
        visit = _Visit(browser, request, client, nonce, self._tickets.write("request", nonce, request.written()))
        return self._credentials(visit, more={"Set-Cookie": self._tickets.set_cookie(nonce)})

    async def proceed(self, body: bytes, content_type: str, browser: Browser) -> Page:
        """Answer ``POST /oauth/authorize``: the next form, or the way back to the client."""
        try:
            form = oauth.read_form(body, content_type)
        except oauth.OAuthFault:
            return sign_in_page.notice("malformed", browser.language, status=400)
        try:
            visit = await self._visit(form, browser)
            if visit is None:
                return sign_in_page.notice("stale", browser.language, status=400)
            return await self._answered(visit, form)
        except Unanswerable:
            return sign_in_page.notice("unanswerable", browser.language, status=400)
        except TooMany as wait:
            return sign_in_page.notice("too_fast", browser.language, status=429, more=wait.headers)
        except Unavailable:
            return sign_in_page.notice("unavailable", browser.language, status=503)

    async def _client(self, client_id: str, redirect_uri: str) -> Client:
        """Give the active client that has registered this very address; raise ``Unanswerable``."""
        try:
            client = await self._clients.by_client_id(self._reader, client_id)
        except AccountRefused:
            raise Unanswerable from None
        if client is None or client.state != "active":
            raise Unanswerable
        if redirect_uri not in await self._redirects.of(self._reader, client_id):
            self._events.report("redirect_uri_refused", client_id=client.client_id)
            raise Unanswerable
        return client

    async def _visit(self, form: Mapping[str, str], browser: Browser) -> _Visit | None:
        nonce, ticket = self._tickets.nonce(browser.cookies), form.get("request", "")
        content = None if nonce is None else self._tickets.read("request", nonce, ticket)
        if nonce is None or content is None or browser.site in _ELSEWHERE:
            self._events.report("sign_in_form_refused")
            return None
        request = AuthorizationRequest.read(content)
        return _Visit(browser, request, await self._client(request.client_id, request.redirect_uri), nonce, ticket)

    async def _answered(self, visit: _Visit, form: Mapping[str, str]) -> Page:
        if "proof" not in form:
            return await self._with_password(visit, form)
        found = await self._proven(visit, form["proof"])
        if found is None:
            return sign_in_page.notice("stale", visit.browser.language, status=400)
        account, proof = found
        match await self._needed(visit, account, proof):
            case "code":
                return await self._with_code(visit, account, proof, form.get("code", ""))
            case "change":
                return await self._with_new_password(visit, account, proof, form)
            case _:
                return await self._next(visit, account, proof)

    async def _with_password(self, visit: _Visit, form: Mapping[str, str]) -> Page:
        name, address = form.get("user_name", ""), visit.browser.address
        key = self._brake.key("password", name)
        with self._brake.one_at_a_time(key):
            await self._brake.check(self._reader, key, address)
            account = await self._account(name)
            standing = await self._passwords.compare(self._reader, account, form.get("password", ""))
            if account is None or standing not in {Standing.RIGHT, Standing.CHANGE}:
                await self._failed(visit, key, account, standing.value)
                return self._credentials(visit, typed=name, alert="wrong", status=403)
        change = standing is Standing.CHANGE or "change" in form
        proof = _Proof(account.id, account.epoch, self._clock.now(), code=False, change=change)
        return await self._next(visit, account, proof)

    async def _account(self, name: str) -> Account | None:
        try:
            return await self._accounts.by_key(self._reader, user_name_key(name) or _NOBODY)
        except AccountRefused:
            return None

    async def _proven(self, visit: _Visit, text: str) -> tuple[Account, _Proof] | None:
        """Give the account whose password was proven in this very visit, if nothing about it has changed since."""
        content = self._tickets.read("proof", visit.nonce, text)
        if content is None or content["of"] != _digest(visit.ticket):
            return None
        at = datetime.fromtimestamp(content["at"], UTC)
        proof = _Proof(UUID(content["account_id"]), content["epoch"], at, content["code"], content["change"])
        account = await self._accounts.by_id(self._reader, proof.account_id)
        stands = account is not None and account.state == "active" and account.epoch == proof.epoch
        return (account, proof) if account is not None and stands else None

    async def _needed(
        self, visit: _Visit, account: Account, proof: _Proof
    ) -> Literal["code", "change", "enrolment"] | None:
        """Tell what is still to be proven or chosen; who has one-time codes changes no password without one."""
        enrolled = await self._codes.is_enrolled(self._reader, account.id)
        if not proof.code and (visit.request.step_up or (proof.change and enrolled)):
            return "code" if enrolled else "enrolment"
        return "change" if proof.change else None

    async def _next(self, visit: _Visit, account: Account, proof: _Proof) -> Page:
        match await self._needed(visit, account, proof):
            case "code":
                return self._code_form(visit, proof)
            case "change":
                return self._change_form(visit, proof, account.user_name)
            case "enrolment":
                async with self._database.unit_of_work() as unit:
                    await self._events.put(
                        unit.session, FAILED, account, client_id=visit.client.client_id, refused=_UNMET
                    )
                refused = AuthorizationRefused(_UNMET, "The person has not set up one-time codes")
                return self._refused(visit.request.redirect_uri, visit.request.state, refused)
            case None:
                return await self._complete(visit, account, proof)

    async def _with_code(self, visit: _Visit, account: Account, proof: _Proof, typed: str) -> Page:
        key, address = self._brake.key("code", str(account.id)), visit.browser.address
        with self._brake.one_at_a_time(key):
            await self._brake.check(self._reader, key, address)
            facts = await self._codes.of(self._reader, account.id)
            step = None if facts is None else self._codes.step(facts, typed)
            taken = False
            if facts is not None and step is not None:
                async with self._database.unit_of_work() as unit:
                    taken = await self._codes.use(unit.session, facts, step)
                    if taken:
                        await self._brake.succeeded(unit.session, key, address)
            if not taken:
                await self._failed(visit, key, account, "wrong_code" if step is None else "code_reused")
                return self._code_form(visit, proof, alert="wrong_code", status=403)
        return await self._next(visit, account, replace(proof, code=True, at=self._clock.now()))

    async def _with_new_password(self, visit: _Visit, account: Account, proof: _Proof, form: Mapping[str, str]) -> Page:
        chosen = form.get("new_password", "")
        with self._brake.one_at_a_time(self._brake.key("password", account.user_name)):
            if chosen != form.get("again", ""):
                faults = [Rule.NOT_REPEATED]
            else:
                faults = await self._passwords.faults(self._reader, account, chosen)
            if faults:
                return self._change_form(visit, proof, account.user_name, faults=faults, status=400)
            return await self._complete(visit, account, proof, hashed=await self._passwords.hashed(chosen))

    async def _complete(self, visit: _Visit, account: Account, proof: _Proof, *, hashed: str | None = None) -> Page:
        """Make the code, with everything that belongs to it, in one transaction."""
        request, client_id, text = visit.request, visit.client.client_id, new_token()
        async with self._database.unit_of_work() as unit:
            now = await self._accounts.by_id(unit.session, account.id)
            if now is None or now.state != "active" or now.epoch != proof.epoch:
                return sign_in_page.notice("stale", visit.browser.language, status=400)
            allowed = scopes_of_person(now.roles)
            scopes = allowed if request.scopes is None else allowed & request.scopes
            if hashed is not None:
                now = await self._passwords.put(unit.session, now, hashed, temporary=False)
                await self._events.put(unit.session, PASSWORD_CHANGED, now, client_id=client_id)
            if scopes:
                acr = ACR_STEP_UP if proof.code else ACR_PASSWORD
                grant = Grant(new_id(), now.id, client_id, scopes, acr, proof.at, now.epoch)
                ends = self._clock.now() + self._code_life
                code = Code(token_hash(text), grant, request.redirect_uri, request.challenge, ends)
                await self._families.add_code(unit.session, code)
                await self._events.put(unit.session, SIGNED_IN, now, client_id=client_id, detail={"acr": acr})
            key = self._brake.key("password", now.user_name)
            await self._brake.succeeded(unit.session, key, visit.browser.address)
        if not scopes:
            refused = AuthorizationRefused("invalid_scope", "None of the scopes is one that this person may have")
            return self._refused(request.redirect_uri, request.state, refused)
        answer = {"code": text, "state": request.state, "iss": self._issuer}
        return sign_in_page.go_on(
            with_answer(request.redirect_uri, answer), {"Set-Cookie": self._tickets.drop_cookie()}
        )

    async def _failed(self, visit: _Visit, key: bytes, account: Account | None, reason: str) -> None:
        client_id = visit.client.client_id
        async with self._database.unit_of_work() as unit:
            locked = await self._brake.failed(unit.session, key, visit.browser.address)
            if account is not None:
                await self._events.put(unit.session, FAILED, account, client_id=client_id, refused=reason)
                if locked:
                    await self._events.put(unit.session, LOCKED, account, client_id=client_id, refused="locked")
        self._events.report("sign_in_failed", reason=reason, client_id=client_id, name=key.hex(), locked=locked)

    def _refused(self, redirect_uri: str, state: str | None, refused: AuthorizationRefused) -> Page:
        answer = {"error": refused.error, "error_description": refused.description}
        known = {} if state is None else {"state": state}
        return sign_in_page.go_on(with_answer(redirect_uri, {**answer, **known, "iss": self._issuer}))

    def _credentials(
        self,
        visit: _Visit,
        *,
        typed: str = "",
        alert: str | None = None,
        status: int = 200,
        more: Mapping[str, str] | None = None,
    ) -> Page:
        language = visit.browser.language
        return sign_in_page.form(
            language=language,
            heading=words("to", language, client=visit.client.name),
            fields=(
                Field("user_name", "text", words("user_name", language), "username", typed),
                Field("password", "password", words("password", language), "current-password"),
                Field("change", "checkbox", words("change", language), "off"),
            ),
            hidden={"request": visit.ticket},
            button=words("sign_in", language),
            target=origin_of(visit.request.redirect_uri),
            alert=() if alert is None else (words(alert, language),),
            status=status,
            more=more,
        )

    def _code_form(self, visit: _Visit, proof: _Proof, *, alert: str | None = None, status: int = 200) -> Page:
        language = visit.browser.language
        return sign_in_page.form(
            language=language,
            heading=words("to", language, client=visit.client.name),
            fields=(Field("code", "text", words("code", language), "one-time-code"),),
            hidden=self._hidden(visit, proof),
            button=words("confirm", language),
            target=origin_of(visit.request.redirect_uri),
            told=(words("code_why", language),),
            alert=() if alert is None else (words(alert, language),),
            status=status,
        )

    def _change_form(
        self, visit: _Visit, proof: _Proof, name: str, *, faults: list[Rule] | None = None, status: int = 200
    ) -> Page:
        language, rules = visit.browser.language, self._passwords.rules
        return sign_in_page.form(
            language=language,
            heading=words("new_password", language),
            fields=(
                Field("user_name", "known", "", "username", name),
                Field("new_password", "password", words("new_password", language), "new-password"),
                Field("again", "password", words("again", language), "new-password"),
            ),
            hidden=self._hidden(visit, proof),
            button=words("save", language),
            target=origin_of(visit.request.redirect_uri),
            told=(words("must_change", language, least=rules.least),),
            alert=[rules.words(each)[language == "zh"] for each in faults or ()],
            status=status,
        )

    def _hidden(self, visit: _Visit, proof: _Proof) -> dict[str, str]:
        ticket = self._tickets.write("proof", visit.nonce, proof.written(visit), seconds=_PROOF_SECONDS)
        return {"request": visit.ticket, "proof": ticket}


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("ascii", "replace")).hexdigest()
