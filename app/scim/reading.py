"""Users as a provisioning client reads them: through the gate, for the purpose ``system_sync``, with a reason on record.

A look opens of each contact the protected fields that a user carries and that policy reveals clear for this purpose, and no other. What it
leads to is JSON, so that who turns it into resources, and with it the library, comes in only where requests are served.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.contacts.fields import CATALOGUE
from app.contacts.headcount import IN_SERVICE
from app.contacts.provisioned import KINDS, ProvisionedContacts
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.crypto.datakey import WrappedDataKey
from app.crypto.sealer import Sealer
from app.crypto.stored import KEY_OF
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.kit.query import Query
from app.lookups.service import REASONS
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import Plan
from app.permissions.standing import Viewer
from app.scim.mapping import FIELDS, user_of
from app.scim.repository import Link, ScimRepository

PURPOSE: Final = Purpose.SYSTEM_SYNC
_REASON: Final = "SCIM: a provisioning client compares and keeps the people whom it synchronises"
_CLASSES: Final = {name: CATALOGUE.by_name[name].field_class for name in FIELDS}
_KEY: Final = Query(KEY_OF, by_key=True)

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class SeenUser:
    """A user as it was told, with the closed row and the link that it was made of; ``version`` is that of the whole."""

    record: Record
    link: Link | None
    user: Mapping[str, Any]
    version: str


class UserReader:
    """Reads users."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        found: ProvisionedContacts,
        rows: ScimRepository,
        gate: Gate,
        rights: CurrentRights,
        sealer: Sealer,
        reader: Reader,
    ) -> None:
        """Take the contacts and how they are found, the links, the gate, who viewers are now, the key of reasons, and where to read."""
        self._contacts, self.found, self._rows = contacts, found, rows
        self._gate, self._rights, self._sealer, self._reader = gate, rights, sealer, reader

    async def one(self, viewer: Viewer, identity: UUID) -> SeenUser:
        """Show one user. Raises ``NotFound`` alike for nobody and for whom policy hides, ``LogUnavailable`` and ``QuotaSpent``."""
        seek("scim.read", PURPOSE, identity)
        look = Look(action="scim.read", purpose=PURPOSE, reason=await self._reason())

        async def attempt(viewer: Viewer) -> SeenUser:
            record = await self._contacts.by_id(identity, viewer.tree)
            plan = viewer.plan(PURPOSE)
            if record is None or record.cohort.kind not in KINDS or self._gate.verdict(plan, record) is None:
                raise NotFound
            return (await self._shown(viewer, plan, [record], look))[0]

        return await self._rights.of(viewer, attempt)

    async def knows(self, viewer: Viewer, named: str) -> bool:
        """Tell whether there is a contact of this id or employee number of whom the viewer may know; nobody is shown."""
        try:
            identities = [UUID(named)]
        except ValueError:
            identities = await self.found.by_employee_no(named) if named.isprintable() else []
        plan = viewer.plan(PURPOSE)
        records = [await self._contacts.by_id(each, viewer.tree) for each in identities]
        return any(each is not None and self._gate.verdict(plan, each) is not None for each in records)

    async def in_service(self, viewer: Viewer, identities: Collection[UUID]) -> set[UUID]:
        """Tell which of these have not left, among those of whom the viewer may know; nobody is shown."""
        plan, records = viewer.plan(PURPOSE), await self._contacts.by_ids(sorted(identities), viewer.tree)
        known = (each for each in records.values() if each.cohort.kind in KINDS and each.cohort.status in IN_SERVICE)
        return {each.subject for each in known if self._gate.verdict(plan, each) is not None}

    async def several(
        self, viewer: Viewer, identities: Sequence[UUID], query: Mapping[str, Any], *, plain: bool = False
    ) -> list[SeenUser]:
        """Show users, in their order; whom policy hides is left out. A look at nobody is a look, and on record.

        ``plain``: nothing protected is asked for, so nothing is opened; such users have no version.
        """
        seek("scim.list", PURPOSE)
        look = Look(action="scim.list", purpose=PURPOSE, query=query, reason=await self._reason())

        async def attempt(viewer: Viewer) -> list[SeenUser]:
            plan = viewer.plan(PURPOSE)
            records = await self._believed(viewer, plan, identities)
            return await self._shown(viewer, plan, records, look, plain=plain)

        return await self._rights.of(viewer, attempt)

    async def closed(self, viewer: Viewer, identities: Sequence[UUID]) -> list[dict[str, Any]]:
        """Give users by what stands plain, unopened and unrecorded: to choose among them whom to show, and for nothing else."""
        records = await self._believed(viewer, viewer.plan(PURPOSE), identities)
        links = await self._rows.of(viewer.standing.client_id, [each.subject for each in records])
        times = await self.found.times([each.subject for each in records])
        return [
            {**_user(orjson.loads(each.head + b"}"), each, links.get(each.subject)), "meta": _meta(times[each.subject])}
            for each in records
            if each.subject in times
        ]

    async def _believed(self, viewer: Viewer, plan: Plan, identities: Sequence[UUID]) -> list[Record]:
        records = await self._contacts.by_ids(identities, viewer.tree)
        found = []
        for identity in identities:
            record = records.get(identity)
            if record is None or record.cohort.kind not in KINDS:
                continue
            if self._gate.verdict(plan, record) is None:
                _log.error("row_not_disclosed", subject=str(identity), action="scim.list")
                continue
            found.append(record)
        return found

    async def _shown(
        self, viewer: Viewer, plan: Plan, records: Sequence[Record], look: Look, *, plain: bool = False
    ) -> list[SeenUser]:
        links = await self._rows.of(viewer.standing.client_id, [each.subject for each in records])
        times = await self.found.times([each.subject for each in records])
        fields = [(each, [] if plain else self._revealed(plan, each)) for each in records]
        opened = await self._gate.provide(viewer, fields, look)
        found = []
        for record, (_, card, _) in zip(records, opened.cards, strict=True):
            link = links.get(record.subject)
            user = _user(orjson.loads(card), record, link)
            version = "" if plain else f'W/"{self._gate.version(orjson.dumps(user))}"'
            versioned = {} if plain else {"version": version}
            meta = {**_meta(times[record.subject]), **versioned} if record.subject in times else {}
            found.append(SeenUser(record, link, {**user, "meta": meta}, version))
        return found

    def _revealed(self, plan: Plan, record: Record) -> list[str]:
        cohort = plan.cohort(record.cohort, record.subject)
        return [name for name in FIELDS if cohort.revealed(name, _CLASSES[name]) is Outcome.CLEAR]

    async def _reason(self) -> bytes:
        """Seal why: the same for every look, since a client cannot say it with each."""
        rows = await _KEY.rows(self._reader, subject=REASONS)
        key = WrappedDataKey(*rows[0])
        return self._sealer.existing(REASONS, key).seal("audit.reason", _REASON).envelope


def _user(card: Mapping[str, Any], record: Record, link: Link | None) -> dict[str, Any]:
    return user_of(
        card,
        secrecy=record.cohort.secrecy,
        external_id=None if link is None else link.external_id,
        unsaid=() if link is None else link.unsaid,
    )


def _meta(times: Sequence[Any]) -> dict[str, Any]:
    made, changed = times
    return {"resourceType": "User", "created": made.isoformat(), "lastModified": changed.isoformat()}
