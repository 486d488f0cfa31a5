"""Certificates of purges as the steward, security and auditors are shown them; each answer is a look, on record before it leaves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.note import Verifier
from app.crypto import quarters
from app.crypto.history_purging import destroyed_keys
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.history.repository import Purge, PurgeRepository
from app.history.rules import READERS, opened, stated
from app.history.schemas import DestroyedPage, PurgePage, PurgeQuery, PurgeRead
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE: Final = Purpose.WORK_CONTACT
_COUNTS: Final = ("subjects", "keys", "changes", "left", "held")


class PurgePages:
    """Shows purges."""

    def __init__(self, showing: Showing, rows: PurgeRepository, verifier: Verifier) -> None:
        """Take what every look shares, the rows, and the public key that certificates are signed for."""
        self._gate, self._cursors, self._reader = showing.gate, showing.cursors, showing.reader
        self._rows, self._verifier, self._rights = rows, verifier, CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: PurgeQuery) -> Disclosed[PurgePage]:
        """List purges. Raises ``NotPermitted``, ``BadCursor`` and ``LogUnavailable``."""
        seek("history_purge.list", _PURPOSE)
        shape = {"purges": "all"}
        place = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
        before = None if place is None else (datetime.fromisoformat(place[0]), UUID(place[1]))

        async def attempt(viewer: Viewer) -> Disclosed[PurgePage]:
            _admit(viewer)
            found = await self._rows.page(self._reader, before, limit=query.limit + 1)
            page = found[: query.limit]
            ends = [page[-1].at.isoformat(), str(page[-1].id)] if len(found) > query.limit else None
            items = [self._item(each) for each in page]
            return Disclosed(await self._told(viewer, "history_purge.list", items, shape, ends))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[PurgeRead]:
        """Show one certificate. Raises ``NotFound``, and as ``page`` does."""
        seek("history_purge.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[PurgeRead]:
            _admit(viewer)
            purge = await self._found(identity)
            statement = stated(purge.note)
            people = [statement["filed_by"], *statement["decided_by"]]
            look = Look(action="history_purge.read", purpose=_PURPOSE, query={"purge": str(identity)})
            note = await self._gate.disclose_plain(
                viewer, look, count=1, contacts=sorted({UUID(each) for each in people})
            )
            body = {
                **self._item(purge),
                "filed_by": statement["filed_by"],
                "decided_by": statement["decided_by"],
                "note": purge.note,
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def keys(self, viewer: Viewer, identity: UUID, query: PurgeQuery) -> Disclosed[DestroyedPage]:
        """List the keys that a purge destroyed, by handle. Raises as ``one`` does, and ``BadCursor``."""
        seek("history_purge.keys", _PURPOSE)
        shape = {"purge": str(identity)}
        place = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
        after = b"" if place is None else bytes.fromhex(place)

        async def attempt(viewer: Viewer) -> Disclosed[DestroyedPage]:
            _admit(viewer)
            await self._found(identity)
            found = await destroyed_keys(self._reader, identity, after=after, limit=query.limit + 1)
            page = found[: query.limit]
            items = [
                {"contact": each.subject, "quarter": quarters.name(each.quarter), "handle": each.handle.hex()}
                for each in page
            ]
            ends = page[-1].handle.hex() if len(found) > query.limit else None
            whose = sorted({each.subject for each in page})
            return Disclosed(await self._told(viewer, "history_purge.keys", items, shape, ends, whose))

        return await self._rights.of(viewer, attempt)

    async def _found(self, identity: UUID) -> Purge:
        purge = await self._rows.one(self._reader, identity)
        if purge is None or not stated(purge.note):
            raise NotFound
        return purge

    def _item(self, purge: Purge) -> dict[str, Any]:
        said, signed = stated(purge.note), opened([self._verifier], purge.note)
        return {
            "id": purge.id,
            "at": purge.at,
            "before": said.get("before"),
            "scope": said.get("scope", {}),
            "quarters": said.get("quarters", []),
            **{name: said.get(name, 0) for name in _COUNTS},
            "root": said.get("root", ""),
            "intact": signed is not None and signed.get("request") == str(purge.id),
        }

    async def _told(
        self,
        viewer: Viewer,
        action: str,
        items: Sequence[Mapping[str, Any]],
        shape: Mapping[str, Any],
        ends: Any,  # noqa: ANN401 — any JSON
        contacts: Sequence[UUID] = (),
    ) -> bytes:
        note = await self._gate.disclose_plain(
            viewer, Look(action=action, purpose=_PURPOSE, query=dict(shape)), count=len(items), contacts=contacts
        )
        following = None if ends is None else self._cursors.seal(viewer.caller, shape, ends)
        body = {"items": list(items), "next": following, "disclosure": orjson.Fragment(note)}
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def _admit(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` for everybody but the steward, security and auditors, whether or not there is what they ask for."""
    if viewer.standing.kind != "person" or viewer.standing.roles.isdisjoint(READERS):
        raise NotPermitted
