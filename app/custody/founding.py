"""What operators may give at the machine: the first holder of each office, and nothing that somebody could be asked about.

An installation begins with nobody who could approve anything. So the offices without which no request is ever decided are given at the
command line, each to one person and only while nobody ever held it. Where everybody who held one has gone, the company is locked out: then
two operators give it once more, a working day apart, and every head and every office that oversees is told when the first one asks. The
same two keys serve what widens a right and has no kind of request. Nobody else is given anything here (ADR 0039).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Text, bindparam, cast, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.resolving import Organisation, Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import epochs
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountNotFound
from app.auth.loans import StandingLoans
from app.auth.repository import Account
from app.auth.roles import Role
from app.auth.subject import Tier
from app.calendar.joints import Calendar
from app.custody.errors import CannotBeFounded, OneFounder, RightByRequest, StillTooEarly
from app.custody.rows import Act, CustodyRows, digest_of
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import Id, Json, new_id
from app.kit.query import Query, Source
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller

APPROVING: Final = (Role.ADMINISTRATION, Role.INFOSEC, Role.EXECUTIVE, Role.IT)
"""Offices that decide together on every right of weight (``tier.grant``, variant ``elevated``): four people."""
FOUNDED: Final[Mapping[Role, Tier | None]] = {
    Role.ADMINISTRATION: "T4",
    Role.DIRECTORY_STEWARD: "T4",
    Role.EXECUTIVE: None,
    Role.INFOSEC: "T5",
    Role.IT: None,
    Role.SYSTEM_ADMIN: None,
}
"""What a founding gives, with the tier that goes with it; every other role is asked for."""
FOUND: Final = "role.found"
_WAIT_DAYS: Final = 1
_VALID_DAYS: Final = 6
_TOLD: Final = ("infosec", "auditor", "administration", "executive", "directory_steward")
_ACCOUNTS: Final = table("user_account", column("id", Id()), column("roles", Json()))
_LOANS: Final = table("standing_loan", column("id", Id()), column("roles", Json()))
_HELD_EVER: Final = tuple(
    Query(select(rows.c.id).where(cast(rows.c.roles, Text).like(bindparam("word", type_=Text()))).limit(1))
    for rows in (_ACCOUNTS, _LOANS)
)


@dataclass(frozen=True, slots=True)
class Waits:
    """It was put down, and another operator does it between two times."""

    ready_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operator wants done: its kind, what it is about, to whom, and all that is to be done, as ids, codes and paths."""

    kind: str
    what: str
    detail: Mapping[str, Any]
    whom: UUID | None = None
    wait_days: int = _WAIT_DAYS


