"""Departures as those are told who collect what is left: HR, the steward, IT, security, audit; and whoever takes a place over."""

from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.rights import CurrentRights, seek
from app.departures.parts import PARTS, Part
from app.departures.repository import Departure, DepartureRepository, Narrowing
from app.departures.schemas import DeparturePage, DepartureQuery, DepartureView
from app.departures.undertaking_rows import UndertakingRows
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

READERS: Final = frozenset({"hr", "directory_steward", "it", "infosec", "auditor"})
_PURPOSE: Final = Purpose.WORK_CONTACT


class DeparturePages:
    """Shows departures."""

    def __init__(self, showing: Showing, *, rows: DepartureRepository, undertakings: UndertakingRows) -> None:
        """Take what desks share, the rows, and who confirmed what."""
        self._rows, self._undertakings = rows, undertakings
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._cursors, self._rights = showing.cursors, CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: DepartureQuery) -> Disclosed[DeparturePage]:
        """List departures, newest first: all of them to who collects, else those whose place the viewer takes over."""
        shape = query.shape()
        seek("departure.list", _PURPOSE)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[DeparturePage]:
            every = not READERS.isdisjoint(viewer.standing.roles)
            narrowing = Narrowing(
                open=query.open,
                contact_id=query.contact,
                before=before,
                to=None if every else viewer.standing.contact_id,
                nobody=not every and viewer.standing.contact_id is None,
            )
            found, ends = await self._rows.page(self._reader, narrowing, limit=query.limit)
            people = sorted({each.contact_id for each in found})
            look = Look(action="departure.list", purpose=_PURPOSE, query=shape)
            note = await self._gate.disclose_plain(viewer, look, count=len(found), contacts=people)
            following = None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends))
            items = [self._view(each) for each in found]
            body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[DepartureView]:
        """Show one. Raises ``NotFound``, alike for one that is not there and one that the viewer has nothing to do with."""
        seek("departure.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[DepartureView]:
            found = await self._rows.one(self._reader, identity)
            if found is None or not _sees(viewer, found):
                raise NotFound
            undertaking = await self._undertaking(found.contact_id)
            look = Look(action="departure.read", purpose=_PURPOSE, query={"departure": str(identity)})
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=[found.contact_id])
            told = {**self._view(found), "undertaking": undertaking, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(told, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _undertaking(self, contact: UUID) -> dict[str, Any] | None:
        current = await self._undertakings.current(self._reader)
        if current is None:
            return None
        said = await self._undertakings.confirmations(self._reader, contact)
        mine = next((each for each in said if each.text_id == current.id), None)
        return {
            "version": current.version,
            "confirmed_at": None if mine is None else mine.at,
            "means": None if mine is None else mine.means,
        }

    def _view(self, each: Departure) -> dict[str, Any]:
        counts = dict(entry.split(":") for entry in each.ended)
        return {
            "id": each.id,
            "contact": each.contact_id,
            "hand_over_to": each.to_id,
            "left_at": each.left_at,
            "remove_by": each.remove_by,
            "state": each.removal(self._clock.now()).value,
            "checked_at": each.checked_at,
            "archived_at": each.archived_at,
            "ended": [
                {"part": part.value, "count": int(counts[part.value]), "en": PARTS[part].en, "zh": PARTS[part].zh}
                for part in Part
                if part.value in counts
            ],
        }


def _sees(viewer: Viewer, found: Departure) -> bool:
    me = viewer.standing.contact_id
    return not READERS.isdisjoint(viewer.standing.roles) or (me is not None and found.to_id == me)
