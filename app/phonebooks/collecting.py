"""What a phonebook may list for a viewer: the lines of departments, rooms and telephones, then people and hotlines by name.

The rows are cut by the viewer's plan with the power to export C1, since what a telephone shows, everybody around it reads; then each is
believed on the same terms as for cards. Whoever is suspended, has left or is not yet here is not listed, whatever a plan says. Nothing is
opened for it. A telephone is listed by its label or its room; one that a person has is not, since the person is.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.contacts.criteria import Criteria, Order
from app.contacts.finding import ContactFinder
from app.contacts.record import listed_under
from app.contacts.repository import ContactRepository
from app.contacts.search import folded, wanted
from app.departments.tree import Tree
from app.devices.naming import Terminal, Terminals
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.kit.db import Reader
from app.numbers.lines import HeldLine, NumberLines
from app.permissions.outcomes import FieldClass, Power
from app.permissions.plan import Cohort, Plan
from app.permissions.standing import Viewer
from app.phonebooks.entry import Away, Entry, dialled

LISTED_STATUSES: Final = ("active", "leaving")
"""Who is there to be called: neither suspended nor gone nor yet to come."""
MOST_LINES: Final = 2000
MOST_FOUND: Final = 200
_AT_ONCE: Final = 1000

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: what was typed, the department whose subtree is meant, and how many entries to pass over and to give."""

    text: str | None
    department: str | None
    passed: int
    most: int


@dataclass(frozen=True, slots=True)
class Collected:
    """Entries, whom they tell of, and whether more follow."""

    entries: list[Entry]
    contacts: list[UUID]
    more: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A line that belongs to no person: its number, the department that it belongs to or stands in, and how it is listed."""

    digits: str
    department: UUID | None
    entry: Entry


def names_to(cohort: Cohort, status: str) -> bool:
    """Tell whether a contact may be named on a display: C1 may leave, and they are there."""
    return cohort.visible and FieldClass.C1 in cohort.powers[Power.EXPORT] and status in LISTED_STATUSES


class BookReader:
    """Collects entries."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        lines: NumberLines,
        terminals: Terminals,
        gate: Gate,
        reader: Reader,
    ) -> None:
        """Take the contacts, the lines that belong to no person, what names telephones, the gate, and where to read."""
        self._repository, self._lines, self._gate, self._reader = repository, lines, gate, reader
        self._terminals = terminals
        self._finder = ContactFinder(reader, repository)

    async def collect(self, viewer: Viewer, plan: Plan, wish: Wish) -> Collected:
        """Collect what ``viewer`` may be shown of what is asked for."""
        tree = viewer.tree
        within = None
        if wish.department is not None:
            node = tree.find(wish.department)
            within = frozenset[UUID]() if node is None else tree.subtree(node.id)
        lines = [each for each in await self._places(tree) if _is_asked_for(each, within, wish.text)]
        first = [each.entry for each in lines[wish.passed :][: wish.most + 1]]
        criteria = Criteria(
            wanted=None if wish.text is None else wanted(wish.text, tree),
            departments=within,
            statuses=LISTED_STATUSES,
            powers=frozenset({Power.EXPORT} if wish.text is None else {Power.EXPORT, Power.MATCH}),
        )
        room = wish.most + 1 - len(first)
        found = await self._found(criteria, plan, tree, passed=max(0, wish.passed - len(lines)), most=room)
        more = len(first) + len(found) > wish.most
        first = first[: wish.most]
        found = found[: wish.most - len(first)]
        instead = await self._instead(plan, found, tree)
        told = [each.subject for each in found] + [answering for answering, _ in instead.values()]
        entries = [*first, *(_entry(each, tree, plan.today, instead) for each in found)]
        return Collected(entries, list(dict.fromkeys(told)), more)

    async def _places(self, tree: Tree) -> list[_Place]:
        """Give the lines that belong to no person and have a name."""
        held = await self._lines.of_places(self._reader, most=MOST_LINES)
        devices = [each.holder_id for each in held if each.holder_type == "device"]
        terminals = await self._terminals.named(self._reader, devices) if devices else {}
        listed = {identity: each for identity, each in terminals.items() if each.listed}
        found = [_place(each, tree, listed) for each in held]
        return [each for each in found if each is not None]

    async def _found(self, criteria: Criteria, plan: Plan, tree: Tree, *, passed: int, most: int) -> list[Record]:
        """Give the people with a number who come after ``passed`` others, at most so many."""
        found: list[Record] = []
        if most == 0:
            return found
        async for record in self._records(criteria, plan, tree):
            if not _numbers(record):
                continue
            if passed:
                passed -= 1
            elif self._may_name(plan, record):
                found.append(record)
                if len(found) == most:
                    break
        return found

    async def _records(self, criteria: Criteria, plan: Plan, tree: Tree) -> AsyncIterator[Record]:
        """Walk over whom the criteria and the plan allow: the best hits where something was typed, everybody by name where nothing was."""
        if criteria.wanted is not None:
            for hit in await self._finder.search(criteria, plan, after=None, limit=MOST_FOUND, tree=tree):
                yield hit.record
            return
        after: tuple[str, UUID] | None = None
        while True:
            page: Sequence[Record] = await self._repository.search(
                criteria, plan, order=Order(), after=after, limit=_AT_ONCE, tree=tree
            )
            for record in page:
                yield record
            if len(page) < _AT_ONCE:
                return
            after = (listed_under(page[-1].public), page[-1].subject)

    def _may_name(self, plan: Plan, record: Record) -> bool:
        cohort = self._gate.verdict(plan, record)
        if cohort is not None and names_to(cohort, record.cohort.status):
            return True
        _log.error("row_not_disclosed", subject=str(record.subject), action="phonebook.read")
        return False

    async def _instead(self, plan: Plan, found: Iterable[Record], tree: Tree) -> dict[UUID, tuple[UUID, str]]:
        """Find who answers for those who are away, and under which number; only those who may be named themselves."""
        asked = {
            each.subject: UUID(str(each.public["backup_contact"]))
            for each in found
            if _until(each, plan.today) is not None and each.public["backup_contact"] is not None
        }
        records = await self._repository.by_ids(list(dict.fromkeys(asked.values())), tree)
        numbers: dict[UUID, str] = {}
        for identity, record in records.items():
            cohort = self._gate.verdict(plan, record)
            own = _numbers(record)
            if own and cohort is not None and names_to(cohort, record.cohort.status):
                numbers[identity] = own[0]
        return {subject: (backup, numbers[backup]) for subject, backup in asked.items() if backup in numbers}


