"""The token endpoint, the key set and the description of the issuer, as a client over HTTP meets them."""

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus

import httpx
import pytest
from fastapi import FastAPI
from jose import jws

from app.api.tokens import router
from app.auth.compact import strict_object
from app.auth.issuer import TOKEN_EXCHANGE
from app.auth.oauth import MAX_FORM_BYTES
from app.auth.subject import Service
from app.kit.db import Database
from app.kit.edge import RequestEdge
from tests.auth.forge import ISSUER
from tests.auth.world import World, build, make_tables, people
from tests.support.clock import FrozenClock
from tests.support.stores import SqliteTestStore

FORM: Final = "application/x-www-form-urlencoded"
GRANT: Final = "grant_type=client_credentials"
Headers = Mapping[str, str] | Sequence[tuple[str, str]]
Ask = Callable[["Caller"], Awaitable[httpx.Response]]

UNKNOWN: Final = {"error": "invalid_client", "error_description": "The client is unknown or its secret is wrong"}


class Caller:
    """A client of the token endpoint with the secret of ``hr-system``."""

    def __init__(self, http: httpx.AsyncClient, world: World, secret: str) -> None:
        self.http, self.world, self.secret = http, world, secret

    def basic(self, client_id: str = "hr-system", secret: str | None = None) -> dict[str, str]:
        pair = f"{quote_plus(client_id)}:{quote_plus(self.secret if secret is None else secret)}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}

    def post_form(self, client_id: str = "hr-system", secret: str | None = None) -> str:
        return f"{GRANT}&client_id={quote_plus(client_id)}&client_secret={quote_plus(secret or self.secret)}"

    async def ask(
        self, body: str | bytes = GRANT, headers: Headers = (), *, content_type: str | None = FORM
    ) -> httpx.Response:
        listed = list(headers.items() if isinstance(headers, Mapping) else headers)
        kind = [] if content_type is None else [("Content-Type", content_type)]
        return await self.http.post("/oauth/token", content=body, headers=[*kind, *listed])


@pytest.fixture
async def caller(empty_sqlite_store: SqliteTestStore) -> AsyncIterator[Caller]:
    """Serve the routes alone, inside the edge that every request passes."""
    empty_sqlite_store.settings.data_dir.mkdir(parents=True)
    database = Database(empty_sqlite_store.settings)
    await make_tables(database)
    world = await build(database, FrozenClock())
    secret = await people(world)
    app = FastAPI()
    app.include_router(router)
    app.state.tokens = world.tokens
    transport = httpx.ASGITransport(RequestEdge(app, max_body_bytes=1_048_576), client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Caller(http, world, secret)
    await world.http.aclose()
    await database.close()


async def check_token(caller: Caller, answer: httpx.Response, scopes: set[str]) -> None:
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], set(body["scope"].split())) == ("Bearer", 600, scopes)
    assert await caller.world.verifier.verify(body["access_token"]) == Service("hr-system", frozenset(scopes))


async def test_a_client_gets_a_token_with_basic_or_in_the_form(caller: Caller) -> None:
    await check_token(caller, await caller.ask(headers=caller.basic()), {"hr:write", "scim"})
    await check_token(caller, await caller.ask(caller.post_form()), {"hr:write", "scim"})
    await check_token(caller, await caller.ask(GRANT + "&client_id=hr-system", caller.basic()), {"hr:write", "scim"})


async def test_a_client_gets_the_scopes_that_it_asks_for(caller: Caller) -> None:
    await check_token(caller, await caller.ask(GRANT + "&scope=scim", caller.basic()), {"scim"})
    await check_token(caller, await caller.ask(GRANT + "&scope=scim+hr%3Awrite", caller.basic()), {"hr:write", "scim"})
    await check_token(caller, await caller.ask(GRANT + "&scope=", caller.basic()), {"hr:write", "scim"})


async def test_unknown_parameters_are_ignored_as_the_standard_demands(caller: Caller) -> None:
    await check_token(caller, await caller.ask(GRANT + "&resource=x&x=", caller.basic()), {"hr:write", "scim"})
    charset = FORM + "; charset=UTF-8"
    await check_token(caller, await caller.ask(headers=caller.basic(), content_type=charset), {"hr:write", "scim"})


