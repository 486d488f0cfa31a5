"""Requests over HTTP, as people file and decide them."""

from http import HTTPStatus
from typing import Any

import httpx

from tests.support.application import World


async def file(world: World, who: str, kind: str, subject: tuple[str, Any], **form: Any) -> httpx.Response:  # noqa: ANN401 — JSON
    """File a request as somebody; give the answer."""
    body = {"kind": kind, "subject": {"type": subject[0], "id": str(subject[1])}, "form": form}
    return await (await world.as_(who)).post("/v1/requests", json=body)


async def filed(world: World, who: str, kind: str, subject: tuple[str, Any], **form: Any) -> str:  # noqa: ANN401 — JSON
    """File a request that is taken; give its path."""
    answer = await file(world, who, kind, subject, **form)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def said(world: World, who: str, path: str, word: str = "approve", comment: str | None = None) -> dict[str, Any]:
    """Answer a request as somebody; fail unless the answer is taken."""
    answer = await (await world.as_(who)).post(f"{path}/decisions", json={"decision": word, "comment": comment})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def read(world: World, who: str, path: str) -> dict[str, Any]:
    """Read a request that is there for somebody, again if rights moved meanwhile, as the answer asks for."""
    client = await world.as_(who)
    answer = await client.get(path)
    if answer.status_code == HTTPStatus.CONFLICT:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