def _numbers(record: Record) -> tuple[str, ...]:
    short: list[str] = orjson.loads(orjson.dumps(record.public["short_numbers"]))
    return dialled([*short, record.public["extension"]])


def _until(record: Record, today: date) -> date | None:
    """Give the last day on which somebody is away, today or later; ``None`` for who is there."""
    told: Any = record.public["away_until"]
    until = None if told is None else date.fromisoformat(str(told))
    return until if until is not None and until >= today else None


def _entry(record: Record, tree: Tree, today: date, instead: dict[UUID, tuple[UUID, str]]) -> Entry:
    until = _until(record, today)
    _, number = instead.get(record.subject, (None, None))
    main = record.cohort.departments[0] if record.public["department"] is not None else None
    return Entry(
        name=listed_under(record.public),
        numbers=_numbers(record),
        departments=path_of(main, tree),
        away=None if until is None else Away(until, number),
    )


def path_of(department: UUID | None, tree: Tree) -> tuple[str, ...]:
    """Name the departments from the root of the tree down to this one."""
    names: list[str] = []
    at = department
    while at is not None and at in tree.nodes:
        node = tree.nodes[at]
        names.append(node.name)
        at = node.parent_id
    return tuple(reversed(names))


def line_name(line: HeldLine, tree: Tree, terminals: Mapping[UUID, Terminal]) -> str | None:
    """Name a department, a telephone or a room; ``None`` for a department that is not in the verified tree, and for other telephones."""
    match line.holder_type:
        case "department":
            node = tree.nodes.get(line.holder_id)
            return None if node is None else node.name
        case "device":
            terminal = terminals.get(line.holder_id)
            return None if terminal is None else terminal.name
        case _:
            return line.code


def _place(line: HeldLine, tree: Tree, terminals: Mapping[UUID, Terminal]) -> _Place | None:
    name = line_name(line, tree, terminals)
    if name is None:
        return None
    department = line.holder_id if line.holder_type == "department" else None
    departments = path_of(department, tree)[:-1]
    if line.holder_type == "device":
        department = terminals[line.holder_id].department_id
        departments = path_of(department, tree)
    return _Place(line.digits, department, Entry(name=name, numbers=dialled([line.digits]), departments=departments))


def _is_asked_for(place: _Place, within: frozenset[UUID] | None, text: str | None) -> bool:
    if within is not None and place.department not in within:
        return False
    typed = None if text is None else "".join(folded(text).split())
    return typed is None or typed in "".join(folded(place.entry.name).split()) or place.digits.startswith(typed)
