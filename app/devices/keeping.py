"""Changing devices for a caller: are they told of it, may they do that, have they seen what they change, and what are they told.

IT, and programs that were given the scope, do everything. Whoever heads where a device stands, or was told to hand it over, gives it to
somebody and takes it back; whoever has it gives it back and reports it lost. A secret is told in the one answer that makes it, and nothing
keeps it: so there is no repeat to be made harmless, whoever lost the answer makes another.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from app.contacts.repository import ContactRepository
from app.devices.errors import DeviceHolderUnknown, DeviceNotFound, DevicePlaceUnknown
from app.devices.reading import DevicePages
from app.devices.repository import DeviceRepository
from app.devices.rules import Assignment, Device, State, answers_for, keeps
from app.devices.schemas import AssignmentCreate, DeviceAmend, DeviceCreate, DeviceHolder, SecretCreate
from app.devices.service import DeviceService, HolderOf
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.rights import seek
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import PreconditionFailed
from app.kit.idempotency import Receipt
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

_ROOMS: Final = UUID("01999999-0000-7000-8000-000000000002")
"""The same as numbers make the ids of rooms from, so that a room is the same holder everywhere."""


class DeviceKeeper:
    """Keeps devices for a viewer."""

    def __init__(
        self,
        *,
        service: DeviceService,
        rows: DeviceRepository,
        pages: DevicePages,
        contacts: ContactRepository,
        people: Acquaintances,
    ) -> None:
        """Take what does it, the rows, how devices are shown, where people are found, and whom viewers may know."""
        self._service, self._rows, self._pages = service, rows, pages
        self._contacts, self._people = contacts, people

    async def register(self, viewer: Viewer, unit: UnitOfWork, body: DeviceCreate) -> Receipt:
        """Register a device. Raises ``NotPermitted``, ``DevicePlaceUnknown`` and ``DeviceExists``."""
        seek("device.register", Purpose.WORK_CONTACT)
        if not keeps(viewer.standing):
            raise NotPermitted
        given = self._placed(viewer, body.model_dump())
        device, secret = await self._service.register(unit, author_of(viewer), given)
        return Receipt(device.id, {**await self._pages.receipt(viewer, device, None), "secret": secret}, 201)

    async def amend(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str, body: DeviceAmend) -> Receipt:
        """Change a device. Raises ``DeviceNotFound``, ``NotPermitted``, ``PreconditionFailed`` and as ``register`` does."""
        device, held = await self._found(viewer, unit, "device.update", identity)
        self._demand(allowed=keeps(viewer.standing))
        if not names_version(seen, str(device.row_version)):
            raise PreconditionFailed
        given = self._placed(viewer, body.model_dump(exclude_unset=True))
        suspended, author = given.pop("suspended", None), author_of(viewer)
        after = await self._service.amend(unit, author, device, given)
        if suspended is not None and suspended is not (after.state is State.SUSPENDED):
            turned = self._service.suspend if suspended else self._service.resume
            after = await turned(unit, author, after)
        return await self._receipt(viewer, after, held)

    async def rotate(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: SecretCreate) -> dict[str, Any]:
        """Make another secret. Raises ``DeviceNotFound``, ``NotPermitted`` and ``DeviceStateRefuses``."""
        device, _ = await self._found(viewer, unit, "device.rotate_secret", identity)
        self._demand(allowed=keeps(viewer.standing))
        overlap = timedelta(hours=body.overlap_hours)
        device, secret, until = await self._service.rotate(unit, author_of(viewer), device, overlap)
        return {"id": str(device.id), "secret": secret, "former_until": until.isoformat()}

    async def assign(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: AssignmentCreate) -> Receipt:
        """Give a device to somebody. Raises ``DeviceNotFound``, ``NotPermitted``, ``DeviceHolderUnknown``, ``DeviceStateRefuses``."""
        seek("device.assign", Purpose.WORK_CONTACT)
        device, _ = await self._pages.told(unit.session, viewer, identity)
        self._demand(allowed=keeps(viewer.standing) or answers_for(viewer.standing, device))
        holder = await self._holder(viewer, unit, body.holder)
        done = await self._service.assign(unit, author_of(viewer), identity, holder)
        if done is None:
            raise DeviceNotFound
        receipt = await self._receipt(viewer, *done)
        return Receipt(receipt.resource_id, receipt.body, 201)

    async def give_back(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Take a device into stock. Raises as ``rotate`` does."""
        device, held = await self._found(viewer, unit, "device.return", identity)
        self._demand(allowed=self._concerns(viewer, device, held))
        return await self._receipt(viewer, await self._service.give_back(unit, author_of(viewer), device), None)

    async def lose(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Report a device lost. Raises as ``rotate`` does."""
        device, held = await self._found(viewer, unit, "device.lose", identity)
        self._demand(allowed=self._concerns(viewer, device, held))
        return await self._receipt(viewer, await self._service.lose(unit, author_of(viewer), device), held)

    async def retire(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End a device for good; retired twice is retired once. Raises ``DeviceNotFound`` and ``NotPermitted``."""
        device, _ = await self._found(viewer, unit, "device.retire", identity)
        self._demand(allowed=keeps(viewer.standing))
        if device.state is not State.RETIRED:
            await self._service.retire(unit, author_of(viewer), device)

    async def _found(
        self, viewer: Viewer, unit: UnitOfWork, action: str, identity: UUID
    ) -> tuple[Device, Assignment | None]:
        """Lock a device of which the viewer is told, and say what the request is about to do."""
        seek(action, Purpose.WORK_CONTACT)
        if await self._rows.locked(unit.session, identity) is None:
            raise DeviceNotFound
        return await self._pages.told(unit.session, viewer, identity)

    async def _receipt(self, viewer: Viewer, device: Device, held: Assignment | None) -> Receipt:
        return Receipt(device.id, await self._pages.receipt(viewer, device, held), 200)

    async def _holder(self, viewer: Viewer, unit: UnitOfWork, named: DeviceHolder) -> HolderOf:
        """Find who is meant; raise ``DeviceHolderUnknown`` alike for all whom the viewer cannot name."""
        match named.type:
            case "department":
                node = viewer.tree.find(named.id)
                if node is None:
                    raise DeviceHolderUnknown
                return HolderOf("department", node.id)
            case "room":
                return HolderOf("room", uuid5(_ROOMS, named.id), named.id)
            case "contact":
                try:
                    found: UUID | None = UUID(named.id)
                except ValueError:
                    found = await self._contacts.by_employee_no(unit.session, named.id)
                if found is None or found not in await self._people.known(viewer, [found]):
                    raise DeviceHolderUnknown
                return HolderOf("contact", found)

    @staticmethod
    def _placed(viewer: Viewer, given: dict[str, Any]) -> dict[str, Any]:
        """Name the department by its id; raise ``DevicePlaceUnknown``."""
        if "department" not in given:
            return given
        named = given.pop("department")
        node = None if named is None else viewer.tree.find(named)
        if named is not None and node is None:
            raise DevicePlaceUnknown
        return {**given, "department_id": None if node is None else node.id}

    @staticmethod
    def _concerns(viewer: Viewer, device: Device, held: Assignment | None) -> bool:
        standing = viewer.standing
        holds = held is not None and held.holder_id == standing.contact_id
        return holds or keeps(standing) or answers_for(standing, device)

    @staticmethod
    def _demand(*, allowed: bool) -> None:
        if not allowed:
            raise NotPermitted
