"""A company in which the clock stands still, and people who are appointed for emergencies."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from sqlalchemy import select

from app.audit.events import EventDraft
from app.audit.matching import EventFilter
from app.notices.models import NoticeRow
from tests.support.application import World
from tests.support.clients import token_through
from tests.support.clock import FrozenClock

SCOPES: Final = ("contacts:read", "contacts:reveal", "contacts:write", "approvals:use", "access-log:read")
SESSIONS: Final = "/v1/emergency-sessions"
ELIGIBILITY: Final = "/v1/emergency-eligibility"
SHEETS: Final = "/v1/emergency-sheets"
REASON: Final = "Fire alarm in building B, two people missing"
FIRE: Final = {"scenario": "safety", "reason": REASON, "departments": ["RD"]}
COMMENT: Final = "Called only those who were missing"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice: what kind, to holders of which roles, to whom."""

    type: str
    roles: list[str]
    people: set[str]


@dataclass(slots=True)
class Crisis:
    """The company, and the hand on its clock."""

    world: World
    clock: FrozenClock

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        json: object = None,
        *,
        proof: bool = True,
        **params: Any,  # noqa: ANN401 — parameters
    ) -> httpx.Response:
        """Call as a person who has just signed in, with a second proof unless told otherwise."""
        claims: dict[str, Any] = {"auth_time": int(self.clock.now().timestamp())}
        claims["acr"] = "urn:duanhao:acr:step-up" if proof else "urn:duanhao:acr:password"
        token = await token_through(self.world, who, "intranet", *SCOPES, **claims)
        client = await self.world.as_(None)
        headers = {"Authorization": f"Bearer {token}"}
        return await client.request(method, path, json=json, headers=headers, params=params or None)

    async def appoint(self, *people: str, office: str = "opener", days: float = 90) -> list[str]:
        """Let security name people; give the ids of their appointments."""
        until = (self.clock.now() + timedelta(days=days)).isoformat()
        found = []
        for who in people:
            body = {"person": str(self.world.people[who]), "office": office, "until": until}
            answer = await self.call("infosec", "POST", ELIGIBILITY, body)
            assert answer.status_code == 201, answer.text
            found.append(answer.json()["id"])
        return found

    async def opened(self, who: str = "outsider", **members: Any) -> str:  # noqa: ANN401 — members of a body
        """Open a session about RD; give its path."""
        answer = await self.call(who, "POST", SESSIONS, {**FIRE, **members})
        assert answer.status_code == 201, answer.text
        return f"{SESSIONS}/{answer.json()['id']}"

    async def card(self, who: str, of: str, **query: str) -> dict[str, Any]:
        """Read a card inside the session of whoever reads it, unless another purpose is named."""
        path = f"/v1/contacts/{self.world.people[of]}"
        answer = await self.call(who, "GET", path, proof=False, **{"purpose": "emergency", **query})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def review(self, session: str, who: str, side: str, verdict: str = "justified") -> httpx.Response:
        """Judge a session for a side."""
        body = {"side": side, "verdict": verdict, "comment": COMMENT}
        return await self.call(who, "POST", f"{session}/reviews", body)

    async def reviewed(self, session: str) -> None:
        """Let both sides find a session justified."""
        for who in ("infosec", "hr"):
            answer = await self.review(session, who, who)
            assert answer.status_code == 201, answer.text

    async def sweep(self) -> int:
        """Do what is due, as the worker does."""
        return await self.world.application.emergency.sweep()

    async def events(self, action: str) -> list[EventDraft]:
        """Give the events of an action that was allowed, oldest first."""
        await self.world.settle()
        wanted = EventFilter(action=action, decision="allowed")
        page = await self.world.application.events.search(wanted, limit=200, oldest_first=True)
        return [each.event for each in page.events]

    async def told(self) -> list[Told]:
        """Give every notice of an emergency that was told, oldest first."""
        rows = select(NoticeRow.type, NoticeRow.audience).where(NoticeRow.type.startswith("emergency."))
        async with self.world.application.database.unit_of_work() as unit:
            found = await unit.session.execute(rows.order_by(NoticeRow.id))
            return [
                Told(kind.removeprefix("emergency."), list(audience["roles"]), set(audience["people"]))
                for kind, audience in found
            ]

    def ids(self, *people: str) -> set[str]:
        """Give the ids of people."""
        return {str(self.world.people[each]) for each in people}

    async def tag_key_people(self, *people: str) -> None:
        """Put people on the list of key people, as who keeps the directory does."""
        created = await self.call("steward", "POST", "/v1/tags", {"name": "key_person"})
        assert created.status_code in {201, 409}, created.text
        for who in people:
            client = await self.world.as_("steward")
            headers = {"If-Match": "*"}
            path = f"/v1/contacts/{self.world.people[who]}"
            answer = await client.patch(path, json={"tags": ["key_person"]}, headers=headers)
            assert answer.status_code == 200, answer.text
