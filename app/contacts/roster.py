"""Who has an account, for those who ask which people have done what is asked of everybody. C1 of people whom the asker may see."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.contacts.criteria import COLUMNS, Criteria
from app.contacts.models import Contact
from app.contacts.repository import ContactRepository
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.db import Reader
from app.permissions.plan import Plan
from app.permissions.predicate import visible

_IN_SERVICE: Final = ("active", "frozen", "leaving")


class Roster:
    """Lists people."""

    def __init__(self, reader: Reader, repository: ContactRepository) -> None:
        """Take the reader and the rows."""
        self._reader, self._repository = reader, repository

    async def with_accounts(self, plan: Plan) -> list[UUID]:
        """Give everybody in service who has a user name and whom ``plan`` shows, in the order of their ids."""
        statement = (
            select(Contact.id)
            .where(visible(plan, COLUMNS), Contact.user_name_key.is_not(None), Contact.status.in_(_IN_SERVICE))
            .order_by(Contact.id)
        )
        return [row[0] for row in await self._reader.fetch(self._reader.prepare(statement))]

    async def records(self, identities: Sequence[UUID], plan: Plan, tree: Tree) -> list[Record]:
        """Give the closed records of these, in this order; those that ``plan`` does not show are left out."""
        found = await self._repository.among(identities, Criteria(), plan, tree)
        return [found[identity] for identity in identities if identity in found]
