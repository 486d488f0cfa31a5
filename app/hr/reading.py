"""The ledger as it is shown: what was sent, what became of it, about whom by id; never what it said about anybody.

Every answer is a look, on record before it leaves. A source sees its own events alone, people of HR, who decide about those that failed,
all of them, and in them those people whom they may see; the subject that is filtered by is a keyed hash, in the query and in the log.
"""

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.audit.terms import Terms
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.hr.known import LedgerKeys
from app.hr.repository import HrLedger, LedgerCriteria
from app.hr.schemas import EventListQuery, EventProblem, HrEventEntry, HrEventPage, HrEventView
from app.hr.subjects import PERSONNEL, Subjects
from app.kit.context import current_request
from app.kit.db import Reader, Row
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")
_READ: Final = "hr.event.read"
_LIST: Final = "hr.event.list"


@dataclass(frozen=True, slots=True)
class LookKeys:
    """What hides the subject: in the ledger, in the log, and in a cursor."""

    ledger: LedgerKeys
    terms: Terms
    cursors: Cursors


class LedgerReader:
    """Shows a source its events, and people of HR everybody's."""

    def __init__(
        self, *, ledger: HrLedger, subjects: Subjects, reader: Reader, gate: Gate, standings: Standings, keys: LookKeys
    ) -> None:
        """Take the ledger, who asks policy, the reader, the gate, who viewers are, and the keys of subjects and cursors."""
        self._ledger, self._subjects, self._reader = ledger, subjects, reader
        self._gate, self._standings, self._keys = gate, standings, keys

    async def one(self, viewer: Viewer, event_id: str, source: str | None) -> Disclosed[HrEventView]:
        """Tell what became of an event that the caller may know of; raise ``NotFound``, or ``Invalid`` where two have its id."""

        async def attempt(viewer: Viewer) -> Disclosed[HrEventView]:
            rows = await self._ledger.told(self._reader, _sender(viewer), event_id, source)
            if not rows:
                raise NotFound
            if len(rows) > 1:
                fault = FieldError("?source", "missing", "Two sources use this id.", "该编号被多个来源使用。")
                raise Invalid(errors=[fault])
            known = await self._known(viewer, rows)
            note = await self._note(viewer, _READ, rows, known, {"entry": str(rows[0][0])})
            return Disclosed(orjson.dumps({**_entry(rows[0], known), "disclosure": orjson.Fragment(note)}))

        return await self._with_current_rights(_READ, viewer, attempt)

    async def page(self, viewer: Viewer, query: EventListQuery) -> Disclosed[HrEventPage]:
        """List the events that the caller may know of, newest first."""
        shape, subject = query.shape(), query.subject
        cursors = self._keys.cursors
        before = None if query.cursor is None else UUID(cursors.open(viewer.caller, shape, query.cursor))
        criteria = LedgerCriteria(
            state=query.state,
            type=query.type,
            source=query.source,
            entry=query.entry,
            subject_hash=None if subject is None else self._keys.ledger.of_subject(subject),
        )
        logged = shape if subject is None else {**shape, "subject": self._keys.terms.masked(subject)}

        async def attempt(viewer: Viewer) -> Disclosed[HrEventPage]:
            rows = await self._ledger.page(
                self._reader, _sender(viewer), criteria, before=before, limit=query.limit + 1
            )
            page = rows[: query.limit]
            more = len(rows) > query.limit
            following = cursors.seal(viewer.caller, shape, str(page[-1][0])) if more else None
            known = await self._known(viewer, page)
            note = await self._note(viewer, _LIST, page, known, logged)
            items = [_entry(row, known) for row in page]
            return Disclosed(orjson.dumps({"items": items, "next": following, "disclosure": orjson.Fragment(note)}))

        return await self._with_current_rights(_LIST, viewer, attempt)

    async def _known(self, viewer: Viewer, rows: Sequence[Row]) -> frozenset[UUID]:
        """Name the contacts in rows of whom the viewer is told: a source of all that it wrote, people of HR of those whom they may see."""
        contacts = {row[8] for row in rows if row[8] is not None}
        return (
            frozenset(contacts) if viewer.standing.kind == "service" else await self._subjects.told_of(viewer, contacts)
        )

    async def _note(
        self, viewer: Viewer, action: str, rows: Sequence[Row], known: frozenset[UUID], query: dict[str, Any]
    ) -> bytes:
        look = Look(action=action, purpose=Purpose.WORK_CONTACT, query=query)
        return await self._gate.disclose_plain(viewer, look, count=len(rows), contacts=sorted(known))

    async def _with_current_rights(self, action: str, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        context = current_request()
        if context is not None:
            context.action = action
        try:
            self._subjects.demand(viewer, PERSONNEL, frozenset())
            return await attempt(viewer)
        except (EpochMoved, NotPermitted):
            current = await self._standings.of(viewer.subject, fresh=True)
            self._subjects.demand(current, PERSONNEL, frozenset())
            return await attempt(current)


def _sender(viewer: Viewer) -> str | None:
    """Give the service account whose events a viewer is shown; ``None``: everybody's."""
    return None if viewer.standing.kind == "person" else viewer.standing.client_id


def _entry(row: Row, known: Container[UUID]) -> dict[str, Any]:
    """Write a row; of somebody who is not ``known`` to the viewer neither who it is nor which numbers came with it."""
    _, event_id, source, kind, at, sequence, received_at, state, contact_id, problem, numbers, due = row
    if contact_id is not None and contact_id not in known:
        contact_id, numbers = None, None
    context = current_request()
    told = HrEventEntry(
        id=event_id,
        source=source,
        type=kind,
        time=at,
        sequence=sequence,
        received_at=received_at,
        due_at=due,
        state=state,
        contact_id=contact_id,
        numbers=numbers or [],
        problem=EventProblem.of(problem, chinese=context is not None and context.language == "zh"),
    )
    return told.model_dump(mode="json")
