"""The live plan as one viewer may know it, a window of digits at a time: numbers, whose they are, what they may do."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.calling.repository import PrivilegeRepository
from app.departments.tree import Tree
from app.devices.naming import Terminal, Terminals
from app.devices.repository import DeviceRepository
from app.disclosure.acquaintances import ClosedContacts
from app.disclosure.showing import Showing
from app.kit.errors import FieldError, Invalid
from app.numbers.live import LiveNumber, LiveNumbers
from app.numbers.pool_repository import Domain, PoolRepository
from app.numbers.repository import Assignment
from app.permissions.outcomes import FieldClass, Power, Purpose
from app.permissions.standing import Viewer
from app.switching.lines import Granted, OurLine, Person

WINDOW: Final = 200
_PURPOSE: Final = Purpose.WORK_CONTACT
_EXTENSION: Final = "extension"


class LivePlan:
    """Reads windows for a viewer."""

    def __init__(
        self, showing: Showing, *, privileges: PrivilegeRepository, contacts: ClosedContacts, devices: DeviceRepository
    ) -> None:
        """Take what desks share, the calling privileges, and where people and devices are found."""
        self._terminals = Terminals(devices)
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._privileges, self._contacts = privileges, contacts
        self._numbers, self._pools = LiveNumbers(), PoolRepository()

    async def domain(self, named: str) -> Domain:
        """Find a domain by its code or id; raise ``Invalid`` for one that there is not."""
        found = await self._pools.domain(self._reader, named)
        if found is None:
            fault = FieldError("?domain", "unknown_value", "There is no such domain.", "没有这个编号域。")
            raise Invalid(errors=[fault])
        return found

    async def window(self, viewer: Viewer, domain: Domain, *, after: str, power: Power | None = None) -> list[OurLine]:
        """Give up to ``WINDOW`` numbers that somebody holds, after the digits ``after``.

        A holder is told whom the viewer may know of and, where ``power`` is given, has it over their C1. A device is told of
        where whoever has it may be, and who that is of none.
        """
        numbers = await self._numbers.page(self._reader, domain.id, after=after, limit=WINDOW)
        held = [each for number in numbers for each in number.holding]
        devices = [each.holder.id for each in held if each.holder.type == "device"]
        terminals = await self._terminals.named(self._reader, devices) if devices else {}
        contacts = [each.holder.id for each in held if each.holder.type == "contact"]
        contacts += [each.person for each in terminals.values() if each.person is not None]
        people = await self._people(viewer, contacts, power)
        granted = await self._privileges.in_force(self._reader, {each.id for each in held}, self._clock.now())
        known = {identity: each for identity, each in terminals.items() if each.person is None or each.person in people}
        return [_line(number, people, known, viewer.tree, granted) for number in numbers]

    async def standing(self, domain: Domain, digits: Sequence[str]) -> dict[str, OurLine]:
        """Tell how those of these numbers stand that the domain has or had; nothing is said of holders."""
        found = await self._numbers.standing(self._reader, domain.id, digits)
        return {each.digits: OurLine(digits=each.digits, state=each.state, pool=each.pool) for each in found.values()}

    async def _people(
        self, viewer: Viewer, contacts: Sequence[UUID], power: Power | None
    ) -> dict[UUID, Mapping[str, Any]]:
        plan, found = viewer.plan(_PURPOSE), dict[UUID, Mapping[str, Any]]()
        wanted = list(dict.fromkeys(contacts))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        for identity, record in zip(wanted, records, strict=True):
            cohort = None if record is None else self._gate.verdict(plan, record)
            if record is None or cohort is None:
                continue
            if power is None or FieldClass.C1 in cohort.powers[power]:
                found[identity] = record.public
        return found


def _line(
    number: LiveNumber,
    people: Mapping[UUID, Mapping[str, Any]],
    terminals: Mapping[UUID, Terminal],
    tree: Tree,
    granted: Mapping[UUID, Sequence[Any]],
) -> OurLine:
    told = [_person(each, people, terminals, tree) for each in number.holding]
    ends = {each.until for each in number.holding}
    return OurLine(
        digits=number.digits,
        state=number.state,
        pool=number.pool,
        extension=any(each.role == _EXTENSION for each in number.holding),
        until=max((each for each in ends if each is not None), default=None) if None not in ends else None,
        people=tuple(each for each in told if each is not None),
        withheld=any(each is None for each in told),
        granted=tuple(
            Granted(each.function, each.until) for holding in number.holding for each in granted.get(holding.id, ())
        ),
    )


def _person(
    each: Assignment, people: Mapping[UUID, Mapping[str, Any]], terminals: Mapping[UUID, Terminal], tree: Tree
) -> Person | None:
    holder = each.holder
    if holder.type == "contact":
        card = people.get(holder.id)
        if card is None or not card.get("name"):
            return None
        department = orjson.loads(orjson.dumps(card["department"])) or {}
        return Person(
            name=card["name"],
            employee_no=card.get("employee_no"),
            user_name=card.get("user_name"),
            department=department.get("code"),
            contact=holder.id,
        )
    if holder.type == "department":
        node = tree.nodes.get(holder.id)
        return None if node is None else Person(name=node.name, department=node.code)
    if holder.type == "device" and (terminal := terminals.get(holder.id)) is not None:
        node = None if terminal.department_id is None else tree.nodes.get(terminal.department_id)
        return Person(name=terminal.name, department=None if node is None else node.code)
    if holder.type == "room" and holder.code is not None:
        return Person(name=holder.code, room=holder.code)
    return None
