"""Clients of the OAuth endpoints: made for a test, with a secret, asking in forms."""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx

from app.auth.clients import NewClient
from app.auth.issuer import TOKEN_EXCHANGE
from tests.support.application import World

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
_NUMBERS: Final = count(1)


@dataclass(frozen=True, slots=True)
class Asker:
    """A client with its secret (``None`` for a front end), and how it asks."""

    world: World
    client_id: str
    secret: str | None

    async def ask(self, path: str, /, **form: str) -> httpx.Response:
        """Post a form as this client; a parameter that is empty is not sent."""
        http = await self.world.as_(None)
        given = {"client_id": self.client_id, **({} if self.secret is None else {"client_secret": self.secret}), **form}
        return await http.post(path, data={name: value for name, value in given.items() if value})

    async def exchange(self, token: str, **form: str) -> httpx.Response:
        """Ask for a token to act with for the person whose ``token`` it is."""
        asked = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        return await self.ask("/oauth/token", **{**asked, **form})

    async def acting(self, token: str, **form: str) -> dict[str, str]:
        """Exchange ``token`` and give the headers of a call for its person; fail unless that is allowed."""
        answer = await self.exchange(token, **form)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def introspect(self, token: str, **form: str) -> dict[str, Any]:
        """Ask whether a token is good; fail unless that is answered."""
        answer = await self.ask("/oauth/introspect", token=token, **form)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def add_client(world: World, **members: Any) -> Asker:  # noqa: ANN401 — members of a new client
    """Add a client of its own name; ``members`` as of ``NewClient``."""
    client_id = f"client-{next(_NUMBERS)}"
    new = NewClient(**{"client_id": client_id, "name": client_id, "scopes": ("contacts:read",), **members})
    async with world.application.database.unit_of_work() as unit:
        issued = await world.application.clients.add(unit.session, new)
    return Asker(world, new.client_id, issued.secret)


async def token_through(world: World, name: str, front_end: str, *scopes: str, **claims: Any) -> str:  # noqa: ANN401 — claims
    """Sign the token that a person has through a front end, as the built-in issuer would."""
    application = world.application
    account = await application.accounts.by_user_name(application.database.reader, name)
    assert account is not None
    lifetime = claims.pop("lifetime", 600)
    issued = application.tokens.issuer.issue(
        subject=name,
        client_id=front_end,
        scopes=frozenset(scopes or ("contacts:read", "contacts:reveal")),
        epoch=account.epoch,
        lifetime=lifetime,
        more=claims,
    )
    return issued.text
