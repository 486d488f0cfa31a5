"""``employee.moved`` and ``employee.updated``: what is given is compared with what is there, and only what differs is written.

Protected values are compared by digest, unopened; an event that changes nothing is applied and leaves no new version. Who moves to another
department loses the exceptions that were granted, and the customers that were assigned, for the work of the former one.
"""

from typing import Final

from app.disclosure.records import Record
from app.hr.data import MovedData, UpdatedData
from app.hr.subjects import Effect, People, Subjects, placed
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of

_CAUSE: Final = "moved"


class Changing:
    """Changes people in service."""

    def __init__(self, *, people: People, subjects: Subjects, clock: Clock) -> None:
        """Take where people are written and found, and the clock."""
        self._people, self._subjects, self._clock = people, subjects, clock

    async def change(self, viewer: Viewer, unit: UnitOfWork, employee_no: str, data: MovedData | UpdatedData) -> Effect:
        """Write what differs. Raises ``UnknownSubject``, ``SubjectLeft``, ``NotPermitted``, and as ``ContactWriter.amend`` does."""
        record = await self._subjects.in_service(unit, viewer.tree, employee_no)
        given = data.given()
        classes = self._subjects.classes(given)
        before = record.cohort
        after = CohortKey(
            before.kind,
            before.worker_kind,
            before.status,
            before.secrecy,
            placed(viewer.tree, given, otherwise=before.departments),
        )
        for key in (before, after):
            self._subjects.demand(viewer, key, classes, about=record.subject)
        given = await self._subjects.with_people(viewer, unit, given)
        author = author_of(viewer)
        done = await self._people.writer.amend(unit, author, viewer.tree, record, given)
        if "department" in done.changed:
            await self._end_given(unit, record)
            await self._people.engagements.end_all(unit, author, contact_id=record.subject, cause=_CAUSE)
        return Effect(record.subject, record.key)

    async def _end_given(self, unit: UnitOfWork, record: Record) -> None:
        account = await self._subjects.account(unit, record.subject)
        if account is not None:
            await self._people.given.end_all(unit.session, account.id, at=self._clock.now())
