"""Giving back: whoever answers for a provision says that it was returned or destroyed, and administration, who has no part in it, confirms.

What was overdue stays marked until it is confirmed. A return that is not believed is out again as before; both words stay on record.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from app.audit.authors import Author
from app.auth.errors import AccountRefused
from app.auth.repository import Account
from app.contacts.rights import own_contact, seek
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Receipt
from app.kit.models import new_id
from app.kit.query import Source
from app.permissions.errors import MarkNotFound, NotPermitted
from app.permissions.marks import MarkKind, MarkReason, MarkRepository
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of
from app.provisions import rules
from app.provisions.errors import NothingOut, OwnPart
from app.provisions.repository import ProvisionRepository
from app.provisions.rules import OUT, Provision, ProvisionState, ReturnEntry, ReturnKind, ReturnWord
from app.provisions.schemas import ReturnConfirmation, ReturnCreate
from app.provisions.telling import ProvisionTeller, recorded

CONFIRMS: Final = "administration"
"""The role that confirms."""
_KIND: Final = MarkKind.OVERDUE_RETURN


class Accounts(Protocol):
    """Where the accounts of people are read."""

    async def by_contact(self, source: Source, contact_id: UUID) -> Account | None:
        """Find the account bound to a contact; raise ``AccountRefused`` when its row was edited past us."""
        ...


class Persons(Protocol):
    """Where the natural person behind a contact is read."""

    async def of(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, UUID]:
        """Give the person behind each contact."""
        ...


class OverdueMarks:
    """The mark of who has not brought back what they answer for."""

    def __init__(self, *, accounts: Accounts, marks: MarkRepository, clock: Clock) -> None:
        """Take the accounts, the marks and the clock."""
        self._accounts, self._marks, self._clock = accounts, marks, clock

    async def put(self, unit: UnitOfWork, author: Author, provision: Provision) -> None:
        """Mark whoever answers for it, once; who has no account any more carries none."""
        account, now = await self._account(unit.session, provision), self._clock.now()
        if account is None or await self._marks.of_request(unit.session, account.id, provision.request_id, now):
            return
        mark = await self._marks.add(
            unit.session, account.id, _KIND, MarkReason.NOT_RETURNED, at=now, request_id=provision.request_id
        )
        people = [provision.responsible_id]
        await recorded(unit, author, "mark", provision, now, contacts=people, mark=_KIND.value, ids=[str(mark)])

    async def take_off(self, unit: UnitOfWork, author: Author, provision: Provision) -> None:
        """Take the mark off, where there is one."""
        account, now = await self._account(unit.session, provision), self._clock.now()
        if account is None:
            return
        try:
            marks = await self._marks.end(unit.session, account.id, _KIND, at=now, request_id=provision.request_id)
        except MarkNotFound:
            return
        ids, people = [str(each) for each in marks], [provision.responsible_id]
        await recorded(unit, author, "unmark", provision, now, contacts=people, mark=_KIND.value, ids=ids)

    async def _account(self, source: Source, provision: Provision) -> Account | None:
        try:
            return await self._accounts.by_contact(source, provision.responsible_id)
        except AccountRefused:
            return None


class ReturnKeeper:
    """Takes what people say of returns."""

    def __init__(
        self, *, rows: ProvisionRepository, marks: OverdueMarks, persons: Persons, teller: ProvisionTeller, clock: Clock
    ) -> None:
        """Take the rows, the marks, natural persons, who tells others, and the clock."""
        self._rows, self._marks, self._persons = rows, marks, persons
        self._teller, self._clock = teller, clock

    async def declare(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: ReturnCreate) -> Receipt:
        """Say that what the recipient had was returned or destroyed. Raises ``NotFound`` to who is no party, and ``NothingOut``."""
        seek("provision.return", Purpose.WORK_CONTACT)
        me, now = own_contact(viewer), self._clock.now()
        provision = await self._rows.held(unit.session, identity)
        if provision is None or me not in {provision.responsible_id, provision.requester_id}:
            raise NotFound
        if provision.state not in OUT:
            raise NothingOut
        after = await self._rows.save(unit.session, rules.declared(provision, now, body.kind, me))
        await self._say(unit, viewer, after, ReturnWord.DECLARED, body.kind, body.evidence)
        await self._teller.told(unit, "declared", after, now, roles=(CONFIRMS,), kind=body.kind.value)
        return receipt(after, 201)

    async def confirm(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: ReturnConfirmation) -> Receipt:
        """Confirm a declared return, or do not believe it.

        Raises ``NotPermitted``, ``NotFound``, ``OwnPart`` for who answers, asked or declared, under whatever account, and ``NothingOut``.
        """
        seek("provision.confirm", Purpose.WORK_CONTACT)
        me, now = own_contact(viewer), self._clock.now()
        if CONFIRMS not in viewer.standing.roles:
            raise NotPermitted
        provision = await self._rows.held(unit.session, identity)
        if provision is None:
            raise NotFound
        if (
            provision.state is not ProvisionState.DECLARED
            or provision.return_kind is None
            or provision.declared_by is None
        ):
            raise NothingOut
        parties = [provision.responsible_id, provision.requester_id, provision.declared_by]
        persons = await self._persons.of(unit.session, [me, *parties])
        if persons[me] in {persons[each] for each in parties}:
            raise OwnPart
        believed, author = body.decision == "confirm", author_of(viewer)
        after = rules.confirmed(provision, now, me) if believed else rules.refused(provision)
        after = await self._rows.save(unit.session, after)
        said = ReturnWord.CONFIRMED if believed else ReturnWord.REFUSED
        await self._say(unit, viewer, after, said, provision.return_kind, body.comment)
        people = [provision.responsible_id, provision.requester_id]
        if believed:
            await self._marks.take_off(unit, author, after)
            await self._teller.told(unit, provision.return_kind.value, after, now, people=people)
        else:
            await self._teller.told(unit, "due", after, now, people=people)
        return receipt(after)

    async def _say(
        self, unit: UnitOfWork, viewer: Viewer, provision: Provision, said: ReturnWord, kind: ReturnKind, words: str
    ) -> None:
        identity, now, me = new_id(), self._clock.now(), own_contact(viewer)
        entry = ReturnEntry(
            id=identity,
            provision_id=provision.id,
            said=said,
            kind=kind,
            person_id=me,
            evidence=self._rows.close(identity, {"words": words}),
            at=now,
        )
        await self._rows.returns.add(unit.session, entry)
        people = [provision.responsible_id]
        await recorded(
            unit, author_of(viewer), "return", provision, now, contacts=people, said=said.value, kind=kind.value
        )


def version_of(provision: Provision) -> str:
    """Give what names the state of a provision to who has just written it; readers are told what names their own view."""
    state = repr((provision.state, provision.row_version, provision.return_kind))
    return f"{provision.id.hex[-12:]}-{sha256(state.encode()).hexdigest()[:16]}"


def receipt(provision: Provision, status: int = 200) -> Receipt:
    """Say what a write on a provision answers."""
    body = {"id": str(provision.id), "state": provision.state.value, "version": version_of(provision)}
    return Receipt(provision.id, body, status)
