"""Calls of the lookups' tests, and what the store holds of tags, read past the service."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.audit.events import EventDraft
from app.audit.matching import EventFilter
from app.audit.stores import Appended, Entry, StoreUnavailable
from app.contacts.tag_rules import FIELD_AT, RULES
from tests.support.application import World

REASON: Final = "Two missed calls on the shared line"
_KIND: Final = {rule.code: kind.value for kind, rule in RULES.items()}


async def ask(world: World, who: str, **lists: Any) -> httpx.Response:  # noqa: ANN401 — members of a request
    """Look up as somebody."""
    body = {"purpose": "work_contact", "reason": REASON, **lists}
    return await (await world.as_(who)).post("/v1/lookups", json=body)


async def found(world: World, who: str, **lists: Any) -> list[str | None]:  # noqa: ANN401 — members of a request
    """Look up as somebody; give the id of each result's match."""
    answer = await ask(world, who, **lists)
    assert answer.status_code == 200, answer.text
    return [None if each["match"] is None else each["match"]["id"] for each in answer.json()["results"]]


async def tags(world: World, identity: UUID) -> set[tuple[str, str]]:
    """Tell by what a contact may be looked up, in the generation in use: kind and field."""
    statement = text(
        "SELECT kind, field FROM search_tag WHERE contact_id = :id"
        " AND generation = (SELECT generation FROM search_plan)"
    )
    on_sqlite = world.application.database.dialect == "sqlite"
    async with world.application.database.session() as session:
        rows = (await session.execute(statement, {"id": identity.bytes if on_sqlite else identity})).all()
    listed = [(_KIND[kind], FIELD_AT[field]) for kind, field in rows]
    assert len(listed) == len(set(listed))
    return set(listed)


async def stored(world: World) -> int:
    """Count every tag there is, of whatever generation."""
    async with world.application.database.session() as session:
        return int((await session.execute(text("SELECT count(*) FROM search_tag"))).scalar_one())


def without_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log's store be gone until ``monkeypatch.undo``."""

    async def gone(entries: Sequence[Entry]) -> Appended:
        message = f"no store for {len(entries)} entries"
        raise StoreUnavailable(message)

    monkeypatch.setattr(world.application.log._store, "append", gone)


async def lookups(world: World, actor: str | None = None) -> list[EventDraft]:
    """List lookups on record, latest first."""
    page = await world.application.events.search(
        EventFilter(action="contact.lookup", actor_id=actor), limit=200, after=None
    )
    return [each.event for each in page.events]
