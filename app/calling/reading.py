"""Calling privileges as a caller is shown them, each answer on record before it leaves.

People are told what their own lines may do. The offices that pay for calls, switch them or look after them are told of every line, and so
are programs that manage numbers, which are how an exchange learns what to allow. Whose line it is is told to those who may know of them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.calling.repository import Narrowing, PrivilegeRepository
from app.calling.rules import Privilege, may_end, oversees, state
from app.calling.schemas import PrivilegePage, PrivilegeQuery, PrivilegeRead
from app.calling.service import CallingPrivileges
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.errors import NoContact, NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of


class PrivilegePages:
    """Shows privileges, and lets those end them who may."""

    def __init__(
        self, showing: Showing, *, rows: PrivilegeRepository, service: CallingPrivileges, people: Acquaintances
    ) -> None:
        """Take what desks share, the rows, what ends them, and whom viewers may know."""
        self._rows, self._service, self._people = rows, service, people
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._cursors, self._rights = showing.cursors, CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: PrivilegeQuery) -> Disclosed[PrivilegePage]:
        """List privileges, newest first. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        shape = query.shape()
        seek("calling_privilege.list", Purpose.WORK_CONTACT, query.contact)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[PrivilegePage]:
            found, ends = list[Privilege](), None
            whose = _whose(viewer, query.contact)
            if query.contact in {None, whose}:
                narrowing = Narrowing(
                    now=self._clock.now(),
                    active=None if query.state is None else query.state == "active",
                    contact_id=whose,
                    digits=query.digits,
                    function=query.function,
                    before=before,
                )
                found, ends = await self._rows.page(self._reader, narrowing, limit=query.limit)
            items, people = await self._items(viewer, found)
            look = Look(action="calling_privilege.list", purpose=Purpose.WORK_CONTACT, query=shape)
            note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=people)
            following = None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends))
            body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[PrivilegeRead]:
        """Show one. Raises ``NotFound`` alike where there is none and where it is not told, and as ``page`` does."""
        seek("calling_privilege.read", Purpose.WORK_CONTACT)

        async def attempt(viewer: Viewer) -> Disclosed[PrivilegeRead]:
            found = await self._rows.one(self._reader, identity)
            if found is None or _whose(viewer, found.contact_id) not in {None, found.contact_id}:
                raise NotFound
            (item,), people = await self._items(viewer, [found])
            look = Look(
                action="calling_privilege.read", purpose=Purpose.WORK_CONTACT, query={"privilege": str(identity)}
            )
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=people)
            return Disclosed(orjson.dumps({**item, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End one now: its holder, who needs it no more, or an office that may. Ended twice is ended once.

        Raises ``NotFound`` to whom it is not told, and ``NotPermitted``.
        """
        seek("calling_privilege.end", Purpose.WORK_CONTACT)
        found = await self._rows.one(unit.session, identity)
        if found is None or _whose(viewer, found.contact_id) not in {None, found.contact_id}:
            raise NotFound
        if not may_end(viewer.standing, found.contact_id):
            raise NotPermitted
        await self._service.end_one(unit, author_of(viewer), found)

    async def _items(self, viewer: Viewer, found: Sequence[Privilege]) -> tuple[list[dict[str, Any]], list[UUID]]:
        now = self._clock.now()
        known = await self._people.known(viewer, [each.contact_id for each in found])
        held = await self._rows.held(self._reader, {each.assignment_id for each in found})
        items = [
            {
                "id": each.id,
                "digits": each.digits,
                "domain": each.domain,
                "contact": known.get(each.contact_id),
                "function": each.function.value,
                "state": state(each, holds=each.assignment_id in held, now=now),
                "since": each.since,
                "until": each.until,
                "ended_at": each.ended_at,
                "cause": None if each.cause is None else each.cause.value,
                "request": each.request_id,
            }
            for each in found
        ]
        return items, sorted(known)


def _whose(viewer: Viewer, asked: UUID | None) -> UUID | None:
    """Give to whose lines a viewer is restricted: ``None`` is everybody's that ``asked`` does not narrow. Raises ``NoContact``."""
    if oversees(viewer.standing):
        return asked
    if viewer.standing.contact_id is None:
        raise NoContact
    return viewer.standing.contact_id
