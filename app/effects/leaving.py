"""``contact.leave``: the check-list of what remains when somebody has left; it delays nothing, and it is not done while anything is left.

The cut itself is the personnel event, or the PATCH and DELETE of a card: at once, with nobody's approval (S2 五.3). What the request is for
takes hands: devices, accounts in other systems, who takes the work over. When IT confirms, this looks for itself whether anything of the
person is still in force here, and fails by the name of what is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.audit.authors import Author
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.repository import Source
from app.calling.repository import PrivilegeRepository
from app.contacts.errors import UnknownContact
from app.contacts.repository import ContactRepository
from app.custody.handovers import OWNED_BY
from app.custody.rows import CustodyRows
from app.departures.keeping import DepartureBook
from app.departures.undertaking_rows import UndertakingRows
from app.devices.repository import DeviceRepository
from app.disclosure.gate import Gate
from app.effects.errors import (
    AccountStillLive,
    AssignmentsStillLive,
    ClientsStillOwned,
    ContactStillLive,
    DelegationsStillLive,
    DevicesStillOut,
    GrantsStillLive,
    NumbersStillHeld,
    PositionsStillHeld,
    PrivilegesStillLive,
    StillLive,
    UndertakingOwed,
)
from app.engagements.repository import EngagementRepository
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.numbers.repository import Holder
from app.numbers.taking import held_by
from app.permissions.outcomes import Purpose
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings, Viewer

_LEFT: Final = "left"
_GONE: Final = frozenset({_LEFT, "archived"})
_PEOPLE: Final = frozenset({"employee", "temporary", "student"})
_SUCCESSORS: Final = frozenset({"active", "frozen"})

Remains: TypeAlias = Callable[[AsyncSession, UUID, datetime], Awaitable[bool]]
"""Whether somebody still has something of one sort."""


class Delegating(Protocol):
    """Where it is read who decides for whom."""

    async def unended(self, source: Source, now: datetime, *, party: UUID) -> Sequence[object]:
        """Give what is or will be in force with somebody on either side."""
        ...


class Leftovers:
    """Everything that may be left of somebody, in the order in which it is told."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        accounts: UserAccounts,
        grants: GrantRepository,
        engagements: EngagementRepository,
        standings: Standings,
        delegations: Delegating,
        calling: PrivilegeRepository,
        custody: CustodyRows,
        devices: DeviceRepository,
        undertakings: UndertakingRows,
    ) -> None:
        """Take where each sort is read."""
        self._contacts, self._accounts, self._grants = contacts, accounts, grants
        self._engagements, self._standings, self._delegations = engagements, standings, delegations
        self._calling, self._custody = calling, custody
        self._devices, self._undertakings = devices, undertakings

    @property
    def sorts(self) -> Sequence[tuple[type[StillLive], Remains]]:
        """Name what is looked for."""
        found: list[tuple[type[StillLive], Remains]] = [
            (ContactStillLive, self._contact),
            (AccountStillLive, self._account),
            (GrantsStillLive, self._granted),
            (AssignmentsStillLive, self._assigned),
            (NumbersStillHeld, self._numbers),
            (PositionsStillHeld, self._positions),
            (DelegationsStillLive, self._delegated),
            (PrivilegesStillLive, self._lines),
            (ClientsStillOwned, self._clients),
            (DevicesStillOut, self._out),
            (UndertakingOwed, self._owed),
        ]
        return found

    async def of(self, session: AsyncSession, contact: UUID, now: datetime) -> list[type[StillLive]]:
        """List what is left."""
        return [sort for sort, remains in self.sorts if await remains(session, contact, now)]

    async def _contact(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        loaded = await self._contacts.for_change(session, contact)
        return loaded is None or loaded[0].status not in _GONE

    async def _account(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        try:
            account = await self._accounts.by_contact(session, contact)
        except AccountRefused:
            return True
        return account is not None and account.state != "disabled"

    async def _granted(self, session: AsyncSession, contact: UUID, now: datetime) -> bool:
        try:
            account = await self._accounts.by_contact(session, contact)
        except AccountRefused:
            return True
        return account is not None and bool(await self._grants.live(session, account.id, now))

    async def _assigned(self, session: AsyncSession, contact: UUID, now: datetime) -> bool:
        return bool(await self._engagements.assigned_to(session, contact, now))

    async def _numbers(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        return bool(await held_by(session, Holder("contact", contact)))

    async def _positions(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        del session
        tree = await self._standings.tree()
        return any(contact in node.holders for node in tree.nodes.values())

    async def _delegated(self, session: AsyncSession, contact: UUID, now: datetime) -> bool:
        return bool(await self._delegations.unended(session, now, party=contact))

    async def _lines(self, session: AsyncSession, contact: UUID, now: datetime) -> bool:
        return bool(await self._calling.open_of_contact(session, contact, now))

    async def _clients(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        return bool(await OWNED_BY.rows(session, owner=contact))

    async def _out(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        return bool(await self._devices.left_with(session, contact))

    async def _owed(self, session: AsyncSession, contact: UUID, _: datetime) -> bool:
        return await self._undertakings.owes(session, contact)

    async def handed_over(self, session: AsyncSession, contact: UUID) -> list[dict[str, str | None]]:
        """Name the service accounts that went to somebody else with the leaving, who answers meanwhile, and until when."""
        return [
            {
                "client_id": each.client_id,
                "acting": None if each.acting_id is None else str(each.acting_id),
                "due_at": each.due_at.isoformat(),
            }
            for each in await self._custody.handovers_from(session, contact)
        ]


class LeavingCheck:
    """Confirms that nothing of somebody who left is in force any more."""

    def __init__(
        self,
        leftovers: Leftovers,
        *,
        book: DepartureBook,
        contacts: ContactRepository,
        standings: Standings,
        gate: Gate,
        clock: Clock,
    ) -> None:
        """Take what may be left, the book of departures, where people are found, the gate, and the clock."""
        self._leftovers, self._contacts, self._standings = leftovers, contacts, standings
        self._book, self._gate, self._clock = book, gate, clock

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Find the person and who takes over; raise ``NotFound`` and ``UnknownContact``.

        Whether they have left is not asked yet; who has is in nobody's view, and in reach of whoever may file this all the same.
        """
        del source
        tree = await self._standings.tree() if viewer is None else viewer.tree
        plan = None if viewer is None else viewer.plan(Purpose.WORK_CONTACT)
        identity, successor = asked.subject.uuid, asked.form.get("hand_over_to")
        wanted = [each for each in (identity, None if successor is None else UUID(successor)) if each is not None]
        found = {
            each: record
            for each, record in (await self._contacts.by_ids(wanted, tree)).items()
            if plan is None or record.cohort.status == _LEFT or self._gate.verdict(plan, record) is not None
        }
        record = None if identity is None else found.get(identity)
        if record is None or record.cohort.kind not in _PEOPLE:
            raise NotFound
        if successor is not None:
            other = found.get(UUID(successor))
            if other is None or other is record or other.cohort.status not in _SUCCESSORS:
                pointer = "/form/hand_over_to"
                raise UnknownContact(pointer)
        return Examined(
            form=asked.form,
            facts={"card": record.cohort.kind, "handed_over": "no" if successor is None else "yes"},
            about=(record.subject,),
            owner=next(iter(record.cohort.departments), None),
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Look for what is left; raise the first of it, with all of it by name, or tell that nothing is, and let the card be taken away."""
        identity = approved.asked.subject.uuid
        if identity is None:
            raise NotFound
        left = await self._leftovers.of(unit.session, identity, self._clock.now())
        if left:
            raise left[0](left=[each.code for each in left])
        await self._book.checked(unit, author, identity)
        return Applied(
            result={
                "contact": str(identity),
                "nothing_left_of": [sort.code for sort, _ in self._leftovers.sorts],
                "hand_over_to": approved.asked.form.get("hand_over_to"),
                "service_accounts": await self._leftovers.handed_over(unit.session, identity),
            }
        )

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: what was found was found."""
