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
    """Send one request and hold its answer to what is written beside it."""
    step = json.loads(filled(json.dumps(step, ensure_ascii=False), values))
    media = step.get("content_type", "application/scim+json")
    body = json.dumps(step["body"]).encode() if "body" in step else None
    answer = await client.request(
        step["method"], f"/scim/v2/{step['path']}", content=body, headers={"Content-Type": media} if body else {}
    )
    if step["status"] >= 400:
        refused(answer, step["status"], "uniqueness" if step["status"] == 409 else None)
        return
    assert answer.status_code == step["status"], (step["name"], answer.text)
    if not answer.content:
        return
    told = answer.json()
    assert {name: told.get(name) for name in step.get("expect", {})} == step.get("expect", {}), step["name"]
    assert not told.keys() & set(step.get("absent", ())), step["name"]
    if "manager" in step:
        assert told[ENTERPRISE].get("manager", {}).get("value") == step["manager"], step["name"]
    if "save" in step:
        values[step["save"]] = told["id"]


@pytest.mark.parametrize("product", ["entra", "okta"])
async def test_a_provider_is_served_in_its_own_shapes(shared: World, product: str) -> None:
    client, run = await provisioner(shared, f"{product}-replay"), next(_RUNS)
    values = {"n": str(run), "n3": f"{run:03d}", "manager": str(shared.people["head"])}
    for step in json.loads((FIXTURES / f"{product}.json").read_text(encoding="utf-8")):
        await replayed(client, step, values)
