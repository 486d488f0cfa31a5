"""Loading the demo company into an empty store, through the services that everybody else uses.

All of it is one transaction: a load that was killed has left nothing, so "there is something in the store" always means that a whole
company is there, or somebody's own data, and neither is touched. Departments, contacts, accounts, numbers and clients are written by the
services that the API calls or, where there are thousands, by the batch; every row has its history and its event either way. Only the forms
differ: the demo may give the C5 fields that an installation asks for by a setting.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from uuid import UUID

from app.application import Application
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.contacts.fields import CATALOGUE
from app.contacts.forms import Forms
from app.contacts.forms import load as load_forms
from app.contacts.founding import ContactFounder, NewContact
from app.contacts.members import MemberReader
from app.contacts.schemas import Membership
from app.contacts.tag_rules import Population
from app.contacts.writer import ContactWriter
from app.demo.company import Company, DemoContact, company
from app.demo.partners import EXTERNAL
from app.demo.plan import load_pools
from app.demo.staffing import REDIRECTS
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.tree import Node, Tree
from app.engagements.rules import OPEN
from app.engagements.service import NewBusiness
from app.kit.db import UnitOfWork
from app.kit.errors import Problem
from app.kit.models import new_id
from app.numbers.founding import FirstNumber, NumberFounder, carried
from app.numbers.pool_repository import Pool
from app.numbers.repository import NumberRepository
from app.permissions.outcomes import FieldClass, Tag


class Phase(Enum):
    """What is being written, in English and Chinese."""

    DEPARTMENTS = ("departments", "部门")
    POOLS = ("number pools", "号码池")
    PEOPLE = ("people and numbers", "人员与号码")
    PARTNERS = ("external contacts and leavers", "外部联系人与离职者")
    POSITIONS = ("heads and roles", "负责人与角色")
    BUSINESS = ("customers in hand", "在办客户业务")
    LOG = ("access log", "访问日志")

    @property
    def label(self) -> str:
        """Both, for a screen."""
        return " ".join(self.value)


Progress = Callable[[Phase, int, int], None]
"""Told in each phase now and then: how many are written, of how many."""

INSTALLER: Final = Author(type="operator", id="demo")
_SENSITIVE: Final = frozenset(field.name for field in CATALOGUE.protected if field.field_class is FieldClass.C5)
_BATCH: Final = 200
_CRM: Final = "service:crm"
"""Whose facts they are: the CRM may change and end them."""


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
    made, tell = company(), progress or _quietly
    async with application.database.unit_of_work() as unit:
        await _Loading(application, unit, author, tell).all(made)
    moved = 0
    while step := await application.mover.move_once():
        moved += step
        tell(Phase.LOG, moved, moved)
    return DemoReport(loaded=True, contacts=len(made.contacts), departments=len(made.departments))


async def _present(application: Application) -> DemoReport:
    contacts = await application.contact_rows.size()
    tree = await application.standings.tree()
    return DemoReport(loaded=False, contacts=contacts, departments=len(tree.nodes) + len(tree.distrusted))


def _quietly(phase: Phase, done: int, total: int) -> None:
    """Tell nobody."""
    del phase, done, total


class _Loading:
    def __init__(self, application: Application, unit: UnitOfWork, author: Author, progress: Progress) -> None:
        self._application, self._unit, self._author, self._progress = application, unit, author, progress
        region = application.settings.contacts.default_region
        members = MemberReader(
            application.contact_rows, region=region, forms=Forms(load_forms(), switched_on=_SENSITIVE)
        )
        self._writer = ContactWriter(
            repository=application.contact_rows,
            members=members,
            sealer=application.sealer,
            accounts=application.accounts,
            tagger=application.lookups.tagger,
            tracer=application.contact_writer.tracer,
            clock=application.clock,
        )
        self._founder = ContactFounder(
            repository=application.contact_rows,
            members=members,
            sealer=application.sealer,
            accounts=application.accounts,
            tagger=application.lookups.tagger,
            clock=application.clock,
        )
        self._numbers = NumberFounder(numbers=NumberRepository(), clock=application.clock)
        self._ids: dict[str, UUID] = {}

    async def all(self, made: Company) -> None:
        await self._record("demo.load", {"contacts": len(made.contacts), "departments": len(made.departments)})
        nodes, tree = await self._departments(made)
        await self._clients(made)
        self._progress(Phase.POOLS, 0, 1)
        sizes = dict.fromkeys((Tag.MOBILE, Tag.MOBILE_LAST4, Tag.EMAIL), len(made.contacts))
        await self._application.lookups.retagger.foresee(self._unit, Population(sizes, {}))
        pools = await load_pools(self._unit, self._author, self._application.clock)
        self._progress(Phase.POOLS, 1, 1)
        apart = [each for each in made.contacts if each.leaves or each.kind == EXTERNAL]
        staff = [each for each in made.contacts if not (each.leaves or each.kind == EXTERNAL)]
        for at in range(0, len(staff), _BATCH):
            await self._many(tree, pools, staff[at : at + _BATCH])
            self._progress(Phase.PEOPLE, min(at + _BATCH, len(staff)), len(staff))
        for done, contact in enumerate(apart, start=1):
            await self._one(tree, contact)
            self._progress(Phase.PARTNERS, done, len(apart))
        await self._positions(made, nodes)
        await self._business(made)

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
            self._progress(Phase.DEPARTMENTS, len(nodes), len(made.departments))
        return nodes, tree

    async def _many(self, tree: Tree, pools: Mapping[str, Pool], contacts: Sequence[DemoContact]) -> None:
        """Write contacts with the numbers that they have; numbers and cards agree, since both come from the plan and commit together."""
        self._ids |= {each.key: new_id() for each in contacts}
        first: dict[str, list[FirstNumber]] = {code: [] for code in pools}
        new = []
        for each in contacts:
            identity = self._ids[each.key]
            held = []
            for number in each.numbers:
                given = FirstNumber(digits=number.digits, holder=identity, role=number.role, until=number.until)
                first[number.pool].append(given)
                held.append(given)
            new.append(NewContact(identity, each.kind, {**self._given(each), **carried(held)}))
        await self._founder.create(self._unit, self._author, tree, new)
        for code, wanted in first.items():
            if wanted:
                await self._numbers.give(self._unit, self._author, pools[code], wanted)

    async def _one(self, tree: Tree, contact: DemoContact) -> None:
        made = await self._writer.create(self._unit, self._author, tree, contact.kind, self._given(contact))
        self._ids[contact.key] = made.record.subject
        if contact.leaves:
            await self._writer.hide(self._unit, self._author, made.record)

    def _given(self, contact: DemoContact) -> dict[str, Any]:
        given = dict(contact.members)
        if contact.manager is not None:
            given["manager"] = self._ids[contact.manager]
        if contact.memberships:
            given["memberships"] = [Membership(department=code, title=title) for code, title in contact.memberships]
        return given

    async def _positions(self, made: Company, nodes: Mapping[str, Node]) -> None:
        total = len(made.departments) + len(made.standings)
        for done, each in enumerate(made.departments, start=1):
            holders = DepartmentAmend(head=self._ids[each.head], deputy=self._ids[each.deputy])
            await self._application.departments.amend(self._unit, self._author, nodes[each.code], holders)
            self._progress(Phase.POSITIONS, done, total)
        identities = {each.members.get("user_name"): self._ids[each.key] for each in made.contacts}
        for done, standing in enumerate(made.standings, start=len(made.departments) + 1):
            await self._application.accounts.set_standing(
                self._unit.session, standing.user_name, tier=standing.tier, roles=standing.roles
            )
            detail = {"tier": standing.tier, "roles": sorted(standing.roles)}
            await self._record("account.standing", detail, identities[standing.user_name])
            self._progress(Phase.POSITIONS, done, total)

    async def _business(self, made: Company) -> None:
        """Enter what the demo's CRM has pushed about contacts that are here, by the service that its pushes go to."""
        service, session, now = self._application.engagements.service, self._unit.session, self._application.clock.now()
        people = {str(each.members.get("user_name")): self._ids[each.key] for each in made.contacts}
        told = [
            NewBusiness(
                contact_id=self._ids[each.contact],
                kind=each.kind,
                reference=each.reference,
                source=_CRM,
                staff=tuple(people[name] for name in each.staff),
                since=now,
                until=OPEN,
                body_hash=hashlib.sha256(each.reference.encode()).digest(),
            )
            for each in made.engagements
            if each.contact in self._ids
        ]
        named = {who for each in told for who in (each.contact_id, *each.staff) if who is not None}
        for outcome in await service.enter(self._unit, self._author, told, await service.lock(session, named)):
            if isinstance(outcome, Problem):
                raise outcome
        self._progress(Phase.BUSINESS, len(told), len(told))

    async def _clients(self, made: Company) -> None:
        session = self._unit.session
        for new in made.clients:
            if await self._application.clients.by_client_id(session, new.client_id) is None:
                await self._application.clients.add(session, new)
                redirects, at = REDIRECTS.get(new.client_id, ()), self._application.clock.now()
                await self._application.sign_in.redirects.add(session, new.client_id, redirects, at=at)
                await self._record("client.create", {"client_id": new.client_id, "scopes": sorted(new.scopes)})

    async def _record(self, action: str, detail: Mapping[str, Any], *contacts: UUID) -> None:
        draft = written(self._author, action, self._application.clock.now(), contacts=contacts, query=detail)
        await add_intent(self._unit.session, draft)
