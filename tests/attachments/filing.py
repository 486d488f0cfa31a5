"""Uploading files and filing with them, as people do over HTTP."""

from typing import Any, Final

import httpx

from tests.support.application import World
from tests.support.files import PDF, pdf
from tests.support.shared import Added

CONTENT: Final = pdf(b"<</Name(Wu-Ming certificate 13800007788)>>")
NAME: Final = "户口本 证明.pdf"


async def upload(
    world: World,
    who: str,
    path: str = "/v1/attachments",
    *,
    content: bytes = CONTENT,
    name: str = NAME,
    kind: str = PDF,
    key: str | None = None,
) -> httpx.Response:
    """Post a file as somebody."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await (await world.as_(who)).post(path, files={"file": (name, content, kind)}, headers=headers)


async def staged(world: World, who: str, **members: Any) -> str:  # noqa: ANN401 — of ``upload``
    """Stage a file that is taken; give its id."""
    answer = await upload(world, who, **members)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def attached(world: World, who: str, path: str, **members: Any) -> str:  # noqa: ANN401 — of ``upload``
    """Put a file that is taken to a request; give its path."""
    answer = await upload(world, who, f"{path}/attachments", **members)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def file(
    world: World, someone: Added, *, attachments: list[str] | None = None, amends: str | None = None, **form: object
) -> httpx.Response:
    """Ask for a change of one's own card as somebody, or file it anew."""
    given = {"changes": {"title": "主任工程师"}, "reason": "as the paper shows", **form}
    client = await world.as_(someone.name)
    if amends is not None:
        return await client.post(f"{amends}/amendments", json={"form": given})
    body: dict[str, object] = {
        "kind": "contact.change",
        "subject": {"type": "contact", "id": str(someone.id)},
        "form": given,
    }
    return await client.post("/v1/requests", json=body if attachments is None else {**body, "attachments": attachments})


async def filed(world: World, someone: Added, **members: Any) -> str:  # noqa: ANN401 — of ``file``
    """As ``file``; fail unless it is taken; give its path."""
    answer = await file(world, someone, **members)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.headers["Location"])


async def say(world: World, who: str, path: str, word: str = "approve") -> str:
    """Answer a request as somebody; fail unless it is taken; give its state."""
    answer = await (await world.as_(who)).post(f"{path}/decisions", json={"decision": word})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


async def listed(world: World, who: str, path: str) -> list[dict[str, Any]]:
    """List files as somebody."""
    answer = await (await world.as_(who)).get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found
