"""The one package of a provision: decided by the policy of now, on record before anything is opened, sealed, and kept nowhere.

Whoever answers for the provision asks for it. What they are given is not what they may see: it is what each person consented to, under the
caps of today, which consent lifts where they give way to it and nowhere else. The look is on record first; then, in one transaction with
the provision locked, that the package was made. Of two calls at once one is refused, and what it had opened leaves nobody's memory.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.db import Database
from app.kit.errors import FieldError, NotFound
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.exceptions import GrantScope, LiveGrant
from app.permissions.outcomes import Outcome, Purpose, State
from app.permissions.standing import Viewer, author_of
from app.provisions import rules
from app.provisions.errors import (
    NothingReachable,
    PackageTaken,
    ProvisionEnded,
    ProvisionMoved,
    RecipientKeyUnfit,
    ReturnOverdue,
)
from app.provisions.repository import ProvisionRepository
from app.provisions.rules import Package, Part, Provision, ProvisionState
from app.provisions.schemas import PackageCreate, PackageMade
from app.provisions.sealing import PASSPHRASE, Sealed, fingerprint, read_public, seal_package
from app.provisions.telling import OVERSEERS, ProvisionTeller, recorded

PURPOSE: Final = Purpose.WORK_CONTACT
SHOWN: Final = State.SHOWN.value
Items = Sequence[tuple[Record, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A package that is sealed and not yet on record."""

    id: UUID
    at: datetime
    event_id: UUID
    watermark: str
    people: tuple[UUID, ...]
    sealed: Sealed
    note: bytes


