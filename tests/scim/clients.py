"""The library's own client, and its tester, against the application in this process: their calls are synchronous, ours are not."""

import asyncio
from itertools import count
from typing import Any

import httpx
from scim2_client.client import BaseSyncSCIMClient, RawResponse
from scim2_client.engines.inprocess import _prepare_request, _stays_under_base_url

from app.auth.clients import NewClient
from tests.support.application import World

BASE = "http://duanhao.test/scim/v2"


class BridgedClient(BaseSyncSCIMClient):
    """Runs in a thread, and has its requests served by the loop in which the application lives."""

    def __init__(self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop, **options: Any) -> None:  # noqa: ANN401 — passed on
        super().__init__(**options)
        self.base_url, self._client, self._loop = BASE, client, loop

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return _stays_under_base_url(self.base_url, endpoint)

    def _parse_json(self, response: RawResponse) -> Any:  # noqa: ANN401 — any JSON
        return response.json()  # type: ignore[attr-defined]  # an answer of httpx

    def request(self, method: str, url: str, **options: Any) -> Any:  # noqa: ANN401 — as the library has it
        asked = _prepare_request(self.base_url, None, method, url, **options)
        sent = self._client.request(
            asked.method, asked.url.geturl(), content=asked.body, headers=[(k, v) for k, v in asked.headers]
        )
        return asyncio.run_coroutine_threadsafe(sent, self._loop).result(30)


ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DIRECTORY = "urn:duanhao:params:scim:schemas:extension:directory:1.0:User"
CLIENT = "entra"


async def provisioner(world: World, name: str = CLIENT) -> httpx.AsyncClient:
    """Give a client that calls as a provisioning service account, which has that scope alone; make it the first time."""
    application = world.application
    async with application.database.unit_of_work() as unit:
        if not await application.clients.taken(unit.session, name):
            await application.clients.add(unit.session, NewClient(name, "Identity provider", scopes=("scim",)))
    return await world.as_(name)


_NUMBERS = count(1)


def a_user(**members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a user
    """Write a new user whom nobody else is; ``members`` overrule."""
    at = next(_NUMBERS)
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": f"Provisioned.{at}@example.com",
        "externalId": f"object-{at}",
        "displayName": "欧阳新月",
        "title": "工程师",
        "active": True,
        "emails": [{"value": f"provisioned{at}@example.com", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": f"1350000{at:04d}", "type": "mobile"}],
        ENTERPRISE: {"employeeNumber": f"P{at}", "department": "RD"},
        **members,
    }


async def made(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a user
    """Make a user; give what was answered."""
    answer = await client.post("/scim/v2/Users", json=a_user(**members))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """Write the body of a PATCH."""
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def refused(answer: httpx.Response, status: int, kind: str | None = None) -> dict[str, Any]:
    """Read a refusal: a SCIM Error, whoever refused."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/scim+json"), answer.text
    found: dict[str, Any] = answer.json()
    assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (found["status"], found.get("scimType")) == (str(status), kind), answer.text
    return found
