"""Groups: departments, which are read alone, and tags that a client made a group of, whose members it may say.

A tag that a rule of the policy reads is nobody's to give by provisioning: it decides who sees whom. Whoever belongs to a group is named in
the record of the look, since who somebody works with is said of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.errors import UnknownContact
from app.contacts.provisioned import KINDS, ProvisionedContacts
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass
from app.permissions.standing import Viewer, author_of
from app.scim.errors import NotWritable
from app.scim.mapping import GROUP
from app.scim.reading import PURPOSE
from app.scim.repository import ScimRepository, TagGroup

MOST_MEMBERS: Final = 20_000
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


class Groups:
    """Reads and writes groups."""

    def __init__(
        self,
        *,
        database: Database,
        rows: ScimRepository,
        contacts: ContactRepository,
        found: ProvisionedContacts,
        writer: ContactWriter,
        gate: Gate,
        rights: CurrentRights,
        clock: Clock,
    ) -> None:
        """Take the store, the groups, the contacts and how they are found and written, the gate, who viewers are now, and the clock."""
        self._database, self._rows, self._contacts, self._found = database, rows, contacts, found
        self._writer, self._gate, self._rights, self._clock = writer, gate, rights, clock

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
        """Give who belongs to each group, of whom the viewer may know."""
        plan = viewer.plan(PURPOSE)
        departments = [each.id for each in groups if each.tag is None]
        tags = {each.name: each.id for each in groups if each.tag is not None}
        found: dict[UUID, list[UUID]] = {}
        if departments:
            found.update(await self._found.in_departments(plan, departments, most=MOST_MEMBERS))
        if tags:
            carried = await self._found.tagged(plan, list(tags), most=MOST_MEMBERS)
            found.update((tags[name], people) for name, people in carried.items())
        return found

    async def shown(
        self, viewer: Viewer, groups: Sequence[Listed], query: Mapping[str, Any], *, members: bool = True
    ) -> list[dict[str, Any]]:
        """Show groups with their members, on record with all of them; raise ``LogUnavailable``."""
        action = "scim.group.list" if "group" not in query else "scim.group.read"
        seek(action, PURPOSE)

        async def attempt(viewer: Viewer) -> list[dict[str, Any]]:
            people = await self.members(viewer, groups) if members else {}
            named = list(dict.fromkeys(each for some in people.values() for each in some))
            look = Look(action=action, purpose=PURPOSE, query=query)
            await self._gate.disclose_plain(viewer, look, count=len(named), contacts=named)
            return [self.written(each, people.get(each.id, ())) for each in groups]

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

    def written(self, group: Listed, people: Iterable[UUID]) -> dict[str, Any]:
        """Write a group, with its version."""
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
        version = f'W/"{self._gate.version(orjson.dumps(told))}"'
        return {**told, "meta": {"resourceType": "Group", **meta, "version": version}}

    async def create(self, viewer: Viewer, name: str, external_id: str | None, members: Sequence[str]) -> UUID:
        """Make a group. Raises ``NotWritable``, ``GroupExists``, ``UnknownContact`` and ``NotPermitted``."""
        self._refuse_name(viewer, name)
        now = self._clock.now()
        group = TagGroup(new_id(), viewer.standing.client_id, name, external_id, now, now)
        async with self._database.unit_of_work() as unit:
            await self._rows.add_group(unit.session, group)
            await self._retag(viewer, unit, _ids(members), add=name)
        return group.id

    async def update(
        self,
        viewer: Viewer,
        group: Listed,
        before: Sequence[str],
        name: str,
        external_id: str | None,
        after: Sequence[str],
    ) -> None:
        """Write what a group is from now on; who stays under another name carries the other tag. Raises as ``create`` does."""
        if group.tag is None:
            raise NotWritable
        was, becomes = _ids(before), _ids(after)
        renamed = name != group.name
        async with self._database.unit_of_work() as unit:
            if renamed:
                self._refuse_name(viewer, name)
            client = viewer.standing.client_id if external_id is not None else group.tag.client_id
            written = replace(group.tag, tag=name, external_id=external_id, client_id=client)
            await self._rows.put_group(unit.session, written, at=self._clock.now())
            if renamed:
                await self._retag(viewer, unit, was, drop=group.name)
                await self._retag(viewer, unit, becomes, add=name)
                return
            await self._retag(viewer, unit, [each for each in was if each not in becomes], drop=name)
            await self._retag(viewer, unit, [each for each in becomes if each not in was], add=name)

    async def delete(self, viewer: Viewer, group: Listed, members: Sequence[str]) -> None:
        """End a group: nobody who may be changed carries its tag any more. Raises ``NotWritable`` and ``NotPermitted``."""
        if group.tag is None:
            raise NotWritable
        async with self._database.unit_of_work() as unit:
            await self._retag(viewer, unit, _ids(members), drop=group.name)
            await self._rows.drop_group(unit.session, group.id)

    async def _retag(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        people: Sequence[UUID],
        *,
        add: str | None = None,
        drop: str | None = None,
    ) -> None:
        plan = viewer.plan(PURPOSE)
        for identity in sorted(people):
            loaded = await self._contacts.for_change(unit.session, identity)
            record = None if loaded is None else closed(*loaded, viewer.tree)
            if record is None or record.cohort.kind not in KINDS or self._gate.verdict(plan, record) is None:
                pointer = "/members"
                raise UnknownContact(pointer)
            if FieldClass.C1 not in plan.cohort(record.cohort, record.subject).edits:
                raise NotPermitted
            kept = [each for each in record.cohort.tags if each not in {add, drop}]
            given = {"tags": kept if add is None else [*kept, add]}
            await self._writer.amend(unit, author_of(viewer), viewer.tree, record, given)

    def _refuse_name(self, viewer: Viewer, name: str) -> None:
        read = {tag for rule in viewer.pack.rules for tag in rule.contact.tags}
        plain = name == name.strip() and name.isprintable() and 0 < len(name) <= _LONGEST
        if not plain or name in read:
            raise NotWritable


def _own(group: TagGroup, client_id: str) -> TagGroup:
    """Give a group as a client sees it: what another client calls it is not told."""
    return group if group.client_id == client_id else replace(group, external_id=None)


def _ids(members: Sequence[str]) -> list[UUID]:
    try:
        return list(dict.fromkeys(UUID(each) for each in members))
    except ValueError:
        pointer = "/members"
        raise UnknownContact(pointer) from None
