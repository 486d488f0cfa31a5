"""``appeal``: a request that was refused, or that nobody answered, is opened again, and the answer comes with its reasons.

Whoever asked for the request, or was to gain by it, appeals. Their head takes note of it and has no word against it; after a working day
the head's superior is asked. Administration and then the committee answer, each with reasons, which the person reads in the appeal. One
that is upheld sends the refused request back to its requester, who files it anew: everything said before is void, and the chain begins at
its beginning. It grants nothing by itself, and does not rest on the word of who refused: natural persons are compared, those whose answer
it was and those who gave it for them.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.approvals.advancing import Calendar
from app.approvals.decision_repository import DecisionRepository
from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.approvals.errors import NotOpen, SeparationOfDuties
from app.approvals.machine import Refused, Reopened, Word, moved
from app.approvals.repository import RequestRepository
from app.approvals.resolving import Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Viewer


class Appeal:
    """Opens requests again."""

    def __init__(
        self,
        requests: RequestRepository,
        decisions: DecisionRepository,
        *,
        persons: Persons,
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        """Take the rows of requests and of what was said to them, the natural persons, the calendar, and the clock."""
        self._requests, self._decisions, self._persons = requests, decisions, persons
        self._calendar, self._clock = calendar, clock

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Find the request; raise ``NotFound`` for one that is none of the requester's, ``NotOpen`` for one that cannot be opened again."""
        del viewer
        identity = asked.subject.uuid
        request = None if identity is None else await self._requests.one(source, identity)
        if request is None or asked.requester not in {request.requester, request.beneficiary}:
            raise NotFound
        if isinstance(moved(request.course, Reopened()), Refused):
            raise NotOpen
        return Examined(
            form=asked.form,
            facts={"kind": request.kind, "state": request.state.value, "round": str(request.round)},
            owner=request.owner,
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Open it again. Raises ``NotFound``, ``NotOpen``, and ``SeparationOfDuties`` where the appeal rests on who refused the request."""
        identity = approved.asked.subject.uuid
        request = None if identity is None else await self._requests.locked(unit.session, identity)
        if request is None:
            raise NotFound
        refused = {who for each in await self._said(unit.session, request.id, Word.REJECT) for who in each}
        yes = await self._said(unit.session, approved.id, Word.APPROVE)
        upheld = {*approved.decided_by, *(actor for person, actor in yes if person in approved.decided_by)}
        persons = await self._persons.of(unit.session, refused | upheld)
        if not {persons[each] for each in refused}.isdisjoint(persons[each] for each in upheld):
            raise SeparationOfDuties
        course = moved(request.course, Reopened())
        if isinstance(course, Refused):
            raise NotOpen
        now = self._clock.now()
        days = await self._calendar.current(unit.session)
        again = request.happened(course, now, problem=None, closes=days.due(now, request.pending_days).at)
        await self._requests.save(unit.session, request, again)
        query = {"request": str(request.id), "kind": request.kind, "appeal": str(approved.id)}
        concerned = tuple(dict.fromkeys((request.beneficiary, *request.about)))
        await add_intent(unit.session, written(author, "request.reopen", now, contacts=concerned, query=query))
        return Applied(result={"request": str(request.id), "state": again.state.value})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: what was opened again is decided on its own."""

    async def _said(self, source: Source, identity: UUID, word: Word) -> list[tuple[UUID, UUID]]:
        """Give whose answer ``word`` was, in any round of a request, each with who gave it."""
        return [(each.person, each.actor) for each in await self._decisions.said(source, identity) if each.word is word]
