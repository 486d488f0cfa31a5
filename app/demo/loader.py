"""Loading the demo company into an empty store, through the services that everybody else uses.

All of it is one transaction: a load that was killed has left nothing, so "there is something in the store" always means that a whole
company is there, or somebody's own data, and neither is touched. Departments, contacts, accounts and clients are written by the services
that the API calls, so every row has its history and its event. Only the forms differ: the demo may give the C5 fields that an installation
asks for by a setting.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.composition import Application
from app.contacts.fields import CATALOGUE
from app.contacts.members import MemberReader
from app.contacts.schemas import Membership
from app.contacts.writer import ContactWriter
from app.demo.company import Company, DemoContact, company
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.tree import Node, Tree
from app.kit.db import UnitOfWork
from app.permissions.outcomes import FieldClass

Progress = Callable[[int, int], None]
"""Told after each contact: how many are written, of how many."""

INSTALLER: Final = Author(type="operator", id="demo")
_SENSITIVE: Final = frozenset(field.name for field in CATALOGUE.protected if field.field_class is FieldClass.C5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What became of it: whether the company was loaded, and what the store holds now."""

    loaded: bool
    contacts: int
    departments: int


async def load(application: Application, *, author: Author = INSTALLER, progress: Progress | None = None) -> DemoReport:
    """Load the company when the store has neither contacts nor departments, else change nothing; bring what was written into the log.

    Raises what the services raise; then nothing was written.
    """
    present = await _present(application)
    if present.contacts or present.departments:
        return present
    made = company()
    async with application.database.unit_of_work() as unit:
        await _Loading(application, unit, author, progress or _quietly).all(made)
    await application.mover.move_all()
    return DemoReport(loaded=True, contacts=len(made.contacts), departments=len(made.departments))


async def _present(application: Application) -> DemoReport:
    contacts = await application.contact_rows.size()
    tree = await application.standings.tree()
    return DemoReport(loaded=False, contacts=contacts, departments=len(tree.nodes) + len(tree.distrusted))


def _quietly(done: int, total: int) -> None:
    """Tell nobody."""
    del done, total


class _Loading:
    def __init__(self, application: Application, unit: UnitOfWork, author: Author, progress: Progress) -> None:
        self._application, self._unit, self._author, self._progress = application, unit, author, progress
        region = application.settings.contacts.default_region
        self._writer = ContactWriter(
            repository=application.contact_rows,
            members=MemberReader(application.contact_rows, region=region, sensitive=_SENSITIVE),
            sealer=application.sealer,
            accounts=application.accounts,
            clock=application.clock,
        )
        self._ids: dict[str, UUID] = {}

    async def all(self, made: Company) -> None:
        await self._record("demo.load", {"contacts": len(made.contacts), "departments": len(made.departments)})
        nodes, tree = await self._departments(made)
        await self._clients(made)
        for done, contact in enumerate(made.contacts, start=1):
            self._ids[contact.key] = await self._contact(tree, contact)
            self._progress(done, len(made.contacts))
        await self._heads(made, nodes)
        await self._standings(made)

    async def _departments(self, made: Company) -> tuple[dict[str, Node], Tree]:
        nodes: dict[str, Node] = {}
        tree = Tree(())
        for each in made.departments:
            new = DepartmentCreate(
                code=each.code,
                name=each.name,
                parent=each.parent,
                order=each.order,
                region=each.region,
                legal_entity=each.legal_entity,
                protected=each.protected,
            )
            kept = await self._application.departments.create(self._unit, self._author, new)
            nodes[each.code], tree = kept.node, kept.tree
        return nodes, tree

    async def _contact(self, tree: Tree, contact: DemoContact) -> UUID:
        given = dict(contact.members)
        if contact.manager is not None:
            given["manager"] = self._ids[contact.manager]
        if contact.memberships:
            given["memberships"] = [Membership(department=code, title=title) for code, title in contact.memberships]
        made = await self._writer.create(self._unit, self._author, tree, contact.kind, given)
        if contact.leaves:
            await self._writer.hide(self._unit, self._author, made.record)
        return made.record.subject

    async def _heads(self, made: Company, nodes: Mapping[str, Node]) -> None:
        for each in made.departments:
            holders = {"head": self._ids[each.head]}
            if each.deputy is not None:
                holders["deputy"] = self._ids[each.deputy]
            await self._application.departments.amend(
                self._unit, self._author, nodes[each.code], DepartmentAmend.model_validate(holders)
            )

    async def _clients(self, made: Company) -> None:
        session = self._unit.session
        for new in made.clients:
            if await self._application.clients.by_client_id(session, new.client_id) is None:
                await self._application.clients.add(session, new)
                await self._record("client.create", {"client_id": new.client_id, "scopes": sorted(new.scopes)})

    async def _standings(self, made: Company) -> None:
        identities = {each.members.get("user_name"): self._ids[each.key] for each in made.contacts}
        for each in made.standings:
            await self._application.accounts.set_standing(
                self._unit.session, each.user_name, tier=each.tier, roles=each.roles
            )
            detail = {"tier": each.tier, "roles": sorted(each.roles)}
            await self._record("account.standing", detail, identities[each.user_name])

    async def _record(self, action: str, detail: Mapping[str, Any], *contacts: UUID) -> None:
        draft = written(self._author, action, self._application.clock.now(), contacts=contacts, query=detail)
        await add_intent(self._unit.session, draft)
