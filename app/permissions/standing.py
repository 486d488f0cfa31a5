"""Who the viewer is, from our own store, and kept only as long as nothing moved.

A token says who; tier, roles, departments and grants are read from the store (``parts``), each row behind its MAC. A standing is
remembered together with the epochs that it was read under; the access log compares them in the transaction that records the look, so a
remembered standing is never used for a look after the change that ended it. Routes that do not look read it afresh.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from app.audit.authors import Author
from app.auth import epochs
from app.auth.errors import AccountRefused
from app.auth.repository import Client, ClientRepository
from app.auth.subject import Caller, Device, Person, Service
from app.departments.repository import DepartmentRepository
from app.departments.tree import DEPARTMENTS, Tree
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader
from app.kit.joining import Afresh, Joining
from app.permissions import step_up
from app.permissions.devices import DeviceFacts, DeviceReader
from app.permissions.emergency import Emergency
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.outcomes import FieldClass, Purpose, Tier
from app.permissions.pack import Pack
from app.permissions.parts import PartReader, Parts
from app.permissions.plan import LiveGrant, Place, Plan, Standing
from app.permissions.versions import POLICY, Packs

_MOST_REMEMBERED: Final = 10_000


class Viewer:
    """A standing and the plans worked out from it."""

    __slots__ = ("_clock", "_clock_here", "_pack", "_plans", "standing", "subject", "tree")

    def __init__(
        self, subject: Caller, standing: Standing, tree: Tree, pack: Pack, clock: Clock, clock_here: timedelta
    ) -> None:
        """Bind a standing to the pack in force; ``clock_here`` is how far the clocks here are ahead of UTC."""
        self.subject, self.standing, self.tree = subject, standing, tree
        self._pack, self._clock, self._clock_here = pack, clock, clock_here
        self._plans: dict[Purpose, Plan] = {}

    def plan(self, purpose: Purpose) -> Plan:
        """Give the plan for a purpose, worked out once until something begins or ends, or the day does."""
        plan = self._plans.get(purpose)
        if plan is None or (plan.not_after is not None and self._clock.now() >= plan.not_after):
            plan = self._plans[purpose] = Plan(
                self._pack, self.standing, purpose, self._clock.now(), clock_here=self._clock_here
            )
        return plan

    def is_over(self) -> bool:
        """Tell whether the standing must be read anew, because a mark has begun or ended by itself since."""
        edges = self.standing.edges
        return bool(edges) and self._clock.now() >= min(edges)

    def with_second_proof(self) -> "Viewer | None":
        """Give who the viewer would be after a second proof of identity, or ``None`` where one was given or none can be.

        A service has no second proof, and a back end that acts for a person none of that person's.
        """
        if self.standing.kind != "person" or self.standing.step_up or self.on_behalf_of is not None:
            return None
        stronger = replace(self.standing, step_up=True)
        return Viewer(self.subject, stronger, self.tree, self._pack, self._clock, self._clock_here)

    def with_exception(self, grant: LiveGrant) -> "Viewer":
        """Give who the viewer would be with one more exception: to tell beforehand what it would change."""
        granted = replace(self.standing, grants=(*self.standing.grants, grant))
        return Viewer(self.subject, granted, self.tree, self._pack, self._clock, self._clock_here)

    def in_emergency(self, emergency: Emergency) -> "Viewer":
        """Give the viewer as one who has this emergency session open: for work that prepares for one, such as a custodian's sheet."""
        inside = replace(self.standing, emergency=unfolded(emergency, self.tree))
        return Viewer(self.subject, inside, self.tree, self._pack, self._clock, self._clock_here)

    @property
    def pack(self) -> Pack:
        """The pack in force."""
        return self._pack

    @property
    def caller(self) -> str:
        """Name the caller for cursors and idempotency keys: type and id."""
        return f"{self.standing.kind}:{self.standing.actor_id}"

    @property
    def on_behalf_of(self) -> str | None:
        """Name the person for whom a back end acts, as the log does; ``None`` when nobody stands between."""
        return self.standing.actor_id if isinstance(self.subject, Person) and self.subject.front_end else None


