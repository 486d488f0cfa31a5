"""Devices as a caller is shown them, each answer on record before it leaves.

Everybody is told of what they have, heads of what stands with those whom they lead; the offices that look after devices, security and audit
are told of all. Which device somebody has, and its serial number and hardware address, are about them: nobody else is told that it exists.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.devices.errors import DeviceNotFound
from app.devices.repository import DeviceRepository, Narrowing
from app.devices.rules import Assignment, Device, Sight, looks_at_all, sight
from app.devices.schemas import DevicePage, DeviceQuery, DeviceRead
from app.devices.views import device_view, past_view, people_of
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.query import Source
from app.permissions.errors import NoContact
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE = Purpose.WORK_CONTACT


class DevicePages:
    """Shows devices."""

    def __init__(self, showing: Showing, *, rows: DeviceRepository, people: Acquaintances) -> None:
        """Take what desks share, the rows, and whom viewers may know."""
        self._rows, self._people = rows, people
        self._gate, self._reader, self._cursors = showing.gate, showing.reader, showing.cursors
        self._rights = CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: DeviceQuery) -> Disclosed[DevicePage]:
        """List devices, newest first. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        shape = query.shape()
        seek("device.list", _PURPOSE)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[DevicePage]:
            found, ends = await self._rows.page(self._reader, _narrowed(viewer, query, before), limit=query.limit)
            held = await self._rows.holders(self._reader, [each.id for each in found])
            known = await self._known(viewer, [(each, held.get(each.id)) for each in found])
            items = [self._view(viewer, each, held.get(each.id), known) for each in found]
            look = Look(action="device.list", purpose=_PURPOSE, query=_logged(shape))
            note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=sorted(known))
            following = None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends))
            body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[DeviceRead]:
        """Show one. Raises ``DeviceNotFound`` alike where there is none and where it is not told, and as ``page`` does."""
        seek("device.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[DeviceRead]:
            device, held = await self.told(self._reader, viewer, identity)
            history: Sequence[Assignment] = ()
            if looks_at_all(viewer.standing):
                history = await self._rows.history(self._reader, device.id)
            known = await self._known(viewer, [(device, held), *((device, each) for each in history)])
            look = Look(action="device.read", purpose=_PURPOSE, query={"device": str(identity)})
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=sorted(known))
            item = self._view(viewer, device, held, known)
            holders = [past_view(each, known) for each in history]
            body = orjson.dumps({**item, "holders": holders, "disclosure": orjson.Fragment(note)})
            return Disclosed(body, etag=item["version"])

        return await self._rights.of(viewer, attempt)

    async def told(self, source: Source, viewer: Viewer, identity: UUID) -> tuple[Device, Assignment | None]:
        """Give a device of which the viewer is told, and who has it; raise ``DeviceNotFound`` for every other."""
        device = await self._rows.by_id(source, identity)
        if device is None:
            raise DeviceNotFound
        held = (await self._rows.holders(source, [identity])).get(identity)
        if sight(viewer.standing, device, None if held is None else held.holder_id) is Sight.NOTHING:
            raise DeviceNotFound
        return device, held

    async def receipt(self, viewer: Viewer, device: Device, held: Assignment | None) -> dict[str, Any]:
        """Write a device as it is by now for whoever changed it."""
        return self._view(viewer, device, held, await self._known(viewer, [(device, held)]))

    async def _known(self, viewer: Viewer, found: Sequence[tuple[Device, Assignment | None]]) -> set[UUID]:
        named = [who for device, held in found for who in people_of(device, held)]
        return set(await self._people.known(viewer, named))

    @staticmethod
    def _view(viewer: Viewer, device: Device, held: Assignment | None, known: set[UUID]) -> dict[str, Any]:
        told = sight(viewer.standing, device, None if held is None else held.holder_id)
        return device_view(device, held, told, known)


def _narrowed(viewer: Viewer, query: DeviceQuery, before: UUID | None) -> Narrowing:
    """Say what a viewer's question means; raise ``NoContact`` for one who is nobody and looks after nothing."""
    standing, everything = viewer.standing, looks_at_all(viewer.standing)
    if not everything and standing.contact_id is None:
        raise NoContact
    node = None if query.department is None else viewer.tree.find(query.department)
    there = frozenset() if node is None else viewer.tree.subtree(node.id)
    sought = query.serial is not None or query.mac_address is not None
    own = None if everything else standing.contact_id
    return Narrowing(
        kind=query.kind,
        state=None if query.state is None else query.state.value,
        vendor=query.vendor,
        department=None if query.department is None else there,
        holder_id=own if sought and own is not None else query.holder,
        serial=query.serial,
        mac_address=query.mac_address,
        seen_by=own,
        headed=standing.headed,
        before=before,
    )


def _logged(shape: dict[str, Any]) -> dict[str, Any]:
    """Write a question for the log, which keeps no serial number and no hardware address."""
    return {name: "given" if name in {"serial", "mac_address"} else value for name, value in shape.items()}
