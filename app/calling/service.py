"""Giving and ending calling privileges, each in the caller's one transaction.

Nothing here decides whether somebody may have one: they come from approved requests alone. A privilege that is asked for again while it is
in force is renewed: the old row ends where the new one begins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.calling.repository import PrivilegeRepository
from app.calling.rules import Cause, Function, Privilege
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An assignment of a number to a person."""

    assignment_id: UUID
    contact_id: UUID
    domain: str
    digits: str


class CallingPrivileges:
    """Gives and ends, inside a transaction."""

    def __init__(self, rows: PrivilegeRepository, clock: Clock) -> None:
        """Take the rows and the clock."""
        self._rows, self._clock = rows, clock

    async def give(
        self,
        unit: UnitOfWork,
        author: Author,
        line: Line,
        functions: Iterable[Function],
        *,
        request_id: UUID,
        until: datetime,
    ) -> Sequence[Privilege]:
        """Let a line do more until a time. The caller has seen that it is the holder's, in this transaction."""
        now, wanted = self._clock.now(), sorted(set(functions))
        before = await self._rows.open_of_line(unit.session, line.assignment_id, now)
        await self._end(unit, author, [each for each in before if each.function in wanted], Cause.RENEWED)
        given = [
            Privilege(
                id=new_id(),
                request_id=request_id,
                assignment_id=line.assignment_id,
                contact_id=line.contact_id,
                domain=line.domain,
                digits=line.digits,
                function=each,
                since=now,
                until=until,
            )
            for each in wanted
        ]
        await self._rows.add(unit.session, given)
        await self._put_on_record(unit, author, "calling_privilege.grant", given, {"until": until.isoformat()})
        return given

    async def end_of_request(self, unit: UnitOfWork, author: Author, request_id: UUID) -> None:
        """End what a request gave and what has not ended yet."""
        found = await self._rows.open_of_request(unit.session, request_id, self._clock.now())
        await self._end(unit, author, found, Cause.REVOKED)

    async def end_one(self, unit: UnitOfWork, author: Author, privilege: Privilege) -> None:
        """End one now; one that has ended meanwhile stays as it ended."""
        found = await self._rows.open_one(unit.session, privilege.id, self._clock.now())
        await self._end(unit, author, [] if found is None else [found], Cause.REVOKED)

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """End what the lines of somebody who leaves may do; give how much that was."""
        found = await self._rows.open_of_contact(unit.session, contact_id, self._clock.now())
        await self._end(unit, author, found, Cause.LEFT)
        return len(found)

    async def _end(self, unit: UnitOfWork, author: Author, found: Sequence[Privilege], cause: Cause) -> None:
        if found:
            now = self._clock.now()
            await self._rows.put(unit.session, [replace(each, ended_at=now, cause=cause) for each in found])
            await self._put_on_record(unit, author, "calling_privilege.end", found, {"cause": cause.value})

    async def _put_on_record(
        self, unit: UnitOfWork, author: Author, action: str, found: Sequence[Privilege], further: dict[str, str]
    ) -> None:
        people = tuple(dict.fromkeys(each.contact_id for each in found))
        query = {"functions": ",".join(each.function.value for each in found), **further}
        await add_intent(unit.session, written(author, action, self._clock.now(), contacts=people, query=query))
