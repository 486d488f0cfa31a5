"""Registering, assigning, taking back and retiring devices, each in the caller's one transaction and on record there.

Nothing here decides who may. Whoever is to have a device is locked before the device, as personnel events lock who leaves before what they
have, and the device before its numbers: so nobody waits in a circle, and nobody is given a device in the moment in which they leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import epochs
from app.contacts.repository import ContactRepository
from app.devices.errors import DeviceExists, DeviceHolderUnknown, DeviceStateRefuses
from app.devices.joints import HeldNumbers
from app.devices.principal import DeviceSecrets
from app.devices.repository import DeviceRepository
from app.devices.rules import Assignment, Device, Secret, State, Step, allows
from app.devices.telling import DeviceNotices
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.teller import Teller

_IN_OFFICE: Final = frozenset({"prehire", "active", "frozen", "leaving"})
_TOLD_OF_LOSS: Final = ("infosec", "it")


@dataclass(frozen=True, slots=True)
class HolderOf:
    """Who is to have a device; ``name`` is the code of a room."""

    type: str
    id: UUID
    name: str | None = None


class DeviceService:
    """Keeps devices."""

    def __init__(
        self,
        *,
        rows: DeviceRepository,
        kept: DeviceSecrets,
        contacts: ContactRepository,
        numbers: HeldNumbers,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the rows, the form of secrets, where people are found, who takes numbers back, who tells, and the clock."""
        self.rows, self._kept, self._contacts = rows, kept, contacts
        self._numbers, self.notices, self._clock = numbers, DeviceNotices(teller, clock), clock

    async def register(self, unit: UnitOfWork, author: Author, given: Mapping[str, Any]) -> tuple[Device, str]:
        """Put a device into stock; give it with its first secret, which is told this once. Raises ``DeviceExists``."""
        now = self._clock.now()
        device = Device(id=new_id(), state=State.IN_STOCK, row_version=1, created_at=now, updated_at=now, **given)
        try:
            async with unit.session.begin_nested():
                await self.rows.add(unit.session, device)
        except IntegrityError as error:
            raise DeviceExists from error
        secret = await self._new_secret(unit, device, now)
        await self._record(unit, author, "device.register", device, fields=sorted(given))
        return device, secret

    async def amend(self, unit: UnitOfWork, author: Author, device: Device, given: Mapping[str, Any]) -> Device:
        """Change what is said of a device; what is as it was leaves no trace. Raises ``DeviceExists``."""
        changed = {name: value for name, value in given.items() if getattr(device, name) != value}
        if not changed:
            return device
        try:
            async with unit.session.begin_nested():
                return await self._put(unit, author, "device.update", device, changed)
        except IntegrityError as error:
            raise DeviceExists from error

    async def rotate(
        self, unit: UnitOfWork, author: Author, device: Device, overlap: timedelta
    ) -> tuple[Device, str, datetime]:
        """Make another secret; those before stay good for ``overlap``. Give device, secret and when the older one ends.

        Raises ``DeviceStateRefuses``.
        """
        self._demand(device, Step.ROTATE)
        now = self._clock.now()
        live = await self.rows.secrets(unit.session, device.id, now)
        for each in live[:-1]:
            await self.rows.end_secret(unit.session, each, now)
        await self.rows.end_secrets(unit.session, device.id, now + overlap, now=now)
        secret = await self._new_secret(unit, device, now)
        return await self._put(unit, author, "device.rotate_secret", device, {}), secret, now + overlap

    async def assign(
        self, unit: UnitOfWork, author: Author, device_id: UUID, holder: HolderOf
    ) -> tuple[Device, Assignment] | None:
        """Give a device to somebody; whoever had it has it no more, and what was to be handed over is. ``None``: no such device.

        Raises ``DeviceHolderUnknown`` and ``DeviceStateRefuses``.
        """
        places = await self._places(unit, holder)
        device = await self.rows.locked(unit.session, device_id)
        if device is None:
            return None
        self._demand(device, Step.ASSIGN)
        now = self._clock.now()
        before = (await self.rows.holders(unit.session, [device.id])).get(device.id)
        if before is not None:
            if device.state is State.IN_USE and (before.holder_type, before.holder_id) == (holder.type, holder.id):
                return device, before
            await self.rows.end_assignment(unit.session, before, at=now, cause="reassigned")
        assignment = Assignment(
            id=new_id(),
            device_id=device.id,
            holder_type=holder.type,
            holder_id=holder.id,
            holder_name=holder.name,
            since=now,
            ended_at=None,
            cause=None,
            actor_type=author.type,
            actor_id=author.id,
        )
        await self.rows.assign(unit.session, assignment)
        awaited = device.state is State.TO_HAND_OVER
        after = await self._put(
            unit,
            author,
            "device.assign",
            device,
            {"state": State.IN_USE, "answerable_id": None, "due_at": None, **places},
            holders=(assignment, before),
        )
        if awaited:
            await self.notices.tell(unit, "device.taken_over", after, person=device.answerable_id)
        return after, assignment

    async def give_back(self, unit: UnitOfWork, author: Author, device: Device) -> Device:
        """Take a device into stock; its secrets end. Raises ``DeviceStateRefuses``."""
        self._demand(device, Step.RETURN)
        return await self._take(unit, author, device, State.IN_STOCK, "device.return", "returned")

    async def lose(self, unit: UnitOfWork, author: Author, device: Device) -> Device:
        """Shut the door to a device that is lost, at once, and tell security. Raises ``DeviceStateRefuses``."""
        self._demand(device, Step.LOSE)
        held = (await self.rows.holders(unit.session, [device.id])).get(device.id)
        after = await self.shut(unit, author, device, State.LOST, "device.lose", held)
        await self.notices.tell(unit, "device.lost", after, person=_person(held), roles=_TOLD_OF_LOSS)
        return after

    async def suspend(self, unit: UnitOfWork, author: Author, device: Device) -> Device:
        """Refuse a device until it is resumed; its secret stays. Raises ``DeviceStateRefuses``."""
        self._demand(device, Step.SUSPEND)
        changes = {"state": State.SUSPENDED, "answerable_id": None, "due_at": None}
        return await self._put(unit, author, "device.suspend", device, changes)

    async def resume(self, unit: UnitOfWork, author: Author, device: Device) -> Device:
        """Let a suspended device call again; without a holder it goes into stock. Raises ``DeviceStateRefuses``."""
        self._demand(device, Step.RESUME)
        held = await self.rows.holders(unit.session, [device.id])
        state = State.IN_USE if device.id in held else State.IN_STOCK
        return await self._put(unit, author, "device.resume", device, {"state": state})

    async def retire(self, unit: UnitOfWork, author: Author, device: Device) -> Device:
        """End a device for good, and with it who has it, its secrets and the numbers that it holds. Raises ``DeviceStateRefuses``."""
        self._demand(device, Step.RETIRE)
        after = await self._take(unit, author, device, State.RETIRED, "device.retire", "retired")
        await self._numbers.end_of_device(unit, author, device.id)
        return after

    async def shut(
        self,
        unit: UnitOfWork,
        author: Author,
        device: Device,
        state: State,
        action: str,
        held: Assignment | None,
        *,
        cause: str | None = None,
    ) -> Device:
        """Put a device into a state in which it may not call, and end its secrets."""
        now = self._clock.now()
        await self.rows.end_secrets(unit.session, device.id, now, now=now)
        changes = {"state": state, "answerable_id": None, "due_at": None}
        return await self._put(unit, author, action, device, changes, holders=(held,), cause=cause)

    async def hand_over(
        self,
        unit: UnitOfWork,
        author: Author,
        device: Device,
        held: Assignment,
        *,
        cause: str,
        answerable: UUID | None,
        due: datetime,
    ) -> Device:
        """Take a device from somebody who left or moved; one that was a person's own cannot call until it has another secret."""
        now = self._clock.now()
        await self.rows.end_assignment(unit.session, held, at=now, cause=cause)
        if device.follows == "person":
            await self.rows.end_secrets(unit.session, device.id, now, now=now)
        changes = {"state": State.TO_HAND_OVER, "answerable_id": answerable, "due_at": due}
        after = await self._put(unit, author, "device.hand_over", device, changes, holders=(held,), cause=cause)
        roles = () if answerable is not None else ("it",)
        await self.notices.tell(unit, "device.handed_over", after, person=answerable, roles=roles)
        return after

    async def place(self, unit: UnitOfWork, author: Author, device: Device, department_id: UUID | None) -> Device:
        """Let a device stand where its person is now."""
        if department_id is None or department_id == device.department_id:
            return device
        return await self._put(unit, author, "device.move", device, {"department_id": department_id})

    async def _take(
        self, unit: UnitOfWork, author: Author, device: Device, state: State, action: str, cause: str
    ) -> Device:
        held = (await self.rows.holders(unit.session, [device.id])).get(device.id)
        if held is not None:
            await self.rows.end_assignment(unit.session, held, at=self._clock.now(), cause=cause)
        return await self.shut(unit, author, device, state, action, held)

    async def _places(self, unit: UnitOfWork, holder: HolderOf) -> dict[str, Any]:
        """Lock who is to have a device and say where it stands with them; raise ``DeviceHolderUnknown``."""
        match holder.type:
            case "contact":
                await self._contacts.hold(unit.session, [holder.id])
                facts = await self._contacts.viewer_facts(unit.session, holder.id)
                if facts is None or facts.status not in _IN_OFFICE:
                    raise DeviceHolderUnknown
                return {} if facts.department_id is None else {"department_id": facts.department_id}
            case "department":
                return {"department_id": holder.id}
            case _:
                return {"room": holder.name}

    async def _new_secret(self, unit: UnitOfWork, device: Device, now: datetime) -> str:
        secret = self._kept.new()
        digest = self._kept.digest(device.id, secret)
        await self.rows.add_secret(
            unit.session, Secret(id=new_id(), device_id=device.id, digest=digest, since=now, until=None)
        )
        return secret

    async def _put(
        self,
        unit: UnitOfWork,
        author: Author,
        action: str,
        device: Device,
        changes: Mapping[str, Any],
        *,
        holders: tuple[Assignment | None, ...] = (),
        cause: str | None = None,
    ) -> Device:
        after = await self.rows.change(unit.session, replace(device, **changes), at=self._clock.now())
        await epochs.bump(unit.session, device.epoch_key)
        people = tuple(dict.fromkeys(who for each in holders if (who := _person(each)) is not None))
        await self._record(unit, author, action, after, contacts=people, fields=sorted(changes), cause=cause)
        return after

    async def _record(
        self,
        unit: UnitOfWork,
        author: Author,
        action: str,
        device: Device,
        *,
        contacts: tuple[UUID, ...] = (),
        fields: list[str] | None = None,
        cause: str | None = None,
    ) -> None:
        told = {"device": str(device.id), **({} if cause is None else {"cause": cause})}
        event = written(author, action, self._clock.now(), contacts=contacts, fields=fields or [], query=told)
        await add_intent(unit.session, event)

    @staticmethod
    def _demand(device: Device, step: Step) -> None:
        if not allows(device.state, step):
            raise DeviceStateRefuses(device.state.value)


def _person(held: Assignment | None) -> UUID | None:
    return held.holder_id if held is not None and held.holder_type == "contact" else None
