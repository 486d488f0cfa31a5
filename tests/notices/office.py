"""The part of the service that tells, over the shared company: with a clock of the test's own, and addresses on the loopback interface."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from app.application import Application
from app.contacts.addresses import MailAddresses
from app.disclosure.showing import Showing
from app.kit.models import new_id
from app.main import create_app
from app.notices.courier import Courier
from app.notices.desk import NoticeDesk
from app.notices.notice import Audience, Notice
from app.notices.posting import Poster, Resolver, looked_up
from app.notices.targets import Reach
from app.outgoing import NoticesSettings, SmtpSettings
from tests.support.application import World
from tests.support.clock import FrozenClock

LOOP = Reach(plain_loopback=True)
TABLES = ("notice_delivery", "notice_queue", "webhook", "notice")


@dataclass(slots=True)
class Office:
    """What tells, and who keeps it."""

    world: World
    desk: NoticeDesk
    clock: FrozenClock

    @property
    def application(self) -> Application:
        """The application whose notices these are."""
        return self.world.application

    async def keeper(self) -> httpx.AsyncClient:
        """Give somebody who keeps addresses."""
        return await self.world.as_("it")

    async def register(self, url: str, *types: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of the body
        """Register an address; give the receipt."""
        body = {"label": "a receiver", "url": url, "types": list(types) or ["request.*"], **members}
        answer = await (await self.keeper()).post("/v1/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def tell(
        self,
        notice_type: str = "request.filed",
        subject: Mapping[str, Any] | None = None,
        audience: Audience | None = None,
    ) -> Notice:
        """Tell something, in a transaction of its own."""
        notice = Notice(
            id=new_id(),
            type=notice_type,
            occurred_at=self.clock.now(),
            body={notice_type.partition(".")[0]: {"id": new_id(), "state": "pending", "version": 1, **(subject or {})}},
            audience=audience or Audience(),
        )
        async with self.application.database.unit_of_work() as unit:
            await self.desk.service.tell(unit, notice)
        return notice

    async def run(self) -> None:
        """Take out all that is due."""
        while await self.desk.sweep():
            await self.desk.courier.idle()

    async def deliveries(self, webhook: Mapping[str, Any], **query: str) -> list[dict[str, Any]]:
        """List the tellings of an address, newest first."""
        answer = await (await self.keeper()).get(f"/v1/webhooks/{webhook['id']}/deliveries", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def webhook(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """Read an address."""
        answer = await (await self.keeper()).get(f"/v1/webhooks/{made['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def poster(self, *, reach: Reach = LOOP, resolver: Resolver = looked_up, **more: Any) -> Poster:  # noqa: ANN401 — of Poster
        """Make what posts."""
        return Poster(reach, resolver=resolver, **more)

    def use(self, courier: Courier) -> Courier:
        """Take tellings out by another courier from now on."""
        self.desk.courier = courier
        return courier


@asynccontextmanager
async def opened_office(
    world: World, *, smtp: SmtpSettings | None = None, settings: NoticesSettings | None = None
) -> AsyncIterator[Office]:
    """Open the office over a company; leave no notice and no address behind."""
    application, clock = world.application, FrozenClock(datetime.now(UTC))
    given = {
        "notices": settings or NoticesSettings(plain_loopback=True, public_url="https://d.example.com"),
        "smtp": smtp or SmtpSettings(),
    }
    showing = Showing(
        gate=application.gate,
        standings=application.standings,
        cursors=application.cursors,
        reader=application.database.reader,
        clock=clock,
    )
    desk = NoticeDesk(
        showing,
        settings=application.settings.model_copy(update=given),
        key=application.keyring.mac_key,
        accounts=application.account_rows,
        addresses=MailAddresses(application.contact_rows, application.gate, application.standings),
        database=application.database,
        idempotency=application.idempotency,
    )
    desk.courier = desk.made_courier(Poster(LOOP), chance=lambda: 0.0)
    telling = replace(application, notices=desk)
    inside = World(telling, create_app(application.settings, telling), world.departments, world.people)
    try:
        yield Office(inside, desk, clock)
    finally:
        await desk.close()
        await inside.close()
        async with application.database.unit_of_work() as unit:
            for table in TABLES:
                await unit.session.execute(text(f"DELETE FROM {table}"))


def stored(identity: UUID | str, dialect: str) -> Any:  # noqa: ANN401 — as the driver has it
    """Write an id as a statement of the driver's own takes it."""
    found = UUID(str(identity))
    return found.bytes if dialect == "sqlite" else found
