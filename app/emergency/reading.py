"""Sessions and their call lists as a caller is shown them: each answer a look, on record before it leaves.

Security, HR and audit know of every session; who is appointed knows of those that wait for a second person; others of their own. The
reason is opened for those who judge it and for who gave it. A call list is a list like any other, inside the session: cut to its people,
a page at a time, charged to the day's quota, marked in the log and on every page with the session.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.criteria import Criteria, Order
from app.contacts.record import listed_under
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.contacts.schemas import ContactPage
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.emergency.errors import SessionOver
from app.emergency.repository import EmergencyRepository, Wanted
from app.emergency.rules import KEY_TAG, Office, Session
from app.emergency.schemas import CallListQuery, SessionPage, SessionQuery, SessionRead
from app.emergency.sessions import REASON
from app.emergency.views import oversees, session_view
from app.kit.errors import NotFound
from app.permissions.outcomes import Power, Purpose
from app.permissions.standing import Viewer, unfolded

_PRESENT: Final = ("active", "frozen", "leaving")


class EmergencyPages:
    """Shows sessions to a viewer."""

    def __init__(self, showing: Showing, *, rows: EmergencyRepository, contacts: ContactRepository) -> None:
        """Take what desks share, the rows and the contacts."""
        self._rows, self._contacts = rows, contacts
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._cursors, self._rights = showing.cursors, CurrentRights(showing.standings)
        self._standings = showing.standings

    async def page(self, viewer: Viewer, query: SessionQuery) -> Disclosed[SessionPage]:
        """List sessions. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        seek("emergency.list", Purpose.AUDIT)
        shape = {"emergency_sessions": query.state}
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[SessionPage]:
            now, person = self._clock.now(), own_contact(viewer)
            everything = oversees(viewer)
            opener = not everything and await self._rows.appointed(self._reader, person, Office.OPENER, now) is not None
            wanted = Wanted(
                state=query.state,
                now=now,
                actor_id=None if everything else person,
                unconfirmed=opener,
                before=before,
            )
            found, ends = await self._rows.page(self._reader, wanted, limit=query.limit)
            reviews = await self._rows.reviews_of(self._reader, [each.id for each in found])
            look = Look(action="emergency.list", purpose=Purpose.AUDIT, query=shape)
            actors = sorted({each.actor_id for each in found})
            note = await self._gate.disclose_plain(viewer, look, count=len(found), contacts=actors)
            body = {
                "items": [session_view(each, reviews[each.id], now) for each in found],
                "next": None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends)),
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[SessionRead]:
        """Show a session; its reason to reviewers, auditors and who gave it. Raises ``NotFound`` and ``LogUnavailable``."""
        seek("emergency.read", Purpose.AUDIT)

        async def attempt(viewer: Viewer) -> Disclosed[SessionRead]:
            now, person = self._clock.now(), own_contact(viewer)
            session = await self._known(viewer, identity)
            reviews = (await self._rows.reviews_of(self._reader, [identity]))[identity]
            look = Look(action="emergency.read", purpose=Purpose.AUDIT, query={"emergency": str(identity)})
            actor = await self._contacts.by_id(session.actor_id, viewer.tree)
            reason = None
            if actor is not None and (oversees(viewer) or session.actor_id == person):
                (reason,), note = await self._gate.open_history(viewer, actor, [(REASON, session.reason)], look)
            else:
                note = await self._gate.disclose_plain(viewer, look, count=1, contacts=[session.actor_id])
            told = {**session_view(session, reviews, now), "reason": reason, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(told, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def call_list(self, viewer: Viewer, identity: UUID, query: CallListQuery) -> Disclosed[ContactPage]:
        """List whom the caller's own open session is about, as cards inside it.

        Raises ``NotFound``, ``SessionOver``, ``BadCursor``, ``QuotaSpent``, ``LogUnavailable`` and ``EpochMoved``.
        """
        seek("emergency.call_list", Purpose.EMERGENCY)
        current = await self._standings.of(viewer.subject, fresh=True)

        async def attempt(viewer: Viewer) -> Disclosed[ContactPage]:
            session = await self._known(viewer, identity)
            if session.actor_id != own_contact(viewer):
                raise NotFound
            inside = viewer.standing.emergency
            if not session.live(self._clock.now()) or inside is None or inside.session_id != identity:
                raise SessionOver
            part = query.part or ("departments" if session.departments else "key_people")
            shape = {"call_list": str(identity), "part": part}
            after = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
            records = await self._contacts.search(
                self._criteria(viewer, session, part),
                viewer.plan(Purpose.EMERGENCY),
                order=Order(),
                after=None if after is None else (after[0], UUID(after[1])),
                limit=query.limit + 1,
                tree=viewer.tree,
            )
            shown = records[: query.limit]
            look = Look(action="emergency.call_list", purpose=Purpose.EMERGENCY, query=shape)
            opened = await self._gate.disclose(viewer, shown, look)
            following = None
            if len(records) > query.limit:
                last = shown[-1]
                following = self._cursors.seal(viewer.caller, shape, [listed_under(last.public), str(last.subject)])
            return Disclosed(opened.page(following))

        return await self._rights.of(current, attempt)

    def _criteria(self, viewer: Viewer, session: Session, part: str) -> Criteria:
        given: Mapping[str, Any] = (
            {"departments": unfolded(session.standing(), viewer.tree).departments}
            if part == "departments"
            else {"tag": KEY_TAG}
        )
        return Criteria(statuses=_PRESENT, powers=frozenset({Power.MATCH}), **given)

    async def _known(self, viewer: Viewer, identity: UUID) -> Session:
        session, person = await self._rows.session(self._reader, identity), own_contact(viewer)
        if session is None:
            raise NotFound
        if oversees(viewer) or person in session.parties:
            return session
        now = self._clock.now()
        waits = session.live(now) and session.confirmed_by is None
        if waits and await self._rows.appointed(self._reader, person, Office.OPENER, now) is not None:
            return session
        raise NotFound
