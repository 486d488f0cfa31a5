"""Groups: departments, which are read alone, and tags that a client made a group of, whose members it may say.

A client changes the groups that it made, and reads those of others. A tag that the company offers, or that people carry, is no client's to
make a group of; one that a rule of the policy reads is nobody's to give or take by provisioning: it decides who sees whom. Whoever belongs
to a group is named in the record of the look, since who somebody works with is said of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.errors import UnknownContact
from app.contacts.provisioned import KINDS, ProvisionedContacts
from app.contacts.retagging import CardRetagger, Retag
from app.contacts.rights import CurrentRights, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.emergency.rules import KEY_TAG
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound, PreconditionFailed
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass
from app.permissions.standing import Viewer, author_of
from app.scim.errors import GroupExists, GroupOfAnother, GroupTooLarge, NotWritable, TooManyMembers, TooManyTags
from app.scim.mapping import GROUP
from app.scim.reading import PURPOSE
from app.scim.repository import ScimRepository, TagGroup

MOST_MEMBERS: Final = 20_000
"""Members that one answer tells of."""
MOST_CHANGED: Final = 2000
"""People whom one request puts into a group or takes out of one, all in one transaction: on SQLite nobody else writes for as long."""
MOST_TAGS: Final = 50
"""Tags of one card, as for everybody who writes one."""
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Listed:
    """A group as it is listed: a department has no ``tag``."""

    id: UUID
    name: str
    tag: TagGroup | None = None

    @property
    def times(self) -> tuple[datetime, datetime] | None:
        """Give when it was made and when it last changed, where that is known."""
        return None if self.tag is None else (self.tag.created_at, self.tag.updated_at)


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """A group as a request was shown it before it changes it; ``is_condition`` where the request says that it means this version."""

    group: Listed
    members: Sequence[str]
    version: str
    is_condition: bool


@dataclass(frozen=True, slots=True)
class GroupSaid:
    """What a client says of a group."""

    name: str
    external_id: str | None
    members: Sequence[str]


class Groups:
    """Reads and writes groups."""

    def __init__(
        self,
        *,
        database: Database,
        rows: ScimRepository,
        found: ProvisionedContacts,
        retagger: CardRetagger,
        gate: Gate,
        rights: CurrentRights,
        clock: Clock,
    ) -> None:
        """Take the store, the groups, how people are found and their tags written, the gate, who viewers are now, and the clock."""
        self._database, self._rows, self._found, self._retagger = database, rows, found, retagger
        self._gate, self._rights, self._clock = gate, rights, clock

    async def every(self, viewer: Viewer) -> list[Listed]:
        """List all groups: departments in the order of their codes, then tags."""
        departments = sorted(viewer.tree.nodes.values(), key=lambda node: node.code)
        client = viewer.standing.client_id
        tags = [_own(each, client) for each in await self._rows.every_group()]
        return [
            *(Listed(each.id, each.name) for each in departments),
            *(Listed(each.id, each.tag, each) for each in sorted(tags, key=lambda each: each.id)),
        ]

    async def members(self, viewer: Viewer, groups: Sequence[Listed]) -> dict[UUID, list[UUID]]:
        """Give who belongs to each group, of whom the viewer may know; raise ``GroupTooLarge`` rather than leave some out."""
        plan = viewer.plan(PURPOSE)
        departments = [each.id for each in groups if each.tag is None]
        tags = {each.name: each.id for each in groups if each.tag is not None}
        found: dict[UUID, list[UUID]] = {}
        if departments:
            found.update(await self._found.in_departments(plan, departments, most=MOST_MEMBERS + 1))
        if tags:
            carried = await self._found.tagged(plan, list(tags), most=MOST_MEMBERS + 1)
            found.update((tags[name], people) for name, people in carried.items())
        if sum(map(len, found.values())) > MOST_MEMBERS:
            raise GroupTooLarge
        return found

    async def shown(
        self,
        viewer: Viewer,
        groups: Sequence[Listed],
        query: Mapping[str, Any],
        *,
        members: bool = True,
        about: Iterable[UUID] = (),
    ) -> list[dict[str, Any]]:
        """Show groups with their members, on record with all of them, and with those whom the answer is ``about`` besides.

        Without members a group has no version, which is that of the whole. Raises ``LogUnavailable`` and ``GroupTooLarge``.
        """
        action = "scim.group.list" if "group" not in query else "scim.group.read"
        seek(action, PURPOSE)

        async def attempt(viewer: Viewer) -> list[dict[str, Any]]:
            people = await self.members(viewer, groups) if members else {}
            named = list(dict.fromkeys([*about, *(each for some in people.values() for each in some)]))
            look = Look(action=action, purpose=PURPOSE, query=query)
            await self._gate.disclose_plain(viewer, look, count=len(named), contacts=named)
            return [self.written(each, people.get(each.id, ()), whole=members) for each in groups]

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Listed:
        """Find a group. Raises ``NotFound``."""
        node = viewer.tree.nodes.get(identity)
        if node is not None:
            return Listed(node.id, node.name)
        group = await self._rows.group(identity)
        if group is None:
            raise NotFound
        return Listed(group.id, group.tag, _own(group, viewer.standing.client_id))

    def written(self, group: Listed, people: Iterable[UUID], *, whole: bool = True) -> dict[str, Any]:
        """Write a group, and its version if this is the ``whole``."""
        members = [{"value": str(each), "$ref": f"Users/{each}", "type": "User"} for each in people]
        told: dict[str, Any] = {
            "schemas": [GROUP],
            "id": str(group.id),
            "displayName": group.name,
            **({} if group.tag is None or group.tag.external_id is None else {"externalId": group.tag.external_id}),
            **({"members": members} if members else {}),
        }
        times = {} if group.times is None else dict(zip(("created", "lastModified"), group.times, strict=True))
        meta = {name: moment.isoformat() for name, moment in times.items()}
        version = {"version": f'W/"{self._gate.version(orjson.dumps(told))}"'} if whole else {}
        return {**told, "meta": {"resourceType": "Group", **meta, **version}}

    async def create(self, viewer: Viewer, name: str, external_id: str | None, members: Sequence[str]) -> UUID:
        """Make a group. Raises ``NotWritable``, ``GroupExists``, ``TooManyMembers``, ``UnknownContact`` and ``NotPermitted``."""
        self._refuse_name(viewer, name)
        now = self._clock.now()
        group = TagGroup(new_id(), viewer.standing.client_id, name, external_id, now, now)
        async with self._database.unit_of_work() as unit:
            await self._refuse_known(viewer, name)
            await self._rows.add_group(unit.session, group)
            await self._retag(viewer, unit, {each: Retag(add=name) for each in _ids(members)})
        return group.id

    async def update(self, viewer: Viewer, seen: SeenGroup, after: GroupSaid) -> None:
        """Write what ``after`` says otherwise than what was ``seen``; who stays under another name carries the other tag.

        Raises as ``create`` does, ``NotFound``, ``GroupOfAnother``, and ``PreconditionFailed`` where the group has changed since in a
        request that says which version it means.
        """
        was, becomes = _ids(seen.members), _ids(after.members)
        async with self._database.unit_of_work() as unit:
            group = await self._held(viewer, unit, seen)
            name = after.name if after.name != seen.group.name else group.tag
            known = None if seen.group.tag is None else seen.group.tag.external_id
            external_id = after.external_id if after.external_id != known else group.external_id
            joined, parted = becomes - was, was - becomes
            wanted = {each: Retag(add=name) for each in joined} | {each: Retag(drop=name) for each in parted}
            if name != group.tag:
                self._refuse_name(viewer, name)
                await self._refuse_known(viewer, name)
                stay = await self._carriers(viewer, group) | joined
                wanted = {each: Retag(add=None if each in parted else name, drop=group.tag) for each in stay}
            written = replace(group, tag=name, external_id=external_id)
            await self._rows.put_group(unit.session, written, at=self._clock.now())
            await self._retag(viewer, unit, wanted)

    async def delete(self, viewer: Viewer, seen: SeenGroup) -> None:
        """End a group: nobody of whom the client may know carries its tag any more. Raises as ``update`` does."""
        async with self._database.unit_of_work() as unit:
            group = await self._held(viewer, unit, seen)
            carriers = await self._carriers(viewer, group)
            await self._retag(viewer, unit, {each: Retag(drop=group.tag) for each in carriers})
            await self._rows.drop_group(unit.session, group.id)

    async def _held(self, viewer: Viewer, unit: UnitOfWork, seen: SeenGroup) -> TagGroup:
        """Lock a group until the transaction ends, so that of two requests the second sees what the first made of it."""
        if seen.group.tag is None:
            raise NotWritable
        group = await self._rows.lock_group(unit.session, seen.group.id)
        if group is None:
            raise NotFound
        if group.client_id != viewer.standing.client_id:
            raise GroupOfAnother
        if group.tag in _kept_back(viewer):
            raise NotWritable
        if seen.is_condition:
            now = self.written(Listed(group.id, group.tag, group), await self._people(viewer, group))
            if now["meta"]["version"] != seen.version:
                raise PreconditionFailed
        return group

    async def _carriers(self, viewer: Viewer, group: TagGroup) -> set[UUID]:
        return set(await self._people(viewer, group))

    async def _people(self, viewer: Viewer, group: TagGroup) -> list[UUID]:
        listed = Listed(group.id, group.tag, group)
        return (await self.members(viewer, [listed])).get(group.id, [])

    async def _retag(self, viewer: Viewer, unit: UnitOfWork, wanted: Mapping[UUID, Retag]) -> None:
        if len(wanted) > MOST_CHANGED:
            raise TooManyMembers
        plan = viewer.plan(PURPOSE)

        def refuse(record: Record, retag: Retag) -> None:
            if record.cohort.kind not in KINDS or self._gate.verdict(plan, record) is None:
                pointer = "/members"
                raise UnknownContact(pointer)
            if FieldClass.C1 not in plan.cohort(record.cohort, record.subject).edits:
                raise NotPermitted
            if len(retag.of(record.cohort.tags)) > max(MOST_TAGS, len(record.cohort.tags)):
                raise TooManyTags

        await self._retagger.retag(unit, author_of(viewer), viewer.tree, wanted, refuse)

    async def _refuse_known(self, viewer: Viewer, name: str) -> None:
        """Raise ``GroupExists`` for a tag of the company's own: one that is offered, or carried by somebody of whom the client may know.

        Nothing else stands in the way of a name, so that no refusal tells what hidden people carry.
        """
        if await self._found.knows_tag(viewer.plan(PURPOSE), name):
            raise GroupExists

    @staticmethod
    def _refuse_name(viewer: Viewer, name: str) -> None:
        plain = name == name.strip() and name.isprintable() and 0 < len(name) <= _LONGEST
        if not plain or name in _kept_back(viewer):
            raise NotWritable


def _kept_back(viewer: Viewer) -> frozenset[str]:
    """Name the tags that decide who sees whom: those that a rule of the policy reads, and that of the key people."""
    return frozenset({KEY_TAG, *(tag for rule in viewer.pack.rules for tag in rule.contact.tags)})


def _own(group: TagGroup, client_id: str) -> TagGroup:
    """Give a group as a client sees it: what another client calls it is not told."""
    return group if group.client_id == client_id else replace(group, external_id=None)


def _ids(members: Sequence[str]) -> set[UUID]:
    try:
        return {UUID(each) for each in members}
    except ValueError:
        pointer = "/members"
        raise UnknownContact(pointer) from None