class Standings:
    """Gives viewers."""

    def __init__(
        self,
        *,
        reader: Reader,
        parts: PartReader,
        clients: ClientRepository,
        departments: DepartmentRepository,
        devices: DeviceReader,
        packs: Packs,
        clock: Clock,
        clock_here: timedelta,
    ) -> None:
        """Take where each part of a standing is read, what gives the pack in force, the clock and how far those here are ahead of it."""
        self._reader, self._parts, self._clients, self._departments = reader, parts, clients, departments
        self._devices = devices
        self._packs, self._clock, self._clock_here = packs, clock, clock_here
        self._tree: Tree | None = None
        self._reading_tree = asyncio.Lock()
        self._remembered: OrderedDict[tuple[Caller, bool], Viewer] = OrderedDict()
        self._loading, self._reading = Joining[tuple[Caller, bool], Viewer](), Afresh[tuple[Caller, bool], Viewer]()

    async def of(self, subject: Caller, *, fresh: bool = False) -> Viewer:
        """Give the viewer that ``subject`` is; ``fresh`` reads everything later than this call, and keeps the plans when nothing has moved.

        Who asks while the same standing is being read is given that one, as who comes later is given what is remembered; not so ``fresh``:
        they wait for it to end, and share the reading that begins then.

        Raises ``NoContact``, ``AccountSuspended`` and, for a row edited past us, ``AccountRefused``.
        """
        key = (subject, self._stepped_up(subject))
        if not fresh and (found := self._remembered.get(key)) is not None and not found.is_over():
            self._remembered.move_to_end(key)
            return found
        return await (self._reading if fresh else self._loading).of(key, lambda: self._read(key))

    async def _read(self, key: tuple[Caller, bool]) -> Viewer:
        viewer = await self._load(key[0], stepped_up=key[1])
        known = self._remembered.get(key)
        if known is not None and known.tree is viewer.tree and known.standing == viewer.standing:
            viewer = known
        self._remembered[key] = viewer
        self._remembered.move_to_end(key)
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return viewer

    async def passing(self, subject: Caller) -> Viewer:
        """Give a viewer as ``of`` does, read afresh and not remembered: for work that asks about everybody once."""
        return await self._load(subject, stepped_up=False)

    async def prepare(self) -> None:
        """Read beforehand what every standing rests on, and ask once for nobody's, for a process that is about to serve.

        Raises ``PolicyUnreadable`` and ``Unavailable``.
        """
        await self._parts.of(self._reader, Person("", "", frozenset()), self._clock.now())
        await self.tree()
        await self._packs.current(self._reader)

    async def tree(self) -> Tree:
        """Give the department tree of now."""
        return await self._tree_of(await epochs.value(self._reader, DEPARTMENTS))

    async def _tree_of(self, epoch: int) -> Tree:
        tree = self._tree
        if tree is None or tree.epoch != epoch:
            async with self._reading_tree:
                tree = self._tree
                if tree is None or tree.epoch != epoch:
                    tree = self._tree = await self._departments.tree(self._reader, epoch=epoch)
        return tree

    def forget(self) -> None:
        """Drop everything remembered."""
        self._remembered.clear()
        self._loading.forget()
        self._tree = None

    def _stepped_up(self, subject: Caller) -> bool:
        return (
            isinstance(subject, Person)
            and subject.acr is not None
            and step_up.proves(subject.acr, subject.auth_time, now=self._clock.now().timestamp())
        )

    async def _load(self, subject: Caller, *, stepped_up: bool) -> Viewer:
        match subject:
            case Service():
                client, client_epoch, epoch, policy = await self._clients.with_counters(
                    self._reader, subject.client_id, DEPARTMENTS, POLICY
                )
                if client is None or client.state != "active":
                    raise AccountRefused
                tree = await self._tree_of(epoch)
                standing = Standing(
                    kind="service",
                    actor_id=client.client_id,
                    name=client.name,
                    client_id=client.client_id,
                    scopes=subject.scopes,
                    distrusted=tree.distrusted,
                    ceiling=_ceiling(client),
                    epochs={DEPARTMENTS: tree.epoch, POLICY: policy, client.epoch_key: client_epoch},
                )
            case Device():
                facts, epoch, policy = await self._devices.trusted(self._reader, subject.device_id, DEPARTMENTS, POLICY)
                if facts is None:
                    raise AccountRefused
                tree = await self._tree_of(epoch)
                standing = _device(facts, tree, policy)
            case Person():
                parts = await self._parts.of(self._reader, subject, self._clock.now())
                policy = parts.counters.get(POLICY, 0)
                tree = await self._tree_of(parts.counters.get(DEPARTMENTS, 0))
                standing = _person(subject, parts, tree, stepped_up=stepped_up)
            case _:
                assert_never(subject)
        return Viewer(
            subject, standing, tree, await self._packs.at(self._reader, policy), self._clock, self._clock_here
        )


