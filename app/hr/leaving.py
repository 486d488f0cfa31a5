"""``employee.left``: everything that a person could do or be reached by ends in the transaction of the event.

Positions, grants, numbers, what lines may do, customers, delegations, service accounts that they answer for, the place in every view, the
account with all of its tokens: all of it or, whatever breaks, nothing, and the source sends the event again. A second departure of somebody
who has left is applied and changes nothing.
"""

from app.hr.numbers import Numbers
from app.hr.restructuring import Restructuring
from app.hr.subjects import GONE, Effect, People, Subjects
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer, author_of

CAUSE = "left"
"""What numbers, assignments and delegations are told: quarantine is longest for those of who left."""


class Leaving:
    """Lets people go."""

    def __init__(
        self, *, people: People, subjects: Subjects, numbers: Numbers, structure: Restructuring, clock: Clock
    ) -> None:
        """Take where people are written and found, who takes numbers back, who keeps positions, and the clock."""
        self._people, self._subjects, self._numbers = people, subjects, numbers
        self._structure, self._clock = structure, clock

    async def leave(self, viewer: Viewer, unit: UnitOfWork, employee_no: str) -> Effect:
        """End it all. Raises ``UnknownSubject`` and ``NotPermitted``."""
        record = await self._subjects.known(unit, viewer.tree, employee_no)
        if record.cohort.status == GONE:
            return Effect(record.subject, record.key)
        self._subjects.demand(viewer, record.cohort, frozenset(), about=record.subject)
        author = author_of(viewer)
        await self._structure.vacate(unit, author, viewer.tree, record.subject)
        account = await self._subjects.account(unit, record.subject)
        if account is not None:
            await self._people.given.end_all(unit.session, account.id, at=self._clock.now())
        await self._people.engagements.end_all(unit, author, contact_id=record.subject, cause=CAUSE)
        await self._people.parting.end_all(unit, author, contact_id=record.subject, cause=CAUSE)
        if await self._numbers.end_assignments(unit, author, contact_id=record.subject, cause=CAUSE):
            record = await self._subjects.known(unit, viewer.tree, employee_no)
        await self._people.writer.hide(unit, author, record)
        return Effect(record.subject, record.key)
