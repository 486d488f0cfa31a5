"""``employee.left``: everything that a person could do or be reached by ends in the transaction of the event.

What that is, part by part, stands in ``app.departures.parts``: all of it or, whatever breaks, nothing, and the source sends the event
again. A second departure of somebody who has left is applied and changes nothing. Whom the source names to take over gets what can be
handed on; somebody who cannot is told of and keeps nobody in: the next head takes over.
"""

from uuid import UUID

from app.contacts.errors import UnknownContact
from app.hr.errors import UnknownSubject
from app.hr.numbers import Numbers
from app.hr.restructuring import Restructuring
from app.hr.subjects import GONE, Effect, People, Subjects
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer, author_of

POINTER = "/data/hand_over_to"


class Leaving:
    """Lets people go."""

    def __init__(
        self, *, people: People, subjects: Subjects, numbers: Numbers, structure: Restructuring, clock: Clock
    ) -> None:
        """Take where people are written and found; numbers, positions and the clock are the business of departures."""
        del numbers, structure, clock
        self._people, self._subjects = people, subjects

    async def leave(
        self, viewer: Viewer, unit: UnitOfWork, employee_no: str, hand_over_to: str | None = None
    ) -> Effect:
        """End it all. Raises ``UnknownSubject`` and ``NotPermitted``."""
        identity = await self._people.contacts.by_employee_no(unit.session, employee_no)
        if identity is None:
            gone = await self._subjects.former(unit, viewer.tree, employee_no)
            if gone is None:
                raise UnknownSubject
            return Effect(gone.subject, gone.key)
        await self._people.parting.hold(unit, identity)
        record = await self._subjects.known(unit, viewer.tree, employee_no)
        if record.cohort.status == GONE:
            return Effect(record.subject, record.key)
        self._subjects.demand(viewer, record.cohort, frozenset(), about=record.subject)
        to, problem = await self._successor(viewer, unit, hand_over_to)
        author = author_of(viewer)

        async def close() -> None:
            await self._people.writer.hide(unit, author, await self._subjects.known(unit, viewer.tree, employee_no))

        await self._people.parting.leave(unit, author, record.subject, close, to=to)
        return Effect(record.subject, record.key, problem=problem)

    async def _successor(
        self, viewer: Viewer, unit: UnitOfWork, named: str | None
    ) -> tuple[UUID | None, UnknownContact | None]:
        if named is None:
            return None, None
        try:
            return await self._subjects.person(viewer, unit, named, POINTER), None
        except UnknownContact as problem:
            return None, problem
