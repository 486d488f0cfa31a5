"""Letting somebody go, and letting somebody move: everything of ``parts``, one after the other, in the caller's one transaction.

Every way out goes through here: the personnel event, ``DELETE`` of a card, a transfer by PATCH or by request. Whoever is named to take
over, and is there, gets what can be handed on; else each part finds the next head by itself. Requests are locked first, then the card,
then the rest, as those who decide do; the card is closed before anything is asked that depends on who is there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from app.approvals.effects import Cause
from app.approvals.parting import PartingRequests
from app.approvals.resolving import Organisation
from app.audit.authors import Author
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.families import FamilyRepository
from app.contacts.parting import Moved
from app.departments.schemas import DepartmentAmend
from app.departments.service import DepartmentService
from app.departments.tree import Node, Tree
from app.departures.keeping import DepartureBook
from app.departures.parts import MOVING, Part
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import Problem
from app.permissions.given import GivenRights

LEFT: Final = "left"
MOVED: Final = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Whom it is about, by what they go (``left`` or ``moved``), and to whom their things are handed, if anybody is named."""

    contact_id: UUID
    cause: str
    to: UUID | None = None


Step: TypeAlias = Callable[[UnitOfWork, Author, Going], Awaitable[int]]
"""What is done to one part; gives how much of it there was."""