class PackageMaker:
    """Makes packages."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: ProvisionRepository,
        contacts: ContactRepository,
        database: Database,
        teller: ProvisionTeller,
    ) -> None:
        """Take what every look shares, the rows, the contacts, the store, and who tells others."""
        self._rows, self._contacts, self._database, self._teller = rows, contacts, database, teller
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._rights = CurrentRights(showing.standings)

    async def make(self, viewer: Viewer, identity: UUID, body: PackageCreate) -> Disclosed[PackageMade]:
        """Make the package and give it, once.

        Raises ``NotFound`` to who has nothing to do with the provision, ``NotPermitted`` to who does not answer for it, ``ReturnOverdue``,
        ``RecipientKeyUnfit``, ``PackageTaken``, ``ProvisionEnded``, ``NothingReachable``, ``ProvisionMoved``, ``QuotaSpent``,
        ``LogUnavailable`` and ``EpochMoved``.
        """
        seek("provision.package", PURPOSE)
        key = None if body.recipient_key is None else _key(body.recipient_key)

        async def attempt(viewer: Viewer) -> Disclosed[PackageMade]:
            provision = await self._theirs(viewer, identity)
            _refuse(provision, self._clock.now())
            items, wider = await self._reachable(viewer, provision)
            if not items:
                raise NothingReachable
            made = await self._sealed(wider, provision, items, key)
            await self._kept(viewer, provision, items, made)
            return _told(provision, made)

        return await self._rights.of(viewer, attempt)

    async def _theirs(self, viewer: Viewer, identity: UUID) -> Provision:
        me = own_contact(viewer)
        provision = await self._rows.one(self._reader, identity)
        if provision is None or me not in {provision.responsible_id, provision.requester_id}:
            raise NotFound
        if me != provision.responsible_id:
            raise NotPermitted
        if viewer.standing.marks:
            raise ReturnOverdue
        return provision

    async def _reachable(self, viewer: Viewer, provision: Provision) -> tuple[Items, Viewer]:
        """Give who can be provided now, with which fields, and the viewer who sees exactly that with the consent of each."""
        of = (await self._rows.consenters(self._reader, [provision.id]))[provision.id]
        people = [each.contact_id for each in of if each.withdrawn_at is None]
        now, classes = self._clock.now(), {name: CATALOGUE.classes[name] for name in provision.fields}
        for each in people:
            viewer = viewer.with_exception(
                LiveGrant(
                    id=provision.id,
                    scope=GrantScope("contact", str(each)),
                    fields=classes,
                    outcome=Outcome.CLEAR,
                    purpose=PURPOSE,
                    starts_at=now,
                    ends_at=provision.ends_at,
                    lifts=True,
                )
            )
        plan, items = viewer.plan(PURPOSE), list[tuple[Record, Sequence[str]]]()
        records = await self._contacts.by_ids(people, viewer.tree)
        for record in (records[each] for each in people if each in records):
            cohort = self._gate.verdict(plan, record)
            carried = {each.name for each in CATALOGUE.of_kind(record.cohort.kind)}
            clear = [
                name
                for name, each in classes.items()
                if cohort is not None and name in carried and cohort.shown(name, each) is Outcome.CLEAR
            ]
            if clear:
                items.append((record, clear))
        return items, viewer

    async def _sealed(self, viewer: Viewer, provision: Provision, items: Items, key: bytes | None) -> Made:
        package, to = new_id(), PASSPHRASE if key is None else fingerprint(key)
        about = {"provision": str(provision.id), "package": str(package), "to": to}
        opened = await self._gate.provide(viewer, items, Look(action="provision.package", purpose=PURPOSE, query=about))
        now, terms = self._clock.now(), self._rows.open(provision.id, provision.terms)
        watermark = f"{terms['recipient']['name']} · {provision.contract} · {now.date().isoformat()} · {package}"
        content = {
            "watermark": watermark,
            "package": str(package),
            "provision": str(provision.id),
            "made_at": now.isoformat(),
            "recipient": terms["recipient"],
            "contract": provision.contract,
            "purpose": terms["purpose"],
            "method": terms["method"],
            "until": provision.ends_at.isoformat(),
            "crosses": list(provision.crosses),
            "fields": list(provision.fields),
            "people": [
                _person(orjson.loads(card), names) for (_, names), (_, card, _) in zip(items, opened.cards, strict=True)
            ],
            "left_out": provision.asked - len(items),
        }
        return Made(
            id=package,
            at=now,
            event_id=opened.event_id or package,
            watermark=watermark,
            people=tuple(record.subject for record, _ in items),
            sealed=seal_package(content, package=package, provision=provision.id, at=now, public_key=key),
            note=opened.note,
        )

    async def _kept(self, viewer: Viewer, seen: Provision, items: Items, made: Made) -> None:
        """Write that the package was made, if nothing speaks against it now; the bytes leave after the commit."""
        async with self._database.unit_of_work() as unit:
            provision = await self._rows.held(unit.session, seen.id)
            if provision is None:
                raise ProvisionEnded
            _refuse(provision, self._clock.now())
            of = (await self._rows.consenters(unit.session, [seen.id]))[seen.id]
            if not {each.contact_id for each in of if each.withdrawn_at is None} >= set(made.people):
                raise ProvisionMoved
            package = Package(
                id=made.id,
                provision_id=seen.id,
                made_by=own_contact(viewer),
                made_at=made.at,
                event_id=made.event_id,
                sealed_to=made.sealed.to,
                people=len(items),
                left_out=provision.asked - len(items),
                digest=made.sealed.digest,
            )
            parts = [Part(package_id=made.id, contact_id=each.subject, fields=tuple(names)) for each, names in items]
            await self._rows.add_package(unit.session, package, parts)
            after = await self._rows.save(unit.session, rules.packaged(provision, made.id, made.at))
            await recorded(
                unit,
                author_of(viewer),
                "provide",
                after,
                made.at,
                contacts=made.people,
                fields=after.fields,
                package=str(made.id),
                to=made.sealed.to,
                digest=made.sealed.digest.hex(),
                left_out=package.left_out,
            )
            people = [after.responsible_id, after.requester_id]
            await self._teller.told(unit, "fetched", after, made.at, people=people, roles=OVERSEERS, package=made.id)


def _refuse(provision: Provision, now: datetime) -> None:
    if provision.package_id is not None:
        raise PackageTaken
    if provision.state is not ProvisionState.OPEN or not provision.gives(now):
        raise ProvisionEnded


def _key(text: str) -> bytes:
    try:
        return read_public(text)
    except ValueError:
        fault = FieldError(
            "/recipient_key", RecipientKeyUnfit.code, RecipientKeyUnfit.title, RecipientKeyUnfit.title_zh
        )
        raise RecipientKeyUnfit(errors=[fault]) from None


def _person(card: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Write what is provided of somebody; a field without a value is not there."""
    shown = {name: card[name] for name in names}
    return {
        "name": card.get("name"),
        "fields": {name: each["value"] for name, each in shown.items() if each["state"] == SHOWN},
    }


def _told(provision: Provision, made: Made) -> Disclosed[PackageMade]:
    body = {
        "id": made.id,
        "provision": provision.id,
        "watermark": made.watermark,
        "people": len(made.people),
        "left_out": provision.asked - len(made.people),
        "sealed_to": made.sealed.to,
        "passphrase": made.sealed.passphrase,
        "digest": made.sealed.digest.hex(),
        "content": b64encode(made.sealed.parcel).decode(),
        "disclosure": orjson.Fragment(made.note),
    }
    return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z), status_code=201)
