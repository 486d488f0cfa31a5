"""``employee.moved``, ``employee.updated`` and ``employee.leaving``: what is given is compared with what is there; what differs is written.

Protected values are compared by digest, unopened; an event that changes nothing is applied and leaves no new version. Who moves to another
department loses what they had for the work of the former one (``app.departures.parts``). A move that is heard of late, when somebody is
elsewhere again, still ends the exceptions that were granted before it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.auth import epochs
from app.disclosure.records import Record
from app.hr.data import LeavingData, MovedData, UpdatedData
from app.hr.ordering import STATUS
from app.hr.subjects import GONE, Effect, People, Subjects, placed
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of

_SHUT_OUT: Final = "frozen"
"""Whoever keeps the directory has suspended the person; an announcement does not let them in again."""


class Changing:
    """Changes people in service, and what late events still have to say about those who left."""

    def __init__(self, *, people: People, subjects: Subjects, clock: Clock) -> None:
        """Take where people are written and found, and the clock."""
        self._people, self._subjects, self._clock = people, subjects, clock

    async def change(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        record: Record,
        data: MovedData | UpdatedData,
        members: frozenset[str],
        *,
        at: datetime,
    ) -> Effect:
        """Write what differs of the ``members`` that are still the event's to write; ``at`` is when it happened.

        Raises ``NotPermitted``, and as ``ContactWriter.amend`` does.
        """
        said = data.given()
        given = {name: value for name, value in said.items() if name in members}
        changed = await self._amended(viewer, unit, record, given, also=said)
        if "department" in changed and record.cohort.status != GONE:
            author, before = author_of(viewer), record.cohort.departments
            moved = await self._people.parting.move(unit, author, record.subject, viewer.tree, before)
            return Effect(record.subject, record.key, tuple(moved.numbers), moved.problem)
        if "department" in said and "department" not in members:
            await self._end_earlier(viewer, unit, record, said["department"], at)
        return Effect(record.subject, record.key, superseded=not given)

    async def announce(
        self, viewer: Viewer, unit: UnitOfWork, record: Record, data: LeavingData, members: frozenset[str]
    ) -> Effect:
        """Say on the card that the person goes, and when. Raises as ``change`` does."""
        said = {**data.given(), **({} if record.cohort.status == _SHUT_OUT else {STATUS: "leaving"})}
        given = {name: value for name, value in said.items() if name in members}
        await self._amended(viewer, unit, record, given, also=data.given())
        return Effect(record.subject, record.key, superseded=not members)

    async def stay(self, viewer: Viewer, unit: UnitOfWork, record: Record, members: frozenset[str]) -> Effect:
        """Take back an announcement, as far as nothing has been said since. Raises as ``change`` does."""
        given = {name: value for name, value in {STATUS: "active", "contract_until": None}.items() if name in members}
        await self._amended(viewer, unit, record, given, also={})
        return Effect(record.subject, record.key)

    async def _amended(
        self, viewer: Viewer, unit: UnitOfWork, record: Record, given: dict[str, Any], *, also: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Write members, for a sender who may write these and what the event said ``also``; give those that changed."""
        before = record.cohort
        status = "active" if before.status == GONE else before.status
        classes = self._subjects.classes({name: None for name in {**also, **given} if name != STATUS})
        for departments in (before.departments, placed(viewer.tree, given, otherwise=before.departments)):
            key = CohortKey(before.kind, before.worker_kind, status, before.secrecy, departments)
            self._subjects.demand(viewer, key, classes, about=record.subject)
        if not given:
            return ()
        given = await self._subjects.with_people(viewer, unit, given, record.subject)
        done = await self._people.writer.amend(unit, author_of(viewer), viewer.tree, record, given)
        if before.status == GONE and "user_name" in done.changed:
            await self._shut(unit, record)
        return done.changed

    async def _shut(self, unit: UnitOfWork, record: Record) -> None:
        """End the account that a new user name has brought to somebody who left."""
        account = await self._subjects.account(unit, record.subject)
        if account is not None:
            await self._people.accounts.disable(unit.session, account.user_name)

    async def _end_earlier(
        self, viewer: Viewer, unit: UnitOfWork, record: Record, department: str, at: datetime
    ) -> None:
        named, current = viewer.tree.find(department), record.cohort.departments
        account = await self._subjects.account(unit, record.subject)
        if account is None or named is None or (current and named.id == current[0]):
            return
        await self._people.given.end_earlier(unit.session, account.id, before=at, at=self._clock.now())
        await epochs.bump(unit.session, account.epoch_key)
