"""Requests over HTTP, from filing to their end, in the company that is there."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.application import World


@dataclass(frozen=True, slots=True)
class Walk:
    """A request that was filed, by its path."""

    world: World
    path: str

    async def say(self, who: str, word: str = "approve") -> dict[str, Any]:
        """Answer the step that awaits somebody; fail unless the answer is taken."""
        answer = await (await self.world.as_(who)).post(f"{self.path}/decisions", json={"decision": word})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def through(self, *people: str) -> str:
        """Let people say yes one after the other; give the state after the last."""
        state = ""
        for each in people:
            state = str((await self.say(each))["state"])
        return state

    async def act(self, who: str, what: str, **members: object) -> httpx.Response:
        """Post to a sub-resource as somebody."""
        return await (await self.world.as_(who)).post(f"{self.path}/{what}", json=members)

    async def ended(self, who: str, what: str, **members: object) -> str:
        """As ``act``; fail unless it is taken; give the state."""
        answer = await self.act(who, what, **members)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    async def read(self, who: str = "auditor") -> dict[str, Any]:
        """Read the request."""
        answer = await (await self.world.as_(who)).get(self.path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def file(
    world: World,
    who: str,
    kind: str,
    about: tuple[str, object],
    form: dict[str, Any],
    beneficiary: object = None,
) -> httpx.Response:
    """File a request as somebody."""
    body: dict[str, Any] = {"kind": kind, "subject": {"type": about[0], "id": str(about[1])}, "form": form}
    if beneficiary is not None:
        body["beneficiary"] = str(beneficiary)
    return await (await world.as_(who)).post("/v1/requests", json=body)


async def filed(
    world: World,
    who: str,
    kind: str,
    about: tuple[str, object],
    form: dict[str, Any],
    beneficiary: object = None,
) -> Walk:
    """File a request that is taken."""
    answer = await file(world, who, kind, about, form, beneficiary)
    assert answer.status_code == 201, answer.text
    return Walk(world, answer.headers["Location"])