def _person(subject: Person, parts: Parts, tree: Tree, *, stepped_up: bool) -> Standing:
    """Put a person's standing together; raise ``NoContact`` and ``AccountSuspended``."""
    account, facts, lent = parts.account, parts.facts, parts.lent
    if account is None or lent is None or account.contact_id is None or account.state == "disabled":
        raise NoContact
    if account.state == "suspended":
        raise AccountSuspended
    if facts is None or facts.status not in {"active", "frozen", "leaving"}:
        raise NoContact
    headed = tree.headed_by(facts.contact_id)
    main = None if facts.department_id is None else tree.nodes.get(facts.department_id)
    departments = frozenset(facts.departments) - tree.distrusted
    ceilings = map(_ceiling, parts.clients)
    watched = (account.epoch_key, *(client.epoch_key for client in parts.clients), POLICY)
    tier = Tier(lent.tier)
    return Standing(
        kind="person",
        actor_id=str(facts.contact_id),
        name=facts.name,
        client_id=subject.client_id,
        scopes=subject.scopes,
        tier=max(tier, Tier.T2) if headed and tier in {Tier.T0, Tier.T1} else tier,
        roles=lent.roles | ({"dept_head"} if headed else set()),
        worker_kind=facts.worker_kind,
        contact_id=facts.contact_id,
        user_id=account.id,
        main_department=facts.department_id,
        departments=departments,
        subtree=frozenset().union(*(tree.subtree(each, into_protected=False) for each in departments)),
        headed=headed,
        region=_place(tree.by_region, main.region if main else ""),
        legal_entity=_place(tree.by_legal_entity, main.legal_entity if main else ""),
        distrusted=tree.distrusted,
        grants=tuple(_placed(grant, tree) for grant in parts.grants),
        marks=parts.marks.kinds,
        edges=parts.marks.edges + lent.edges,
        engagements=parts.engagements,
        emergency=None if parts.emergency is None else unfolded(parts.emergency, tree),
        step_up=stepped_up,
        ceiling=min((each for each in ceilings if each is not None), default=None),
        epochs={DEPARTMENTS: tree.epoch, **{key: parts.counters.get(key, 0) for key in watched}},
    )


def _device(facts: DeviceFacts, tree: Tree, policy: int) -> Standing:
    """Put the standing of a device together: it stands where its department does, and sees no class above C1 whatever a pack says."""
    main = None if facts.department_id is None else tree.nodes.get(facts.department_id)
    departments = (frozenset() if main is None else frozenset({main.id})) - tree.distrusted
    return Standing(
        kind="device",
        actor_id=str(facts.device_id),
        name=facts.name,
        client_id=Device.client_id,
        scopes=Device.scopes,
        main_department=None if main is None else main.id,
        departments=departments,
        subtree=frozenset().union(*(tree.subtree(each, into_protected=False) for each in departments)),
        region=_place(tree.by_region, main.region if main else ""),
        legal_entity=_place(tree.by_legal_entity, main.legal_entity if main else ""),
        distrusted=tree.distrusted,
        ceiling=FieldClass.C1,
        epochs={DEPARTMENTS: tree.epoch, POLICY: policy, facts.epoch_key: facts.epoch},
    )


def _place(departments: Mapping[str, frozenset[UUID]], here: str) -> Place:
    """Part the departments whose place is known into those ``here`` and those elsewhere; from nowhere, nothing is either."""
    if not here:
        return Place()
    elsewhere = [each for name, each in departments.items() if name not in {"", here}]
    return Place(departments.get(here, frozenset()), frozenset().union(*elsewhere))


def _placed(grant: LiveGrant, tree: Tree) -> LiveGrant:
    """Name the departments that an exception is about, as the tree of now has them."""
    match grant.scope.kind, grant.scope.value:
        case "department", value:
            departments = frozenset({UUID(value)})
        case "subtree", value:
            departments = tree.subtree(UUID(value), into_protected=False)
        case "region", value if value:
            departments = tree.by_region.get(value, frozenset())
        case "legal_entity", value if value:
            departments = tree.by_legal_entity.get(value, frozenset())
        case _:
            return grant
    return replace(grant, departments=departments - tree.distrusted)


def unfolded(emergency: Emergency, tree: Tree) -> Emergency:
    """Name all departments that an emergency session is about: those that it names and what is below, as the tree of now has them."""
    below = [tree.subtree(each, into_protected=False) for each in emergency.departments]
    return replace(emergency, departments=frozenset().union(*below) - tree.distrusted)


def _ceiling(client: Client) -> FieldClass | None:
    return FieldClass(client.ceiling) if client.ceiling else None


def author_of(viewer: Viewer) -> Author:
    """Name a viewer as the author of a write."""
    standing, context = viewer.standing, current_request()
    return Author(
        type=standing.kind,
        id=standing.actor_id,
        tier=standing.tier.value if standing.kind == "person" else None,
        department_id=standing.main_department,
        client_id=standing.client_id,
        on_behalf_of=viewer.on_behalf_of,
        policy_version=viewer.plan(Purpose.WORK_CONTACT).pack_label,
        address=context.address if context else None,
        request_id=context.request_id if context else None,
        signed=viewer.subject.signed if isinstance(viewer.subject, Service) else None,
    )
