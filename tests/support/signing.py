"""One small company per engine whose people sign in, a clock that stands still, and a browser with a front end behind it.

The clock is shared and only ever moves forward; each test adds the people that it signs in, and comes from an address of its own.
"""

import base64
import hashlib
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from app.auth import totp
from app.auth.clients import NewClient
from app.auth.families import token_hash
from app.composition import open_application
from app.config import Settings, SignInSettings
from app.main import create_app
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import FrozenClock
from tests.support.postgres import Cluster
from tests.support.shared import Added, add_person
from tests.support.stores import SqliteTestStore, TestStore, _postgres_store, settings_for

CALLBACK: Final = "https://intranet.example.com/callback"
OTHER_CALLBACK: Final = "https://portal.example.com/back?tenant=1"
PASSWORD: Final = "seven quiet herons"
FORM: Final = "application/x-www-form-urlencoded"
STEP_UP: Final = "urn:duanhao:acr:step-up"

_ADDRESSES: Final = count(1)


@dataclass(slots=True)
class Signing:
    """An open application in which time stands still."""

    world: World
    clock: FrozenClock
    store: TestStore
    secret: str

    async def person(self, password: str | None = PASSWORD, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
        """Add a person whose password is chosen already; ``None``: who has none."""
        added = await add_person(self.world, **members)
        if password is not None:
            await self.give(added.name, password, temporary=False)
        return added

    async def give(self, name: str, password: str, *, temporary: bool = True) -> None:
        """Give an account a password as the operator's command does."""
        passwords = self.world.application.sign_in.passwords
        account, _, hashed = await passwords.give(self.world.application.database.reader, name, password)
        async with self.world.application.database.unit_of_work() as unit:
            await passwords.put(unit.session, account, hashed, temporary=temporary)

    def browser(self, **options: Any) -> "Browser":  # noqa: ANN401 — of ``Browser``
        """Open a browser at an address of its own."""
        return Browser(self, **options)

    async def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement on the business store past the application."""
        async with self.world.application.database.engine.begin() as connection:
            result = await connection.exec_driver_sql(statement, tuple(values))
            return [tuple(row) for row in result] if result.returns_rows else []

    async def events(self, of: Added) -> list[tuple[str, str, str | None]]:
        """List action, decision and code of a person's own events, oldest first."""
        await self.world.settle()
        token = await self.world.token("infosec")
        asked = {"actor": str(of.id), "limit": "200"}
        answer = await self.browser().call(token, "/v1/access-events", params=asked)
        assert answer.status_code == 200, answer.text
        found = [(each["action"], each["decision"], each["code"]) for each in answer.json()["items"]]
        return found[::-1]


class _Hidden(HTMLParser):
    """Collects hidden fields, what is asked, and anything that must not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        if tag == "input":
            name = found["name"] or ""
            if found.get("type") == "hidden" or "hidden" in found:
                self.hidden[name] = found["value"] or ""
            else:
                self.asked.append(name)


def parsed(answer: httpx.Response) -> _Hidden:
    """Read a page."""
    page = _Hidden()
    page.feed(answer.text)
    return page


def returned(answer: httpx.Response) -> dict[str, str]:
    """Give what a redirect carries back to the client."""
    assert answer.status_code == 303, answer.text
    pairs = parse_qsl(urlsplit(answer.headers["Location"]).query, strict_parsing=True)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def challenge_of(verifier: str) -> str:
    """Make the PKCE challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(slots=True)
class Browser:
    """A person's browser, and what the front end that sent it keeps."""

    signing: Signing
    client_id: str = "intranet"
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = "af0ifjsldkj"
    hidden: dict[str, str] = field(default_factory=dict)
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        number = next(_ADDRESSES)
        address = f"198.51.{number // 250}.{number % 250 + 1}"
        transport = httpx.ASGITransport(self.signing.world.app, raise_app_exceptions=False, client=(address, 1))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")

    def question(self, **changes: str | None) -> dict[str, str]:
        """Write the parameters of an authorization request; ``None`` leaves one out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    async def ask(self, **changes: str | None) -> httpx.Response:
        """Follow the front end's link."""
        answer = await self.http.get("/oauth/authorize", params=self.question(**changes))
        self.hidden = parsed(answer).hidden
        return answer

    async def send(self, headers: dict[str, str] | None = None, /, **typed: str) -> httpx.Response:
        """Send the form that is open, with what was typed."""
        answer = await self.http.post("/oauth/authorize", data={**self.hidden, **typed}, headers=headers)
        self.hidden = parsed(answer).hidden or self.hidden
        return answer

    async def sign_in(self, name: str, password: str = PASSWORD, **changes: str | None) -> httpx.Response:
        """Ask and send name and password."""
        assert (await self.ask(**changes)).status_code == 200
        return await self.send(user_name=name, password=password)

    async def code(self, name: str, password: str = PASSWORD, **changes: str | None) -> str:
        """Sign in and give the code."""
        return returned(await self.sign_in(name, password, **changes))["code"]

    async def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        """Bring a code to the token endpoint as the front end does."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": self.redirect_uri,
            **changes,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return await self.http.post("/oauth/token", data=sent)

    async def tokens(self, name: str, password: str = PASSWORD, **changes: str | None) -> dict[str, Any]:
        """Sign in and give what the token endpoint answers."""
        answer = await self.exchange(await self.code(name, password, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def refresh(self, token: str, **changes: str) -> httpx.Response:
        """Bring a refresh token to the token endpoint."""
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token, **changes}
        return await self.http.post("/oauth/token", data=form)

    async def call(self, token: str, path: str = "/v1/me", method: str = "GET", **options: Any) -> httpx.Response:  # noqa: ANN401 — of httpx
        """Call the API with an access token."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.request(method, path, headers=headers, **options)

    async def enrol(self, name: str) -> "Phone":
        """Sign in and set up one-time codes."""
        token = (await self.tokens(name))["access_token"]
        begun = await self.call(token, "/v1/me/totp", "POST")
        assert begun.status_code == 201, begun.text
        phone = Phone(self.signing, base64.b32decode(begun.json()["secret"]))
        done = await self.call(token, "/v1/me/totp/confirmations", "POST", json={"code": phone.code()})
        assert done.status_code == 200, done.text
        self.signing.clock.advance(seconds=30)
        return phone


@dataclass(frozen=True, slots=True)
class Phone:
    """An authenticator app."""

    signing: Signing
    secret: bytes

    def code(self, steps: int = 0) -> str:
        """Show the code of now, or of some steps later."""
        now = self.signing.clock.now().timestamp()
        return totp.code_at(self.secret, totp.step_of(now) + steps)


def stored(token: str) -> bytes:
    """Give the form in which a code or refresh token is kept."""
    return token_hash(token)


def cheap(settings: Settings) -> Settings:
    """Hash as cheaply as the settings allow."""
    chosen = SignInSettings(argon2_memory_kib=19_456, argon2_rounds=2)
    return with_sensitive(settings).model_copy(update={"sign_in": chosen})


@asynccontextmanager
async def opened_signing(store: TestStore) -> AsyncIterator[Signing]:
    """Open a store with the company in it, and two front ends besides ``intranet``: one with a secret, one without."""
    clock = FrozenClock()
    async with open_application(cheap(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        async with application.database.unit_of_work() as unit:
            await application.clients.add(unit.session, NewClient("portal", "Portal <b>&", confidential=False))
            secret = (await application.clients.add(unit.session, NewClient("backend", "Back end"))).secret
            for name, uri in (("intranet", CALLBACK), ("portal", OTHER_CALLBACK), ("backend", CALLBACK)):
                await application.sign_in.redirects.add(unit.session, name, [uri], at=clock.now())
        try:
            yield Signing(world, clock, store, secret or "")
        finally:
            await world.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def signing_company(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Signing]:
    """Give the company that tests of sign-in share, on each engine in turn."""
    folder = tmp_path_factory.mktemp(f"signing-{request.param}") / "var"
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copytree(template, folder)
        folder.chmod(0o700)
        async with opened_signing(SqliteTestStore(settings=settings_for(folder))) as signing:
            yield signing
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    database = cluster.make(uuid4().hex[:12], template=request.getfixturevalue("postgres_template"))
    async with opened_signing(_postgres_store(cluster, database, data_dir=folder)) as signing:
        yield signing
    cluster.drop(database)


@pytest.fixture
def signing(signing_company: Signing) -> Signing:
    """Give the shared company of sign-in; a test that uses it runs in the session's loop."""
    return signing_company