REFUSED: Final[list[tuple[str, int, str, Ask]]] = [
    ("no grant type", 400, "invalid_request", lambda c: c.ask("scope=scim", c.basic())),
    ("empty body", 400, "invalid_request", lambda c: c.ask("", c.basic())),
    ("empty grant type", 400, "invalid_request", lambda c: c.ask("grant_type=", c.basic())),
    ("grant type twice", 400, "invalid_request", lambda c: c.ask(f"{GRANT}&{GRANT}", c.basic())),
    ("scope twice", 400, "invalid_request", lambda c: c.ask(GRANT + "&scope=scim&scope=", c.basic())),
    ("no equals sign", 400, "invalid_request", lambda c: c.ask(GRANT + "&scope", c.basic())),
    ("not ASCII", 400, "invalid_request", lambda c: c.ask(GRANT.encode() + b"&scope=\xff", c.basic())),
    ("not UTF-8 inside", 400, "invalid_request", lambda c: c.ask(GRANT + "&scope=%FF", c.basic())),
    ("many parameters", 400, "invalid_request", lambda c: c.ask(GRANT + "&a=b" * 40, c.basic())),
    ("too long", 400, "invalid_request", lambda c: c.ask(GRANT + "&a=" + "b" * MAX_FORM_BYTES, c.basic())),
    ("JSON", 400, "invalid_request", lambda c: c.ask('{"grant_type":"x"}', c.basic(), content_type="application/json")),
    ("multipart", 400, "invalid_request", lambda c: c.ask(GRANT, c.basic(), content_type="multipart/form-data")),
    ("no type", 400, "invalid_request", lambda c: c.ask(GRANT, c.basic(), content_type=None)),
    ("both ways", 400, "invalid_request", lambda c: c.ask(c.post_form(), c.basic())),
    ("two headers", 400, "invalid_request", lambda c: c.ask(GRANT, [*c.basic().items(), *c.basic().items()])),
    ("two clients", 400, "invalid_request", lambda c: c.ask(GRANT + "&client_id=siem", c.basic())),
    ("password", 400, "unsupported_grant_type", lambda c: c.ask("grant_type=password", c.basic())),
    ("exchange", 400, "unsupported_grant_type", lambda c: c.ask("grant_type=urn:x:token-exchange", c.basic())),
    ("scope of others", 400, "invalid_scope", lambda c: c.ask(GRANT + "&scope=numbers%3Aadmin", c.basic())),
    ("scope unknown", 400, "invalid_scope", lambda c: c.ask(GRANT + "&scope=scim+everything", c.basic())),
    ("scope malformed", 400, "invalid_scope", lambda c: c.ask(GRANT + "&scope=scim++hr%3Awrite", c.basic())),
    ("scope with quotes", 400, "invalid_scope", lambda c: c.ask(GRANT + "&scope=%22scim%22", c.basic())),
    ("no client", 401, "invalid_client", lambda c: c.ask()),
    ("wrong secret", 401, "invalid_client", lambda c: c.ask(headers=c.basic(secret="wrong"))),
    ("wrong secret in the form", 401, "invalid_client", lambda c: c.ask(c.post_form(secret="wrong"))),
    ("secret and more", 401, "invalid_client", lambda c: c.ask(headers=c.basic(secret=c.secret + "x"))),
    ("secret in another case", 401, "invalid_client", lambda c: c.ask(headers=c.basic(secret=c.secret.swapcase()))),
    ("empty secret", 401, "invalid_client", lambda c: c.ask(headers=c.basic(secret=""))),
    ("huge secret", 401, "invalid_client", lambda c: c.ask(headers=c.basic(secret="x" * 4000))),
    ("unknown client", 401, "invalid_client", lambda c: c.ask(headers=c.basic("crm"))),
    ("client in another case", 401, "invalid_client", lambda c: c.ask(headers=c.basic("HR-System"))),
    ("client of no form", 401, "invalid_client", lambda c: c.ask(headers=c.basic("x' OR 1=1 --"))),
    ("front end", 401, "invalid_client", lambda c: c.ask(headers=c.basic("intranet"))),
    ("person", 401, "invalid_client", lambda c: c.ask(headers=c.basic("demo-staff"))),
    ("unknown client, password", 401, "invalid_client", lambda c: c.ask("grant_type=password", c.basic("crm"))),
    ("unknown client, scope", 401, "invalid_client", lambda c: c.ask(GRANT + "&scope=x", c.basic("crm"))),
    ("bearer", 401, "invalid_client", lambda c: c.ask(GRANT, {"Authorization": "Bearer a.b.c"})),
    ("no base64", 401, "invalid_client", lambda c: c.ask(GRANT, {"Authorization": "Basic ###"})),
    ("no colon", 401, "invalid_client", lambda c: c.ask(GRANT, {"Authorization": "Basic aHI="})),
    ("not UTF-8 in basic", 401, "invalid_client", lambda c: c.ask(GRANT, {"Authorization": "Basic /zr/"})),
]


