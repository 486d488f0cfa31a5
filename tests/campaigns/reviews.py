"""A company under a clock that stands still, with a calendar and a teller of the tests', and its reviews."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.application import Application
from app.auth.repository import Source
from app.campaigns.desk import CampaignDesk
from app.campaigns.joints import Holdings
from app.crypto.rowmac import RowSigner
from app.deadlines import CampaignsSettings
from app.departing import told
from app.departures.parts import Part
from app.disclosure.showing import Showing
from app.kit.db import UnitOfWork
from app.notices.notice import Notice
from tests.campaigns.weekdays import Deadline, WeekDays
from tests.support.application import World, opened_at_noon
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore


@dataclass(slots=True)
class Holidays:
    """Monday to Friday but for holidays, and for weekends that are worked."""

    off: set[date] = field(default_factory=set)
    worked: set[date] = field(default_factory=set)
    changes: int = 0

    async def current(self, source: Source) -> "Holidays":
        """Give it."""
        del source
        return self

    async def epoch(self, source: Source) -> int:
        """Count its changes."""
        del source
        return self.changes

    def is_working(self, day: date, /) -> bool:
        """Tell whether a day is worked."""
        return day in self.worked or (WeekDays().is_working(day) and day not in self.off)

    def due(self, start: datetime, days: int, /) -> Deadline:
        """Count as the calendar does."""
        calendar, holidays = WeekDays(), self

        class Counting(WeekDays):
            def is_working(self, day: date, /) -> bool:
                return holidays.is_working(day)

        del calendar
        return Counting().due(start, days)


@dataclass(slots=True)
class Listener:
    """Keeps what people are told."""

    heard: list[Notice] = field(default_factory=list)

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Keep it."""
        del unit
        self.heard.append(notice)

    def people(self, type_: str) -> set[UUID]:
        """Give who was told of a type."""
        return {person for each in self.heard if each.type == type_ for person in each.audience.people}


@dataclass(slots=True)
class Reviews:
    """A world and what its reviews go by."""

    world: World
    clock: FrozenClock
    calendar: Holidays = field(default_factory=Holidays)
    listener: Listener = field(default_factory=Listener)

    @property
    def application(self) -> Application:
        """The application."""
        return self.world.application

    def equip(self, *holdings: Holdings, **settings: Any) -> None:  # noqa: ANN401 — settings of campaigns
        """Let campaigns go by our calendar and teller."""
        app = self.application
        showing = Showing(
            gate=app.gate, standings=app.standings, cursors=app.cursors, reader=app.database.reader, clock=app.clock
        )
        desk = CampaignDesk(
            showing,
            signer=RowSigner(app.keyring.mac_key("campaign")),
            database=app.database,
            contacts=app.contact_rows,
            accounts=app.accounts,
            grants=app.grants,
            loans=app.loans,
            marks=app.marks,
            events=app.events,
            idempotency=app.idempotency,
            settings=CampaignsSettings(**settings),
            clock_here=timedelta(hours=8),
            calendar=self.calendar,
            persons=self.application.delegations.persons,
            teller=self.listener,
            holdings=holdings,
        )
        departing: Any = app.departures.departing
        departing._leaving = {**departing._leaving, Part.REVIEWS: told(desk.parting.end_all)}
        self.world.application = replace(app, campaigns=desk)
        self.world.app.state.application = self.world.application

    async def as_(self, name: str) -> httpx.AsyncClient:
        """Call as somebody, with a token of now."""
        client = await self.world.as_(name)
        client.headers["Authorization"] = f"Bearer {await self.world.token(name)}"
        return client

    async def sweep(self) -> None:
        """Do what is due, until nothing is."""
        for _ in range(60):
            if not await self.application.campaigns.sweep():
                return
        message = "a sweep without end"
        raise AssertionError(message)

    async def start(self, kind: str = "rights", by: str = "infosec", **members: Any) -> str:  # noqa: ANN401 — of a body
        """Begin a campaign and work out its items; give where it is."""
        answer = await (await self.as_(by)).post("/v1/campaigns", json={"kind": kind, **members})
        assert answer.status_code == 201, answer.text
        await self.sweep()
        return f"/v1/campaigns/{answer.json()['id']}"

    async def items(self, campaign: str, who: str = "infosec", **query: str) -> list[dict[str, Any]]:
        """List items, everybody's unless a query says otherwise."""
        asked = {"reviewer": "all", "limit": "200", **query}
        answer = await (await self.as_(who)).get(f"{campaign}/items", params=asked)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def item(self, campaign: str, kind: str, holder: str, reference: str | None = None) -> dict[str, Any]:
        """Find the one item of a kind about somebody."""
        who = str(self.world.people[holder])
        (found,) = [
            each
            for each in await self.items(campaign)
            if each["kind"] == kind
            and each["holder"] is not None
            and each["holder"]["id"] == who
            and reference in {None, each["reference"]}
        ]
        return found

    async def decide(self, campaign: str, item: dict[str, Any], who: str, **body: Any) -> httpx.Response:  # noqa: ANN401
        """Answer for an item."""
        client = await self.as_(who)
        return await client.post(f"{campaign}/items/{item['id']}/decisions", json=body)

    async def read(self, campaign: str, item: dict[str, Any], who: str) -> httpx.Response:
        """Read an item by itself."""
        return await (await self.as_(who)).get(f"{campaign}/items/{item['id']}")

    async def marks(self, name: str) -> list[str]:
        """Tell the marks in force on somebody."""
        return sorted((await self.world.viewer(name)).standing.marks)


@asynccontextmanager
async def opened(folder: Path, store: TestStore, clock: FrozenClock) -> AsyncIterator[Reviews]:
    """Open the company that ``founded_at_noon`` put into the store."""
    async with opened_at_noon(folder, store, clock) as world:
        reviews = Reviews(world, clock)
        reviews.equip()
        yield reviews
