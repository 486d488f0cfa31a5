"""What Entra ID and Okta send, replayed: requests of our own making, in the shapes that they are known for, in their order."""

import json
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.scim.clients import ENTERPRISE, provisioner, refused
from tests.support.application import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
FIXTURES: Final = Path(__file__).parent / "fixtures"
_RUNS: Final = count(100)


def filled(text: str, values: dict[str, str]) -> str:
    """Put what is known into the places of a template."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


async def replayed(client: httpx.AsyncClient, step: dict[str, Any], values: dict[str, str]) -> None:
    """Send one request and hold its answer to what is written beside it.

    ``expect``: members of the answer, whole; ``first``: those of the first that is listed; ``enterprise``: those of that extension;
    ``members``: who belongs to the group; ``absent``: what the answer has not; ``token``: another than the client's own.
    """
    step = json.loads(filled(json.dumps(step, ensure_ascii=False), values))
    name, body = step["name"], json.dumps(step["body"]).encode() if "body" in step else None
    headers = {"Content-Type": step.get("content_type", "application/scim+json")} if body else {}
    headers |= {"Authorization": f"Bearer {step['token']}"} if "token" in step else {}
    answer = await client.request(step["method"], f"/scim/v2/{step['path']}", content=body, headers=headers)
    if step["status"] >= 400:
        refused(answer, step["status"], "uniqueness" if step["status"] == 409 else None)
        return
    assert answer.status_code == step["status"], (name, answer.text)
    if not answer.content:
        return
    told = answer.json()
    assert {each: told.get(each) for each in step.get("expect", {})} == step.get("expect", {}), name
    assert not told.keys() & set(step.get("absent", ())), name
    if "totalResults" in told:
        assert [type(told[each]) for each in ("totalResults", "startIndex", "itemsPerPage")] == [int] * 3, name
        assert told["itemsPerPage"] == len(told["Resources"]) <= told["totalResults"], name
    if "first" in step:
        first = told["Resources"][0]
        assert {each: first.get(each) for each in step["first"]} == step["first"], name
    if "members" in step:
        assert [each["value"] for each in told.get("members", ())] == step["members"], name
    if "enterprise" in step:
        assert told[ENTERPRISE] == step["enterprise"], name
    if "manager" in step:
        assert told[ENTERPRISE].get("manager", {}).get("value") == step["manager"], name
    if "save" in step:
        assert answer.headers["location"] == told["meta"]["location"], name
        values[step["save"]] = told["id"]


@pytest.mark.parametrize("product", ["entra", "okta"])
async def test_a_provider_is_served_in_its_own_shapes(shared: World, product: str) -> None:
    client, run = await provisioner(shared, f"{product}-replay"), next(_RUNS)
    values = {"n": str(run), "n3": f"{run:03d}", "manager": str(shared.people["head"])}
    for step in json.loads((FIXTURES / f"{product}.json").read_text(encoding="utf-8")):
        await replayed(client, step, values)
