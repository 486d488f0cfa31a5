"""Provisions over HTTP, from the request to the return, in a company whose clock stands still until it is moved on."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from sqlalchemy import select

from app.audit.events import EventDraft
from app.audit.matching import EventFilter
from app.notices.models import NoticeRow
from app.provisions.sealing import RecipientKeys
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.shared import Added, add_person

PROVISIONS: Final = "/v1/provisions"
RECIPIENT: Final = {"name": "顺达物流有限公司", "contact": "李经理 contact@partner.example", "region": "CN"}
EVIDENCE: Final = "Certificate of destruction no. 17"
KEYS: Final = RecipientKeys(bytes(range(32)))


@dataclass(slots=True)
class Agency:
    """The company, the hand on its clock, and who asks unless somebody else is named."""

    world: World
    clock: FrozenClock
    asker: str = "staff"

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        json: object = None,
        **params: Any,  # noqa: ANN401 — parameters
    ) -> httpx.Response:
        """Call as somebody, with a token of this moment."""
        client = await self.world.as_(None)
        headers = {"Authorization": f"Bearer {await self.world.token(who)}"}
        return await client.request(method, path, json=json, headers=headers, params=params or None)

    async def people(self, count: int, **members: Any) -> list[Added]:  # noqa: ANN401 — members of a contact
        """Add people of another department."""
        return [await add_person(self.world, **{"department": "SALES", **members}) for _ in range(count)]

    def form(self, people: list[Added], *fields: str, days: float = 30, **members: object) -> dict[str, Any]:
        """Fill in the form."""
        return {
            "recipient": RECIPIENT,
            "purpose": "联系送货时间",
            "method": "仅用于电话联系，不转发",
            "until": (self.clock.now() + timedelta(days=days)).isoformat(),
            "contacts": [str(each.id) for each in people],
            "fields": list(fields or ("mobile",)),
            **members,
        }

    async def file(
        self,
        form: dict[str, Any],
        who: str | None = None,
        *,
        contract: str | None = None,
        beneficiary: UUID | None = None,
    ) -> httpx.Response:
        """Ask to provide."""
        named = contract or f"HT-{form['contacts'][0][-12:]}"
        body: dict[str, Any] = {"kind": "provide.external", "subject": {"type": "contract", "id": named}, "form": form}
        if beneficiary is not None:
            body["beneficiary"] = str(beneficiary)
        return await self.call(who or self.asker, "POST", "/v1/requests", body)

    async def filed(self, form: dict[str, Any], who: str | None = None, **further: Any) -> str:  # noqa: ANN401 — of ``file``
        """Ask to provide, and be taken; give the request's path."""
        answer = await self.file(form, who, **further)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    async def say(self, path: str, who: str, word: str = "approve", **members: object) -> str:
        """Answer a request, and be taken; give its state then."""
        answer = await self.call(who, "POST", f"{path}/decisions", {"decision": word, **members})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    async def through(self, path: str, *people: str) -> str:
        """Let people say yes one after the other; give the state after the last."""
        state = ""
        for each in people:
            state = await self.say(path, each)
        return state

    async def request(self, path: str, who: str = "auditor") -> dict[str, Any]:
        """Read a request."""
        return await self.read(who, path)

    async def read(self, who: str, path: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 — parameters
        """Read what is there for somebody."""
        answer = await self.call(who, "GET", path, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def provision(self, path: str) -> str:
        """Give the path of the provision that a request began."""
        (effect,) = (await self.request(path))["effects"]
        return f"{PROVISIONS}/{effect['result']['provision']}"

    async def begun(
        self, people: list[Added], *fields: str, days: float = 30, who: str | None = None
    ) -> tuple[str, str]:
        """Bring a provision to where everybody has consented; give the paths of the request and of the provision."""
        path = await self.filed(self.form(people, *fields, days=days), who)
        assert await self.through(path, "head", "steward", *(each.name for each in people)) == "active"
        return path, await self.provision(path)

    async def package(
        self, provision: str, who: str | None = None, keys: RecipientKeys | None = KEYS
    ) -> httpx.Response:
        """Ask for the package."""
        body = {} if keys is None else {"recipient_key": keys.public_text()}
        return await self.call(who or self.asker, "POST", f"{provision}/packages", body)

    async def packaged(self, provision: str, who: str | None = None) -> dict[str, Any]:
        """Get the package, and open it as its recipient does."""
        answer = await self.package(provision, who)
        assert answer.status_code == 201, answer.text
        return KEYS.open(b64decode(answer.json()["content"]))

    async def declare(self, provision: str, who: str | None = None, kind: str = "destroyed") -> httpx.Response:
        """Say that it was returned or destroyed."""
        return await self.call(who or self.asker, "POST", f"{provision}/returns", {"kind": kind, "evidence": EVIDENCE})

    async def confirm(self, provision: str, who: str = "steward", decision: str = "confirm") -> httpx.Response:
        """Say whether that is believed."""
        body = {"decision": decision, "comment": "Seen the certificate"}
        return await self.call(who, "POST", f"{provision}/return-confirmations", body)

    async def withdraw(self, path: str, who: str) -> httpx.Response:
        """Take one's consent back."""
        return await self.call(who, "POST", f"{path}/revocations", {"reason": "I changed my mind"})

    async def pass_(self, **span: float) -> None:
        """Let time pass, and the worker's clocks do what is due by then."""
        self.clock.advance(**span)
        application = self.world.application
        while await application.approvals.clock.sweep() + await application.provisions.sweep():
            pass

    async def state(self, provision: str) -> str:
        """Tell where a provision is."""
        return str((await self.read("auditor", provision))["state"])

    async def events(self, action: str, provision: str) -> list[EventDraft]:
        """Give the events of an action on a provision, oldest first."""
        await self.world.settle()
        wanted = EventFilter(action=action, decision="allowed")
        page = await self.world.application.events.search(wanted, limit=200, oldest_first=True)
        identity = provision.rpartition("/")[2]
        return [each.event for each in page.events if (each.event.query or {}).get("provision") == identity]

    async def told(self, provision: str) -> list[tuple[str, set[str], tuple[str, ...]]]:
        """Give every notice of a provision: what, to whom, to holders of which roles; oldest first."""
        identity = provision.rpartition("/")[2]
        rows = select(NoticeRow.type, NoticeRow.audience, NoticeRow.body).where(NoticeRow.type.startswith("provision."))
        async with self.world.application.database.unit_of_work() as unit:
            found = await unit.session.execute(rows.order_by(NoticeRow.id))
            return [
                (kind.removeprefix("provision."), set(audience["people"]), tuple(audience["roles"]))
                for kind, audience, body in found
                if body["provision"]["id"] == identity
            ]

    async def marks(self, who: str | None = None) -> frozenset[str]:
        """Give the marks that somebody carries."""
        return (await self.world.viewer(who or self.asker)).standing.marks
