"""Making many contacts at once: one statement per table for a whole batch instead of a dozen per contact.

What a row holds is said where every new contact is made (``app.contacts.birth``): sealed values, digests, MAC, history; and each has
its account, its keys to be found by, and an event of its own. Only asking is done otherwise: whether a name is taken the unique indexes
say, and people of one batch may name one another. For stores that are being filled: what fails can only be rolled back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author, written
from app.audit.intents import add_intents
from app.auth.accounts import UserAccounts
from app.contacts.birth import Born, born, remembered
from app.contacts.errors import DuplicateEmployeeNumber, DuplicateUserName, UnknownContact
from app.contacts.indexing import index_all
from app.contacts.members import PEOPLE, MemberReader
from app.contacts.models import Contact, ContactChange, ContactDepartment, ContactTag
from app.contacts.record import membership_departments
from app.contacts.repository import ContactRepository
from app.contacts.rows import REFERENCES
from app.contacts.tagging import Tagger
from app.crypto.history_store import add_history_keys
from app.crypto.sealer import Sealer
from app.crypto.stored import add_keys
from app.departments.tree import Tree
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.traces import marking
from app.traces.trace import Sort, Trace

_CONTACT: Final = cast("Table", Contact.__table__)
_COLUMNS: Final = tuple(column.key for column in _CONTACT.columns)
_CHANGE: Final = cast("Table", ContactChange.__table__)
_SIDES: Final = (cast("Table", ContactDepartment.__table__), cast("Table", ContactTag.__table__))


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to be made: the id that it gets, its kind, and its members as a caller of the API would write them.

    ``short_numbers`` and ``extension`` are members too, for whoever assigns these numbers in the same transaction.
    """

    id: UUID
    kind: str
    given: Mapping[str, Any]


class ContactFounder:
    """Makes contacts by the batch."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        members: MemberReader,
        sealer: Sealer,
        accounts: UserAccounts,
        tagger: Tagger,
        clock: Clock,
    ) -> None:
        """Take what the writer of single contacts takes."""
        self._repository, self._members, self._tagger = repository, members, tagger
        self._sealer, self._accounts, self._clock = sealer, accounts, clock

    async def create(self, unit: UnitOfWork, author: Author, tree: Tree, new: Sequence[NewContact]) -> None:
        """Make all of them, with an account for each user name.

        Raises what ``MemberReader`` and ``UserAccounts`` raise, ``DuplicateEmployeeNumber`` and ``DuplicateUserName``.
        """
        now = self._clock.now()
        parsed = [(each, *self._parsed(tree, each, now)) for each in new]
        await self._refuse_strangers(unit.session, {each.id for each in new}, [plain for _, plain, _ in parsed])
        made = [born(self._sealer, each.id, each.kind, plain, values, now) for each, plain, values in parsed]
        await self._insert(unit.session, made)
        await add_keys(unit.session, ((each.contact.id, each.wrapped) for each in made), at=now)
        await add_history_keys(unit.session, ((each.contact.id, each.wrapped_history) for each in made), at=now)
        await index_all(unit.session, (each.contact for each in made))
        await self._tagger.tag_all(unit.session, ((each.contact, each.sealer, each.told) for each in made))
        told = [row for each in made for row in remembered(each.contact, each.history, author, each.told, now)]
        await _add(unit.session, _CHANGE, told)
        named = {each.contact.user_name: each.contact.id for each in made if each.contact.user_name is not None}
        await self._accounts.add_all(unit.session, named)
        await add_intents(
            unit.session,
            (
                written(author, "contact.create", now, contacts=[each.contact.id], fields=sorted(each.told))
                for each in made
            ),
        )

        traces = (Trace(type="contact", subject=each.contact.id, sort=Sort.CREATED) for each in made)
        await marking.leave(unit.session, traces)

    def _parsed(self, tree: Tree, new: NewContact, now: datetime) -> tuple[dict[str, Any], dict[str, str | None]]:
        self._members.refuse_new(new.kind, new.given, at=now)
        plain, values = self._members.parsed(tree, new.kind, new.given)
        plain["retain_until"] = self._members.forms.retain_until(new.kind, now)
        return plain, values

    async def _refuse_strangers(
        self, session: AsyncSession, here: set[UUID], plains: Sequence[Mapping[str, Any]]
    ) -> None:
        named = {
            identity: member for plain in plains for member in PEOPLE if (identity := plain.get(REFERENCES[member]))
        }
        elsewhere = named.keys() - here
        for identity in elsewhere - await self._repository.known(session, elsewhere):
            pointer = f"/{named[identity]}"
            raise UnknownContact(pointer)

    async def _insert(self, session: AsyncSession, made: Sequence[Born]) -> None:
        contacts = [each.contact for each in made]
        try:
            await _add(session, _CONTACT, [{name: getattr(each, name) for name in _COLUMNS} for each in contacts])
        except IntegrityError as error:
            if "user_name" in str(error.orig):
                raise DuplicateUserName from error
            if "employee_no" in str(error.orig):
                raise DuplicateEmployeeNumber from error
            raise
        departments, tags = _SIDES
        await _add(
            session,
            departments,
            [
                {"contact_id": each.id, "department_id": department}
                for each in contacts
                for department in membership_departments(each.department_id, each.memberships)
            ],
        )
        await _add(session, tags, [{"contact_id": each.id, "tag": tag} for each in contacts for tag in each.tags])


async def _add(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await session.execute(insert(table), rows)
