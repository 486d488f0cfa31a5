"""Changing the directory: create, amend, employ, consent, hide, archive. Each is part of the caller's one transaction.

A new value is compared with the stored one by digest, sealed, and kept in history sealed. A writer can seal and compare; nothing here
can open. A row that moved since the caller saw it is refused, and a row that somebody edited by SQL is never signed anew.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import structlog
from sqlalchemy.exc import IntegrityError

from app.approvals.values import Proposed
from app.audit.authors import Author, written
from app.audit.intents import gather_intent
from app.auth import epochs
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.repository import Account
from app.contacts.birth import Expected, born
from app.contacts.carrying import CardCarrier
from app.contacts.errors import DuplicateEmployeeNumber, DuplicateUserName
from app.contacts.fields import CATALOGUE, NAMES, PHOTO
from app.contacts.forms import Consent, pack_consents, unpack_consents
from app.contacts.indexing import index_again, index_all
from app.contacts.jobs import FORGET_RECEIPTS, TAG_AGAIN
from app.contacts.members import MemberReader
from app.contacts.models import Contact, ContactDepartment, ContactPhoto, ContactTag
from app.contacts.past import HistoryKeeper
from app.contacts.proposals import box_of
from app.contacts.record import membership_departments, pack_digests, unpack_digests
from app.contacts.repository import ContactRepository
from app.contacts.rows import ARCHIVED, SNAPSHOT, as_text, closed, covered, empty, member_names
from app.contacts.tagging import Tagger
from app.contacts.tracing import CardTracer
from app.crypto.datakey import WrappedDataKey
from app.crypto.history_store import add_history_keys
from app.crypto.sealer import Sealer, SubjectSealer
from app.crypto.stored import add_key
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound, PreconditionFailed
from app.kit.models import new_id
from app.kit.outbox import enqueue
from app.kit.straight import Writes
from app.permissions.plan import CohortKey
from app.traces import marking

_log = structlog.get_logger("duanhao.security")

_STANDING: Final = frozenset({"status", "department", "memberships", "secrecy", "worker_kind", "user_name"})
EMPLOYEE: Final = "employee"
_NOTHING: Final[Mapping[str, Proposed]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Written:
    """A row after its write, closed; the plain values that the writer gave for its protected fields; and the members that changed."""

    record: Record
    values: Mapping[str, str | None]
    changed: tuple[str, ...]


class ContactWriter:
    """Writes contacts."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        members: MemberReader,
        sealer: Sealer,
        accounts: UserAccounts,
        tagger: Tagger,
        tracer: CardTracer,
        clock: Clock,
    ) -> None:
        """Take the rows, the reader of members, the sealer, the accounts, tags, traces and the clock; ``cards`` writes numbers."""
        self._repository, self._members, self._tagger = repository, members, tagger
        self._sealer, self._accounts, self._clock = sealer, accounts, clock
        self.forms, self.tracer = members.forms, tracer
        self.cards, self._history = CardCarrier(sealer=sealer, clock=clock), HistoryKeeper(sealer, clock)

    async def create(
        self,
        unit: UnitOfWork,
        author: Author,
        tree: Tree,
        kind: str,
        given: Mapping[str, Any],
        expected: Expected = None,
    ) -> Written:
        """Make a contact of ``kind`` from the members ``given``; bind its user name to an account.

        Raises the refusals of ``errors`` and ``Invalid`` for a value that cannot be read; then nothing is written.
        """
        identity, key = expected or (new_id(), None)
        now = self._clock.now()
        self._members.refuse_new(kind, given, at=now)
        plain, values = await self._members.read(unit.session, tree, kind, given)
        plain["retain_until"] = self._members.forms.retain_until(kind, now)
        await self._refuse_taken(unit, plain, None)
        new = born(self._sealer, identity, kind, plain, values, now, key=key)
        contact, wrapped, told = new.contact, new.wrapped, new.told
        unit.session.add(contact)
        await self._flush(unit)
        if key is None:
            add_key(unit.session, identity, wrapped, at=now)
        await add_history_keys(unit.session, [(identity, new.wrapped_history)], at=now)
        self._add_sides(unit, contact)
        await index_all(unit.session, [contact])
        await self._tagger.tag_all(unit.session, [(contact, new.sealer, told)])
        await self._history.keep(unit.session, contact, author, told, under=new.history)
        if contact.user_name is not None:
            await self._accounts.add(unit.session, contact.user_name, contact_id=identity)
        await self._announce(unit, author, "contact.create", contact, told)
        return Written(closed(contact, wrapped, tree), values, tuple(sorted(told)))

    async def amend(
        self,
        unit: UnitOfWork,
        author: Author,
        tree: Tree,
        seen: Record,
        given: Mapping[str, Any],
        *,
        waiting: Mapping[str, Proposed] = _NOTHING,
    ) -> Written:
        """Change members of the contact that the caller has just ``seen``; members of equal value are left alone.

        ``waiting`` are protected members as ``ProposalBoxes`` sealed them: they go onto the row and into history without being opened.
        Raises ``PreconditionFailed`` when the row has moved since, ``ProposalUnreadable``, and as ``create`` does.
        """
        contact, wrapped, sealer = await self._locked(unit, seen)
        self._members.classes_of(contact.kind, {**given, **waiting})
        told, live = {**given, **waiting}, unpack_consents(contact.consented)
        self._members.refuse_amended(contact.kind, told, live, at=self._clock.now(), before=contact)
        if given.get("status") == "active":
            contact.archive = None
        changed, values = await self._changed(unit, tree, contact, sealer, given)
        changed |= self._put(contact, sealer, waiting)
        if changed:
            await self._settle(unit, contact, sealer, changed)
            await self._finish(unit, author, "contact.update", seen, contact, sealer, changed)
        return Written(closed(contact, wrapped, tree), values, tuple(sorted(member_names(changed))))

    async def employ(
        self, unit: UnitOfWork, author: Author, tree: Tree, seen: Record, given: Mapping[str, Any]
    ) -> Written:
        """Make the applicant whom the caller has just ``seen`` an employee with the members ``given``: the same contact, key and history.

        The name is told plainly from now on, as it is given. What rested on a consent was given for applying, and ends with that; so does
        what the form of employees does not ask for. Raises as ``amend`` does.
        """
        contact, wrapped, sealer = await self._locked(unit, seen)
        self._members.refuse_new(EMPLOYEE, given, at=self._clock.now())
        former, digests = contact.kind, unpack_digests(contact.digests)
        resting = self._members.forms.closed(former, ())
        ended = {
            name
            for name in digests
            if name in NAMES or name in resting or not self._members.forms.collects(EMPLOYEE, name)
        }
        removed = self._erased(contact, ended)
        await self._tagger.tag_again(unit.session, contact, sealer, removed)
        contact.kind, contact.consented, contact.retain_until = EMPLOYEE, None, None
        given = {**given, "worker_kind": given.get("worker_kind") or "regular"}
        changed, values = await self._changed(unit, tree, contact, sealer, given)
        changed = {"kind": EMPLOYEE, "retain_until": None, **removed, **changed}
        await self._settle(unit, contact, sealer, changed)
        await self._finish(unit, author, "contact.update", seen, contact, sealer, changed)
        return Written(closed(contact, wrapped, tree), values, tuple(sorted(member_names(changed))))

    async def consent(
        self,
        unit: UnitOfWork,
        author: Author,
        seen: Record,
        *,
        given: Collection[Consent] = (),
        withdrawn: Collection[Consent] = (),
    ) -> SubjectSealer:
        """Note which consents of a contact are live from now on; erase what rested on one that was withdrawn.

        Gives the contact's sealer, for what is kept of the consents themselves. Raises as ``amend`` does.
        """
        contact, _, sealer = await self._locked(unit, seen)
        before = unpack_consents(contact.consented)
        after = (before | set(given)) - set(withdrawn)
        forms = self._members.forms
        ended = {name for name, ground in before - after if forms.consent(contact.kind, name) == ground}
        changed = self._erased(contact, ended & set(unpack_digests(contact.digests)))
        if PHOTO.name in ended and (photo := await unit.session.get(ContactPhoto, contact.id)) is not None:
            await unit.session.delete(photo)
            changed[PHOTO.name] = None
        contact.consented = pack_consents(after)
        await self._tagger.tag_again(unit.session, contact, sealer, changed)
        about = {name for name, _ in (*given, *withdrawn)}
        action = "contact.consent" if given else "contact.withdraw"
        await self._finish(unit, author, action, seen, contact, sealer, changed, about=about)
        return sealer

    def _erased(self, contact: Contact, names: Collection[str]) -> dict[str, Any]:
        """Remove protected values from a row; name them as history does. What history keeps of them stays sealed."""
        digests = unpack_digests(contact.digests)
        for name in names:
            setattr(contact, CATALOGUE.by_name[name].column, None)
            del digests[name]
        contact.digests = pack_digests(digests)
        return dict.fromkeys(names)

    async def _changed(
        self, unit: UnitOfWork, tree: Tree, contact: Contact, sealer: SubjectSealer, given: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str | None]]:
        """Write on a row what ``given`` says differently; give what changed, and the protected values that were given."""
        plain, values = await self._members.read(unit.session, tree, contact.kind, given, about=contact.id)
        await self._refuse_taken(unit, plain, contact)
        changed: dict[str, Any] = {}
        for name, value in plain.items():
            fresh = empty(name) if value is None else value
            if getattr(contact, name) != fresh:
                setattr(contact, name, fresh)
                changed[name] = fresh
        digests = unpack_digests(contact.digests)
        for name, value in values.items():
            column = CATALOGUE.by_name[name].column
            if value is None and digests.pop(name, None) is not None:
                setattr(contact, column, None)
                changed[name] = None
            elif value is not None and not sealer.matches(name, value, digests.get(name)):
                setattr(contact, column, sealer.seal(name, value))
                digests[name] = sealer.digest(name, value)
                changed[name] = value
        contact.digests = pack_digests(digests)
        return changed, values

    def _put(self, contact: Contact, sealer: SubjectSealer, waiting: Mapping[str, Proposed]) -> dict[str, Any]:
        """Put boxes that waited onto a row; give those that differ from what stood there, still closed."""
        changed: dict[str, Any] = {}
        digests = unpack_digests(contact.digests)
        for name, each in waiting.items():
            box = box_of(sealer, name, each)
            if digests.get(name) != each.digest:
                setattr(contact, CATALOGUE.by_name[name].column, box)
                changed[name], digests[name] = box, each.digest
        contact.digests = pack_digests(digests)
        return changed

    async def _settle(
        self, unit: UnitOfWork, contact: Contact, sealer: SubjectSealer, changed: Mapping[str, Any]
    ) -> None:
        """Bring after a row what follows from it: the account of its user name, departments and tags, keys, search tags."""
        if "user_name_key" in changed:
            await self._rebind(unit, contact)
        if {"memberships", "department_id", "tags"} & changed.keys():
            await self._repository.clear_sides(unit.session, contact.id)
            self._add_sides(unit, contact)
        await index_again(unit.session, contact, changed)
        if not await self._tagger.tag_again(unit.session, contact, sealer, changed):
            enqueue(unit, self._clock, TAG_AGAIN, {"contact_id": str(contact.id)})

    async def hide(self, unit: UnitOfWork, author: Author, seen: Record) -> None:
        """Let a person leave: out of every view but the steward's and of further departments, the account ended, its epoch moved."""
        contact, _, sealer = await self._locked(unit, seen)
        changed: dict[str, Any] = {"status": "left", **({"memberships": []} if contact.memberships else {})}
        contact.status, contact.memberships = "left", []
        await self._settle(unit, contact, sealer, changed)
        await self._end_account(unit, contact)
        enqueue(unit, self._clock, FORGET_RECEIPTS, {"contact_id": str(contact.id)})
        await self._finish(unit, author, "contact.leave", seen, contact, sealer, changed)

    async def archive(self, unit: UnitOfWork, author: Author, seen: Record) -> None:
        """Take a contact out of the directory: its plain card goes into one sealed envelope and the plain columns are emptied."""
        contact, _, sealer = await self._locked(unit, seen)
        contact.archive = sealer.seal("archive", as_text({name: getattr(contact, name) for name in SNAPSHOT}))
        for name in ARCHIVED:
            setattr(contact, name, None)
        contact.memberships, contact.tags = [], []
        contact.status = "archived"
        await self._end_account(unit, contact)
        await self._repository.clear_sides(unit.session, contact.id)
        await index_again(unit.session, contact, ARCHIVED)
        enqueue(unit, self._clock, FORGET_RECEIPTS, {"contact_id": str(contact.id)})
        await self._finish(unit, author, "contact.delete", seen, contact, sealer, {"status": "archived"})
        await self._tagger.forget(unit.session, contact.id)

    async def beside(self, unit: UnitOfWork, author: Author, seen: Record, told: Mapping[str, str | None]) -> None:
        """Put a change of what stands beside the row (the photo) on record, with the transaction that makes it.

        ``told`` is what history keeps for each member, ``None`` for one that was removed. Raises as ``amend`` does.
        """
        contact, _, sealer = await self._locked(unit, seen)
        await self._finish(unit, author, "contact.update", seen, contact, sealer, told)

    async def _locked(self, unit: UnitOfWork, seen: Record) -> tuple[Contact, WrappedDataKey, SubjectSealer]:
        loaded = await self._repository.for_change(unit.session, seen.subject)
        if loaded is None:
            raise NotFound
        contact, wrapped = loaded
        if contact.mac != seen.mac:
            raise PreconditionFailed
        sealer = self._sealer.existing(contact.id, wrapped)
        if not sealer.verify(covered(contact), contact.mac):
            _log.error("row_mac_mismatch", table="contact", row=str(contact.id))
            raise NotFound
        return contact, wrapped, sealer

    async def _finish(
        self,
        unit: UnitOfWork,
        author: Author,
        action: str,
        seen: Record,
        contact: Contact,
        sealer: SubjectSealer,
        changed: Mapping[str, Any],
        *,
        about: Iterable[str] = (),
    ) -> None:
        contact.row_version += 1
        contact.updated_at = self._clock.now()
        contact.mac = sealer.mac(covered(contact))
        told = member_names(changed)
        await self._history.keep(unit.session, contact, author, told)
        if _STANDING & told.keys() and (account := await self._account(unit, contact)) is not None:
            await epochs.bump(unit.session, account.epoch_key)
        await self._announce(unit, author, action, contact, told, about=about, before=seen.cohort)

    async def _announce(
        self,
        unit: UnitOfWork,
        author: Author,
        action: str,
        contact: Contact,
        told: Collection[str],
        *,
        about: Iterable[str] = (),
        before: CohortKey | None = None,
    ) -> None:
        await self._flush(unit)
        writes, fields = Writes(), sorted({*told, *about})
        gather_intent(writes, written(author, action, self._clock.now(), contacts=[contact.id], fields=fields))
        marking.gather(writes, marking.change_set(unit.session), self.tracer.of(action, contact, told, before))
        await writes.run(unit.session)

    async def _account(self, unit: UnitOfWork, contact: Contact) -> Account | None:
        """Find the account of a contact; one whose row was edited past us, which is reported, counts as none and keeps no leaver in."""
        try:
            return await self._accounts.by_contact(unit.session, contact.id)
        except AccountRefused:
            return None

    async def _end_account(self, unit: UnitOfWork, contact: Contact) -> None:
        account = await self._account(unit, contact)
        if account is not None:
            await self._accounts.disable(unit.session, account.user_name)

    async def _rebind(self, unit: UnitOfWork, contact: Contact) -> None:
        account = await self._account(unit, contact)
        if account is not None:
            await self._accounts.disable(unit.session, account.user_name)
            await self._accounts.bind(unit.session, account.user_name, None)
        if contact.user_name is not None:
            await self._accounts.add(unit.session, contact.user_name, contact_id=contact.id)

    async def _refuse_taken(self, unit: UnitOfWork, plain: Mapping[str, Any], contact: Contact | None) -> None:
        employee_no, key = plain.get("employee_no"), plain.get("user_name_key")
        taken = await self._repository.taken(
            unit.session,
            employee_no=employee_no if contact is None or contact.employee_no != employee_no else None,
            user_name_key=key if contact is None or contact.user_name_key != key else None,
        )
        if "employee_no" in taken:
            raise DuplicateEmployeeNumber
        if "user_name" in taken:
            raise DuplicateUserName

    async def _flush(self, unit: UnitOfWork) -> None:
        try:
            await unit.session.flush()
        except IntegrityError as error:
            if "user_name" in str(error.orig):
                raise DuplicateUserName from error
            if "employee_no" in str(error.orig):
                raise DuplicateEmployeeNumber from error
            raise

    def _add_sides(self, unit: UnitOfWork, contact: Contact) -> None:
        for department in membership_departments(contact.department_id, contact.memberships):
            unit.session.add(ContactDepartment(contact_id=contact.id, department_id=department))
        for tag in contact.tags:
            unit.session.add(ContactTag(contact_id=contact.id, tag=tag))