@pytest.mark.parametrize(("name", "status", "error", "ask"), REFUSED, ids=[name for name, *_ in REFUSED])
async def test_a_refusal_has_the_shape_of_rfc_6749(
    caller: Caller, name: str, status: int, error: str, ask: Ask
) -> None:
    before = await caller.world.dump()
    answer = await ask(caller)
    assert (answer.status_code, answer.json()["error"]) == (status, error), name
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers.get("www-authenticate", "").startswith("Basic realm=") == (status == 401)
    assert caller.secret not in answer.text
    assert await caller.world.dump() == before


async def test_an_unknown_client_and_a_wrong_secret_look_alike(caller: Caller) -> None:
    async with caller.world.database.unit_of_work() as unit:
        disabled = await caller.world.clients.rotate_secret(unit.session, "hr-system")
        await caller.world.clients.disable(unit.session, "hr-system")
    pairs = (("hr-system", "wrong"), ("hr-system", disabled.secret), ("crm", "wrong"), ("intranet", "wrong"))
    answers = [await caller.ask(headers=caller.basic(*pair)) for pair in pairs]
    ignored = {"x-request-id"}
    looks = {
        (a.status_code, a.text, str([item for item in a.headers.items() if item[0] not in ignored])) for a in answers
    }
    assert len(looks) == 1
    assert answers[0].json() == UNKNOWN


async def test_failures_are_throttled_and_others_are_not(caller: Caller) -> None:
    for _ in range(10):
        assert (await caller.ask(headers=caller.basic(secret="wrong"))).status_code == 401
    throttled = await caller.ask(headers=caller.basic())
    assert (throttled.status_code, throttled.json()["error"]) == (429, "slow_down")
    assert throttled.headers["retry-after"] == "60"
    assert throttled.headers["cache-control"] == "no-store"
    caller.world.clock.advance(seconds=60)
    await check_token(caller, await caller.ask(headers=caller.basic()), {"hr:write", "scim"})


async def test_a_row_edited_by_sql_is_an_unknown_client(caller: Caller) -> None:
    async with caller.world.database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE client SET scopes = '[\"numbers:admin\"]' WHERE client_id = 'hr-system'"
        )
    answer = await caller.ask(headers=caller.basic())
    assert (answer.status_code, answer.json()) == (401, UNKNOWN)


async def test_without_a_store_the_client_is_told_to_come_back(caller: Caller) -> None:
    async with caller.world.database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE client")
    answer = await caller.ask(headers=caller.basic())
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_the_published_keys_verify_a_token_and_are_public_halves_only(caller: Caller) -> None:
    answer = await caller.http.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    keys = answer.json()["keys"]
    assert [key["kid"] for key in keys] == ["ours", "next"]
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in keys)
    token = (await caller.ask(headers=caller.basic())).json()["access_token"]
    assert strict_object(jws.verify(token, answer.json(), "ES256"))["client_id"] == "hr-system"


async def test_the_description_names_what_is_there(caller: Caller) -> None:
    answer = await caller.http.get("/.well-known/oauth-authorization-server")
    document = answer.json()
    assert (answer.status_code, document["issuer"]) == (200, ISSUER)
    assert {"client_credentials", TOKEN_EXCHANGE} <= set(document["grant_types_supported"])
    assert {"client_secret_basic", "client_secret_post"} < set(document["token_endpoint_auth_methods_supported"])
    for member, method in (("token_endpoint", "POST"), ("jwks_uri", "GET")):
        path = document[member].removeprefix(ISSUER)
        assert (await caller.http.request(method, path)).status_code in {200, 400}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_token_endpoint_takes_post_alone(caller: Caller, method: str) -> None:
    assert (await caller.http.request(method, "/oauth/token?grant_type=client_credentials")).status_code == 405
