"""Giving and taking back exceptions for effects: whose they would be, what they would show, and the row with its event.

Who somebody is comes from the store and never from a token, so that what is found out when a request is filed can be compared with what is
found out just before it takes effect.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Subject
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.repository import Account, Source
from app.auth.subject import Person
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.effects.unfit import BeneficiaryGone, CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.exceptions import GrantScope, LiveGrant
from app.permissions.grants import NewGrant
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.plan import Cohort
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings, Viewer

_NOBODY: Final = UUID(int=0)
_NOT_ASKED: Final = frozenset({Purpose.EMERGENCY, Purpose.SYSTEM_SYNC})
"""Purposes that belong to emergency sessions and to machines."""


class Granting:
    """What effects that give exceptions share."""

    def __init__(
        self,
        *,
        accounts: UserAccounts,
        grants: GrantRepository,
        contacts: ContactRepository,
        standings: Standings,
        gate: Gate,
        clock: Clock,
    ) -> None:
        """Take accounts, the rows of grants and contacts, who viewers are, who may know of whom, and the clock."""
        self._accounts, self._grants, self._contacts = accounts, grants, contacts
        self._standings, self._gate, self.clock = standings, gate, clock

    async def any_account(self, source: Source, contact_id: UUID) -> Account:
        """Give somebody's account, in whatever state. Raises ``BeneficiaryGone``."""
        try:
            account = await self._accounts.by_contact(source, contact_id)
        except AccountRefused as refused:
            raise BeneficiaryGone from refused
        if account is None:
            raise BeneficiaryGone
        return account

    async def account(self, source: Source, contact_id: UUID) -> Account:
        """Give somebody's account that may be used. Raises ``BeneficiaryGone``."""
        account = await self.any_account(source, contact_id)
        if account.state != "active":
            raise BeneficiaryGone
        return account

    async def holder(self, source: Source, contact_id: UUID) -> Viewer:
        """Give who somebody is, without any token. Raises ``BeneficiaryGone``."""
        account = await self.account(source, contact_id)
        try:
            return await self._standings.passing(Person(account.user_name, "", frozenset()))
        except (NoContact, AccountSuspended, AccountRefused) as refused:
            raise BeneficiaryGone from refused

    async def person(self, contact_id: UUID) -> tuple[Tree, Record]:
        """Give somebody's contact, closed, and the tree of now: all that may be told of them before they are given anything.

        Whether they have an account, and in which state, is nothing that naming them in a request tells. Raises ``BeneficiaryGone``.
        """
        tree = await self._standings.tree()
        record = await self._contacts.by_id(contact_id, tree)
        if record is None:
            raise BeneficiaryGone
        return tree, record

    async def known(self, viewer: Viewer, subject: Subject, purpose: Purpose) -> Record:
        """Give the contact that a request is about, closed. Raises ``NotFound``, alike for one of whom ``viewer`` may not know."""
        identity = subject.uuid
        record = None if identity is None else await self._contacts.by_id(identity, viewer.tree)
        if record is None or all(
            self._gate.verdict(viewer.plan(each), record) is None for each in (Purpose.WORK_CONTACT, purpose)
        ):
            raise NotFound
        return record

    def after(self, holder: Viewer, record: Record, new: Mapping[str, FieldClass], purpose: Purpose) -> Cohort:
        """Give the verdict on a contact as it would be with these fields granted in clear; consent counts where it would be asked for."""
        now = self.clock.now()
        grant = LiveGrant(
            id=_NOBODY,
            scope=GrantScope("contact", str(record.subject)),
            fields=new,
            outcome=Outcome.CLEAR,
            purpose=purpose,
            starts_at=now,
            ends_at=now + timedelta(days=1),
            lifts=needs_consent(record),
        )
        return holder.with_exception(grant).plan(purpose).cohort(record.cohort, record.subject)

    async def give(
        self,
        unit: UnitOfWork,
        author: Author,
        approved: Approved,
        scope: GrantScope,
        fields: Sequence[str],
        *,
        lifts: bool = False,
    ) -> Applied:
        """Give the beneficiary fields of a scope in clear, from when the request begins until it ends; put it on record."""
        if approved.ends is None:
            raise CannotBeAsked("/form", Why.TERM)
        now, account = self.clock.now(), await self.account(unit.session, approved.asked.beneficiary)
        grant = NewGrant(
            account_id=account.id,
            scope=scope,
            fields=tuple(fields),
            outcome=Outcome.CLEAR,
            purpose=Purpose(approved.asked.form["purpose"]),
            request_id=approved.id,
            starts_at=approved.begins,
            ends_at=approved.ends,
            lifts=lifts,
        )
        identity = await self._grants.add(unit.session, grant, at=now)
        told = {"grant": str(identity), "request": str(approved.id), "scope": scope.kind, "lifts": lifts}
        await add_intent(
            unit.session,
            written(author, "grant.create", now, contacts=_people(approved), fields=grant.fields, query=told),
        )
        return Applied(result={"grant": str(identity)}, ends=approved.ends, lasting=True)

    async def take_back(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: str
    ) -> None:
        """End what ``give`` gave; one that is over stays as it is."""
        now, grant = self.clock.now(), await self._grants.one(unit.session, UUID(str(result["grant"])))
        if grant is None or grant.is_over(now) or not await self._grants.end(unit.session, grant, at=now):
            return
        told = {"grant": str(grant.id), "request": str(approved.id), "by": cause}
        await add_intent(unit.session, written(author, "grant.end", now, contacts=_people(approved), query=told))


def _people(approved: Approved) -> list[UUID]:
    about = approved.asked.subject.uuid if approved.asked.subject.type == "contact" else None
    return [approved.asked.beneficiary, *([about] if about is not None else [])]


def purpose_of(form: Mapping[str, Any]) -> Purpose:
    """Read what it is for. Raises ``CannotBeAsked``."""
    try:
        purpose = Purpose(form["purpose"])
    except ValueError:
        raise CannotBeAsked("/form/purpose", Why.PURPOSE) from None
    if purpose in _NOT_ASKED:
        raise CannotBeAsked("/form/purpose", Why.PURPOSE)
    return purpose


def classes_of(kind: str, names: Sequence[str]) -> dict[str, FieldClass]:
    """Give the classes of protected fields that a contact of ``kind`` carries. Raises ``CannotBeAsked``, at the field."""
    carried = {each.name: each.field_class for each in CATALOGUE.of_kind(kind)}
    for at, name in enumerate(names):
        if name not in carried:
            raise CannotBeAsked("/form/fields", Why.UNKNOWN_FIELD, at)
    return {name: carried[name] for name in names}


def needs_consent(record: Record) -> bool:
    """Tell whether the person is asked themselves."""
    return record.cohort.secrecy != "normal"


def owner_of(record: Record) -> UUID | None:
    """Give the department that answers for a contact: its main one."""
    return record.cohort.departments[0] if record.cohort.departments else None
