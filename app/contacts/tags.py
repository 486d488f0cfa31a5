"""Tags: the words by which the company groups its contacts.

A card may carry any tag; the company's own list says which of them are offered, with a description each, before anybody carries them. The
list that a caller is told is that one and the tags of the contacts that the caller can see, each with how many of those carry it. Nothing
in it depends on anybody else: a tag that only hidden people carry is not listed, is not counted, and stands in nobody's way.
Removing a tag takes it off the list and off no card: what stands on a person's card is changed on that card, with its version, its history
and its event.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Integer, Select, String, bindparam, delete, func, literal, null, select, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import written
from app.audit.intents import add_intent
from app.audit.terms import Terms
from app.contacts.criteria import COLUMNS
from app.contacts.errors import DuplicateTag, TagInUse
from app.contacts.models import Contact, ContactTag, Tag
from app.contacts.own_schemas import TagCreate, TagPage, TagQuery
from app.contacts.rights import CurrentRights, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader, Row, UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Power, Purpose
from app.permissions.plan import CohortKey, Plan
from app.permissions.predicate import visible
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/tags"
_PRESENT: Final = ("prehire", "active", "frozen", "leaving")
"""Whom a list shows unless it is asked otherwise."""
_COUNTED: Final = (Power.MATCH, Power.COUNT)
"""What a caller needs over the C1 of those whom a tag tells of."""
_ORDINARY: Final = CohortKey("employee", "regular", "active", "normal", ())
"""Who may edit the C1 of an ordinary employee keeps the list that such cards draw from."""


class TagRows:
    """Rows of ``tag``, and tags of contacts. Nothing here commits."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    async def listed(self, plan: Plan, *, beginning: str | None, after: str | None, limit: int) -> list[Row]:
        """List name, description, whether the company offers it, and how many visible contacts carry it; by name."""
        offered = select(Tag.name, Tag.description, literal(1).label("offered"), literal(0).label("carried"))
        carried = (
            select(ContactTag.tag, null(), literal(0), literal(1))
            .join(Contact, Contact.id == ContactTag.contact_id)
            .where(visible(plan, COLUMNS, _COUNTED), Contact.status.in_(_PRESENT))
        )
        if beginning is not None:
            offered = offered.where(Tag.name.startswith(beginning, autoescape=True))
            carried = carried.where(ContactTag.tag.startswith(beginning, autoescape=True))
        both = union_all(offered, carried).subquery()
        name = both.c.name
        statement: Select[Any] = select(
            name, func.max(both.c.description), func.max(both.c.offered), func.sum(both.c.carried)
        ).group_by(name)
        values: dict[str, Any] = {"page": limit}
        if after is not None:
            statement = statement.where(name > bindparam("after", "", type_=String()))
            values["after"] = after
        statement = statement.order_by(name).limit(bindparam("page", 1, type_=Integer()))
        return await self._reader.fetch(self._reader.prepare(statement), values)

    async def carried(self, plan: Plan, name: str) -> int:
        """Count the visible contacts that carry a tag."""
        statement = (
            select(func.count())
            .select_from(ContactTag)
            .join(Contact, Contact.id == ContactTag.contact_id)
            .where(ContactTag.tag == name, visible(plan, COLUMNS, _COUNTED), Contact.status.in_(_PRESENT))
        )
        rows = await self._reader.fetch(self._reader.prepare(statement))
        return int(rows[0][0])

    async def add(self, session: AsyncSession, new: TagCreate, *, at: datetime) -> None:
        """Offer a tag; raise ``DuplicateTag`` for one that is offered."""
        if await session.get(Tag, new.name) is not None:
            raise DuplicateTag
        session.add(Tag(name=new.name, description=new.description, created_at=at))
        try:
            await session.flush()
        except IntegrityError as error:
            raise DuplicateTag from error

    async def remove(self, session: AsyncSession, name: str) -> bool:
        """Offer a tag no longer; tell whether it was offered."""
        removed = await session.execute(delete(Tag).where(Tag.name == name).returning(Tag.name))
        return removed.first() is not None


class TagKeeper:
    """Lists, offers and removes tags for a viewer."""

    def __init__(
        self,
        *,
        rows: TagRows,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        terms: Terms,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, the gate, the rights of now, the keys of cursors and terms, what makes repeats harmless, and the clock."""
        self._rows, self._gate, self._rights, self._cursors = rows, gate, rights, cursors
        self._terms, self._idempotency, self._clock = terms, idempotency, clock

    async def listed(self, viewer: Viewer, query: TagQuery) -> Disclosed[TagPage]:
        """List the company's tags and those of visible contacts. Raises ``BadCursor`` and ``LogUnavailable``."""
        purpose = Purpose.WORK_CONTACT
        seek("tag.list", purpose)
        shape = {"tags": query.q}
        after = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
        logged = {"q": self._terms.masked(query.q)} if query.q else None

        async def attempt(viewer: Viewer) -> Disclosed[TagPage]:
            rows = await self._rows.listed(viewer.plan(purpose), beginning=query.q, after=after, limit=query.limit + 1)
            page = rows[: query.limit]
            note = await self._gate.disclose_plain(
                viewer, Look(action="tag.list", purpose=purpose, query=logged), count=len(page)
            )
            following = self._cursors.seal(viewer.caller, shape, page[-1][0]) if len(rows) > query.limit else None
            body = {"items": _items(page), "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body))

        return await self._rights.of(viewer, attempt)

    async def offer(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: TagCreate) -> Answer:
        """Offer a tag once per ``key``. Raises ``NotPermitted``, ``DuplicateTag`` and the refusals of idempotency."""
        seek("tag.create", Purpose.WORK_CONTACT)

        async def work() -> Receipt:
            await self._rows.add(unit.session, body, at=self._clock.now())
            await self._announce(viewer, unit, "tag.create", body.name)
            return Receipt(None, {"name": body.name, "description": body.description}, 201)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", COLLECTION, key),
            body.model_dump(mode="json", exclude_unset=True),
            allowed=lambda: _refuse_others(viewer),
            work=work,
        )

    async def remove(self, viewer: Viewer, unit: UnitOfWork, name: str) -> None:
        """Offer a tag no longer. Raises ``NotPermitted``, ``NotFound``, and ``TagInUse`` while visible contacts carry it."""
        seek("tag.delete", Purpose.WORK_CONTACT)
        _refuse_others(viewer)
        count = await self._rows.carried(viewer.plan(Purpose.WORK_CONTACT), name)
        if count:
            raise TagInUse(contact_count=count)
        if not await self._rows.remove(unit.session, name):
            raise NotFound
        await self._announce(viewer, unit, "tag.delete", name)

    async def _announce(self, viewer: Viewer, unit: UnitOfWork, action: str, name: str) -> None:
        """Put the write on record; the word itself, which is the caller's own, as a keyed hash."""
        query = {"tag": self._terms.masked(name)}
        await add_intent(unit.session, written(author_of(viewer), action, self._clock.now(), query=query))


def _refuse_others(viewer: Viewer) -> None:
    edits = viewer.plan(Purpose.WORK_CONTACT).cohort(_ORDINARY, new_id()).edits
    if FieldClass.C1 not in edits:
        raise NotPermitted


def _items(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {"name": name, "description": description, "offered": bool(offered), "contact_count": int(carried)}
        for name, description, offered, carried in rows
    ]