class Numbers(Protocol):
    """Where numbers are given and taken as people move."""

    async def move(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, tree: Tree, department_id: UUID | None
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Take back what is of former places and give what is due at the new one; raise when nothing is left there, changing nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Departments:
    """Positions, and who is in office."""

    service: DepartmentService
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts, their sign-ins, and what they were given."""

    accounts: UserAccounts
    families: FamilyRepository
    given: GivenRights


class Departing:
    """Lets people go."""

    def __init__(
        self,
        *,
        departments: Departments,
        accounts: Accounts,
        numbers: Numbers,
        book: DepartureBook,
        clock: Clock,
    ) -> None:
        """Take where positions and accounts are settled, numbers of who moves, the book of departures, and the clock."""
        self._departments, self._accounts = departments, accounts
        self.numbers, self.book, self._clock = numbers, book, clock
        self._leaving: Mapping[Part, Step] = {}

    def complete(self, requests: PartingRequests, steps: Mapping[Part, Step]) -> None:
        """Take where requests are settled, whose effects let people move too and are made later than this, and all other parts."""
        self._requests = requests
        own: Mapping[Part, Step] = {
            Part.SESSIONS: self._sessions,
            Part.POSITIONS: self._vacated,
            Part.GRANTS: self._given,
            Part.GAINED: self._gained,
            Part.FILED: self._filed,
            Part.ABOUT: self._about,
            Part.ASKED: self._asked,
        }
        self._leaving = {**steps, **own}
        missing = set(Part) - {Part.CARD} - self._leaving.keys()
        if missing:
            message = f"nobody lets go of {sorted(missing)}"
            raise ValueError(message)

    async def hold(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Lock requests, before the card of whoever goes is locked."""
        await self._requests.hold(unit, contact_id)

    async def archived(self, unit: UnitOfWork, employee_no: str) -> UUID | None:
        """Find somebody who had this employee number and whose card is in the archive."""
        return await self.book.archived(unit, employee_no)

    async def returned(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Say that somebody is back: their card is not taken away any more."""
        await self.book.returned(unit, contact_id)

    async def leave(
        self,
        unit: UnitOfWork,
        author: Author,
        contact_id: UUID,
        close: Callable[[], Awaitable[None]],
        *,
        to: UUID | None = None,
    ) -> None:
        """Let somebody go, part by part; ``close`` closes the card, and with it says where they belonged."""
        facts = (await self._departments.organisation.facts(unit.session, [contact_id])).get(contact_id)
        going = Going(contact_id=contact_id, cause=LEFT, to=await self._successor(unit, contact_id, to))
        tag, first = await self.book.tag_of(unit, contact_id), Part.SERVICE_ACCOUNTS
        ended = {first: await self._leaving[first](unit, author, going)}
        await close()
        ended[Part.CARD] = 1
        for part in Part:
            if part not in ended:
                ended[part] = await self._leaving[part](unit, author, going)
        place = None if facts is None else facts.department
        await self.book.enter(unit, author, contact_id, ended, tag=tag, department=place, to=going.to)

    async def move(
        self, unit: UnitOfWork, author: Author, contact_id: UUID, tree: Tree, before: tuple[UUID, ...]
    ) -> Moved:
        """Do what moving from the departments ``before`` to where the card says by now means."""
        facts = (await self._departments.organisation.facts(unit.session, [contact_id])).get(contact_id)
        place = None if facts is None else facts.department
        await self._leave_positions(unit, author, contact_id, former(tree, contact_id, before, place))
        going = Going(contact_id=contact_id, cause=MOVED)
        for part in MOVING:
            await self._leaving[part](unit, author, going)
        try:
            async with unit.session.begin_nested():
                _, given = await self.numbers.move(unit, author, contact_id=contact_id, tree=tree, department_id=place)
        except Problem as problem:
            return Moved(problem=problem)
        return Moved(tuple(given))

    async def _successor(self, unit: UnitOfWork, contact_id: UUID, to: UUID | None) -> UUID | None:
        """Give who was named, where they are somebody else and in office."""
        if to is None or to == contact_id:
            return None
        facts = (await self._departments.organisation.facts(unit.session, [to])).get(to)
        return to if facts is not None and facts.in_office else None

    async def _sessions(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        del author
        account = await self._account(unit, going)
        if account is None:
            return 0
        return await self._accounts.families.end_all(unit.session, account, at=self._clock.now())

    async def _given(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        del author
        account = await self._account(unit, going)
        if account is None:
            return 0
        now = self._clock.now()
        live = len(await self._accounts.given.grants.live(unit.session, account, now))
        await self._accounts.given.end_all(unit.session, account, at=now)
        return live

    async def _account(self, unit: UnitOfWork, going: Going) -> UUID | None:
        """Find the account; one whose row was edited past us, which is reported and refused everywhere, counts as none."""
        try:
            account = await self._accounts.accounts.by_contact(unit.session, going.contact_id)
        except AccountRefused:
            return None
        return None if account is None else account.id

    async def _vacated(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        tree = await self._departments.organisation.tree(unit.session)
        held = [node for node in tree.nodes.values() if going.contact_id in node.holders]
        return await self._leave_positions(unit, author, going.contact_id, held)

    async def _leave_positions(self, unit: UnitOfWork, author: Author, holder: UUID, held: Sequence[Node]) -> int:
        for each in held:
            node = await self._departments.service.current(unit, each.code)
            if node is not None and holder in node.holders:
                positions: dict[str, Any] = {
                    name: None for name, who in (("head", node.head_id), ("deputy", node.deputy_id)) if who == holder
                }
                await self._departments.service.amend(unit, author, node, DepartmentAmend(**positions))
        return len(held)

    async def _gained(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        cause = Cause.LEFT if going.cause == LEFT else Cause.MOVED
        return await self._requests.end(unit, author, going.contact_id, cause)

    async def _filed(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        return await self._requests.withdraw(unit, author, going.contact_id)

    async def _about(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        return await self._requests.close(unit, author, going.contact_id)

    async def _asked(self, unit: UnitOfWork, author: Author, going: Going) -> int:
        del author
        return await self._requests.reroute(unit, going.contact_id)


def former(tree: Tree, holder: UUID, before: tuple[UUID, ...], after: UUID | None) -> list[Node]:
    """List the positions that a move ends: those at, above or below the former main department, unless they are above the new one too.

    Pure. Whoever heads a department from outside of it goes on doing so.
    """
    if not before:
        return []
    line = {node.id for node in tree.ancestry(before[0])} | set(tree.subtree(before[0]))
    above = set() if after is None else {node.id for node in tree.ancestry(after)}
    return [node for node in tree.nodes.values() if holder in node.holders and node.id in line - above]
