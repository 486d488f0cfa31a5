"""People with a past, requests to purge it, and what any key that is left can open."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from app.approvals.values import Proposed
from app.crypto.datakey import WrappedDataKey
from app.crypto.envelope import cut
from app.crypto.errors import SealBroken
from app.crypto.historykey import WrappedHistoryKey
from tests.effects.directory_walking import file, filed, said
from tests.support.application import OPERATOR, World
from tests.support.clock import FrozenClock
from tests.support.shared import Added, add_person

SPRING: Final = datetime(2019, 5, 6, 4, 0, tzinfo=UTC)
SUMMER: Final = datetime(2019, 8, 6, 4, 0, tzinfo=UTC)
AUTUMN: Final = datetime(2019, 11, 6, 4, 0, tzinfo=UTC)
CUT: Final = "2019-10-01"
"""Before it lie spring and summer."""
COMPANY: Final = ("history", "company")


@contextmanager
def at(world: World, moment: datetime) -> Iterator[None]:
    """Let whatever is written on cards be written at ``moment``."""
    writer = world.application.contact_writer
    holders: tuple[Any, ...] = (writer, writer._history, writer.cards)
    clocks = [each._clock for each in holders]
    for each in holders:
        each._clock = FrozenClock(moment)
    try:
        yield
    finally:
        for each, clock in zip(holders, clocks, strict=True):
            each._clock = clock


async def amend(world: World, contact: UUID, waiting: Mapping[str, Proposed] | None = None, **members: object) -> None:
    """Change a card as its writer does."""
    application = world.application
    tree = await application.standings.tree()
    seen = await application.contact_rows.by_id(contact, tree)
    assert seen is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.amend(unit, OPERATOR, tree, seen, members, waiting=waiting or {})


async def with_a_past(world: World, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    """Add somebody in spring, whose title and mobile change in summer, in autumn, and now."""
    with at(world, SPRING):
        someone = await add_person(world, **members)
    for moment, season in ((SUMMER, 1), (AUTUMN, 2)):
        with at(world, moment):
            await amend(world, someone.id, title=f"职务{season}", mobile=f"138{season}00{someone.number}")
    await amend(world, someone.id, title="职务3", mobile=f"138300{someone.number}")
    return someone


async def asked(world: World, someone: Added, *, who: str = "steward", **form: Any) -> httpx.Response:  # noqa: ANN401 — JSON
    """Ask to purge somebody's history of before the autumn."""
    given = {"before": CUT, "scope": "contacts", "contacts": [str(someone.id)], "reason": "past its time", **form}
    return await file(world, who, "purge.history", COMPANY, **{name: each for name, each in given.items() if each})


async def requested(world: World, someone: Added, **form: Any) -> str:  # noqa: ANN401 — JSON
    """Ask so, and be heard; give the request's path."""
    given = {"before": CUT, "scope": "contacts", "contacts": [str(someone.id)], "reason": "past its time", **form}
    return await filed(
        world, "steward", "purge.history", COMPANY, **{name: each for name, each in given.items() if each}
    )


async def purged(world: World, someone: Added, **form: Any) -> str:  # noqa: ANN401 — JSON
    """Purge somebody's history of before the autumn; give the request's id."""
    path = await requested(world, someone, **form)
    assert (await said(world, "infosec", path))["state"] == "completed"
    return path.rpartition("/")[2]


async def history(world: World, someone: Added, who: str | None = None) -> list[dict[str, Any]]:
    """Read somebody's history, oldest first."""
    answer = await (await world.as_(who or someone.name)).get(f"{someone.path}/history", params={"limit": 200})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items[::-1]


async def told(world: World, someone: Added, field: str, who: str | None = None) -> list[str | None]:
    """Give what became of a field, oldest first: the value, or ``None`` where it was purged."""
    found = [each for each in await history(world, someone, who) if each["field"] == field]
    assert {each["state"] for each in found} <= {"told", "purged"}
    assert all(("value" in each) == (each["state"] == "told") for each in found)
    return [each.get("value") for each in found]


async def envelopes(world: World, contact: UUID) -> list[tuple[str, datetime, bytes]]:
    """Read field, time and envelope of every value in somebody's history, as they are stored."""
    statement = "SELECT field, at, value FROM contact_change WHERE contact_id = :id AND value IS NOT NULL ORDER BY id"
    rows = await raw(world, statement, id=_stored(world, contact))
    found = []
    for field, moment, value in rows:
        when = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment / 1_000_000, UTC)
        found.append((field, when, bytes(value)))
    return found


async def raw(world: World, statement: str, **values: object) -> list[tuple[Any, ...]]:
    """Run SQL as the service role may."""
    async with world.application.database.unit_of_work() as unit:
        result: Any = await unit.session.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def _stored(world: World, identity: UUID) -> object:
    return identity if world.application.database.dialect == "postgresql" else identity.bytes


async def openable(world: World, contact: UUID, field: str, envelope: bytes) -> int:
    """Count the keys in the store that open an envelope, trying every one as only this test does."""
    keyring, box, count = world.application.keyring, cut(field, envelope), 0
    data = await raw(world, "SELECT subject_id, handle, version, kek_version, wrapped FROM data_key")
    past = await raw(
        world, "SELECT subject_id, handle, quarter, kek_version, wrapped FROM history_key WHERE wrapped IS NOT NULL"
    )
    wrapped: list[tuple[Any, WrappedDataKey | WrappedHistoryKey]] = [
        *((row[0], WrappedDataKey(bytes(row[1]), row[2], row[3], bytes(row[4]))) for row in data),
        *((row[0], WrappedHistoryKey(bytes(row[1]), row[2], row[3], bytes(row[4]))) for row in past),
    ]
    for whose, each in wrapped:
        subject = whose if isinstance(whose, UUID) else UUID(bytes=bytes(whose))
        try:
            key = (
                keyring.unlock(subject, each)
                if isinstance(each, WrappedDataKey)
                else keyring.unlock_history(subject, each)
            )
            key.cipher.decrypt(box.nonce, box.body, key.bound + box.label)
        except (InvalidTag, SealBroken):
            continue
        assert (subject, key.header) == (contact, box.header)
        count += 1
    return count