class Founding:
    """Gives offices to their first holders, and lets two operators do what one may not."""

    def __init__(
        self,
        *,
        rows: CustodyRows,
        accounts: UserAccounts,
        loans: StandingLoans,
        organisation: Organisation,
        persons: Persons,
        calendar: Calendar,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the rows, accounts and what is lent to them, positions, natural persons, working days, who tells, and the clock."""
        self._rows, self._accounts, self._loans = rows, accounts, loans
        self._organisation, self._persons = organisation, persons
        self._calendar, self._teller, self._clock = calendar, teller, clock

    async def is_founding(self, source: Source) -> bool:
        """Tell whether nobody was ever given the office that answers for what systems may do: security."""
        return not await self.was_held(source, Role.INFOSEC)

    async def was_held(self, source: Source, role: Role) -> bool:
        """Tell whether anybody ever held an office, as accounts in any state, what was lent, and the acts of operators say."""
        word = f'%"{role.value}"%'
        for query in _HELD_EVER:
            if await query.rows(source, word=word):
                return True
        acts, edited = await self._rows.acts(source, FOUND, role.value)
        return edited or any(each.done_at is not None for each in acts)

    async def holders(self, source: Source, role: Role) -> list[UUID]:
        """List who holds an office now and can act in it."""
        now, found = self._clock.now(), list[UUID]()
        people = await self._organisation.holders(source, role)
        facts = await self._organisation.facts(source, people)
        for each in people:
            account = await self._accounts.by_contact(source, each)
            in_office = each in facts and facts[each].in_office and account is not None
            if in_office and account is not None and role in (await self._loans.at(source, account, now)).roles:
                found.append(each)
        return found

    async def found(self, unit: UnitOfWork, operator: Author, role: Role, user_name: str) -> Account | Waits:
        """Give an office that nobody holds: at once where nobody ever did, else by two operators.

        Raises ``AccountNotFound``, ``CannotBeFounded``, ``OneFounder``, ``StillTooEarly``, and ``RightByRequest`` while somebody holds it.
        """
        session = unit.session
        await epochs.bump(session, epochs.TOKENS)
        account = await self._accounts.by_user_name(session, user_name)
        if account is None:
            raise AccountNotFound
        if role not in FOUNDED or not await self._is_in_office(session, account):
            raise CannotBeFounded
        if await self.holders(session, role):
            raise RightByRequest(*await self.call(session, account, tier=FOUNDED[role], roles={*account.roles, role}))
        await self._refuse_second_office(session, role, account)
        wanted = Wanted(kind=FOUND, what=role.value, whom=account.id, detail={"account": str(account.id)})
        if await self.was_held(session, role):
            waits = await self.second(unit, operator, wanted)
            if waits is not None:
                return waits
        else:
            await self._done_alone(unit, operator, wanted)
        tier = max(account.tier, FOUNDED[role] or account.tier)
        after = await self._accounts.set_standing(session, user_name, tier=tier, roles={*account.roles, role.value})
        told = {"role": role.value, "tier": tier}
        await self.record(unit, operator, "operator.found", told, contact=account.contact_id)
        return after

    async def second(self, unit: UnitOfWork, operator: Author, wanted: Wanted) -> Waits | None:
        """Let an operator do what takes two: ``None`` when this is the second, who goes on in this transaction.

        The first one's word is put down and told; the same operator never is the second. Raises ``StillTooEarly``.
        """
        now, digest = self._clock.now(), digest_of(wanted.detail)
        acts, _ = await self._rows.acts(unit.session, wanted.kind, wanted.what)
        waiting = [
            each
            for each in acts
            if each.done_at is None and each.until > now and (each.whom, each.digest) == (wanted.whom, digest)
        ]
        for each in waiting:
            if each.proposed_by == operator.id:
                continue
            if now < each.ready_at:
                raise StillTooEarly(ready_at=each.ready_at.isoformat())
            if await self._rows.do(unit.session, replace(each, done_by=operator.id, done_at=now)):
                return None
        own = next((each for each in waiting if each.proposed_by == operator.id), None)
        if own is None:
            own = await self._put(unit, operator, wanted, wait=wanted.wait_days)
            await self.record(unit, operator, "operator.propose", {"act": wanted.kind, **wanted.detail})
        return Waits(own.ready_at, own.until)

    async def may_begin(self, source: Source, account: Account) -> bool:
        """Tell whether an account was founded a few days ago, so that whoever founded it gives it a first password."""
        now = self._clock.now()
        for role in FOUNDED:
            acts, _ = await self._rows.acts(source, FOUND, role.value)
            if any(each.whom == account.id and each.done_at is not None and now < each.until for each in acts):
                return True
        return False

    async def has_power(self, source: Source, account: Account) -> bool:
        """Tell whether whoever signs in as this account decides on others: by role, tier or position."""
        if account.roles or account.tier > "T1":
            return True
        tree = await self._organisation.tree(source)
        return account.contact_id is not None and any(
            account.contact_id in each.holders for each in tree.nodes.values()
        )

    async def call(
        self, source: Source, account: Account, *, tier: str | None, roles: set[str]
    ) -> tuple[str, str, str]:
        """Write the call that asks for a standing, and who may make it: the head of the person's department."""
        contact = str(account.contact_id or "")
        form = {"tier": max(account.tier, tier or account.tier), "roles": sorted(roles), "scope": "…", "reason": "…"}
        body = {
            "kind": "tier.change",
            "subject": {"type": "contact", "id": contact},
            "beneficiary": contact,
            "form": form,
        }
        tree = await self._organisation.tree(source)
        facts = {} if account.contact_id is None else await self._organisation.facts(source, [account.contact_id])
        department = next((each.department for each in facts.values()), None)
        heads = [] if department is None else [node.head_id for node in reversed(tree.ancestry(department))]
        name = ""
        for head in heads:
            held = None if head is None or head == account.contact_id else await self._accounts.by_contact(source, head)
            if held is not None and held.state == "active":
                name = held.user_name
                break
        who = (
            (f"the head of the department ({name})", f"部门负责人（{name}）")
            if name
            else ("the head of the department", "部门负责人")
        )
        return (f"POST /v1/requests {orjson.dumps(body).decode()}", *who)

    async def record(
        self,
        unit: UnitOfWork,
        operator: Author,
        action: str,
        told: Mapping[str, Any],
        *,
        contact: UUID | None = None,
    ) -> None:
        """Put on record what an operator does; tell whom it is about, every office that oversees, and of a proposal every head."""
        now = self._clock.now()
        contacts = [] if contact is None else [contact]
        event = written(operator, action, now, contacts=contacts, query=told)
        await add_intent(unit.session, event)
        people = set(contacts)
        if action == "operator.propose":
            tree = await self._organisation.tree(unit.session)
            people |= {node.head_id for node in tree.nodes.values() if node.head_id is not None}
        kind = {"operator.propose": "proposed", "operator.found": "founded"}.get(action, "acted")
        body = {"operator": {"id": event.id}, "action": action, **({"role": told["role"]} if "role" in told else {})}
        audience = Audience(people=tuple(sorted(people)), roles=_TOLD)
        notice = Notice(id=new_id(), type=f"operator.{kind}", occurred_at=now, body=body, audience=audience)
        await self._teller.tell(unit, notice)

    async def _is_in_office(self, session: AsyncSession, account: Account) -> bool:
        if account.contact_id is None or account.state != "active":
            return False
        facts = await self._organisation.facts(session, [account.contact_id])
        return account.contact_id in facts and facts[account.contact_id].in_office

    async def _refuse_second_office(self, session: AsyncSession, role: Role, account: Account) -> None:
        """Raise ``OneFounder`` when the natural person behind the account holds another office that decides together with this one."""
        if role not in APPROVING or account.contact_id is None:
            return
        others = [each for other in APPROVING if other is not role for each in await self.holders(session, other)]
        persons = await self._persons.of(session, [account.contact_id, *others])
        if persons[account.contact_id] in {persons[each] for each in others}:
            raise OneFounder

    async def _done_alone(self, unit: UnitOfWork, operator: Author, wanted: Wanted) -> None:
        now = self._clock.now()
        act = await self._put(unit, operator, wanted, wait=0)
        await self._rows.do(unit.session, replace(act, done_by=operator.id, done_at=now))

    async def _put(self, unit: UnitOfWork, operator: Author, wanted: Wanted, *, wait: int) -> Act:
        now, days = self._clock.now(), await self._calendar.current(unit.session)
        act = Act(
            id=new_id(),
            kind=wanted.kind,
            what=wanted.what,
            whom=wanted.whom,
            digest=digest_of(wanted.detail),
            proposed_by=operator.id,
            proposed_at=now,
            ready_at=days.due(now, wait).at if wait else now,
            until=days.due(now, _VALID_DAYS).at,
        )
        await self._rows.put(unit.session, act)
        return act
