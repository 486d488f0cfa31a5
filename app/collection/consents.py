"""Consents: given by the person or put on record by whoever keeps the card, taken back as easily, and told to few.

What is live is said by the contact's row, which its MAC covers and every write of the contact locks: so a write and a withdrawal at the
same time happen one after the other, and the second sees what the first did. When the consent that a field rests on is withdrawn, the
value is erased in that transaction (PIPL 15, 47); what history keeps of it stays sealed and is told to the person alone. Who may not know
of a contact's consents gets the 404 of a contact that is not there.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.collection.errors import ConsentNotAsked, ProofRequired
from app.collection.models import Consent
from app.collection.repository import ConsentEntry, ConsentRows, NoticeRows
from app.collection.schemas import ConsentCreate, ConsentPage, ConsentQuery, WithdrawalCreate
from app.contacts.endings import TAIL_BASIS, TAIL_FIELD
from app.contacts.errors import NotCollected
from app.contacts.fields import CATALOGUE
from app.contacts.forms import CONSENTS, Forms, unpack_consents
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.crypto.sealer import Sealer, SubjectSealer
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.masks import Told
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose, State, Tier
from app.permissions.standing import Viewer, author_of

_PURPOSE: Final = Purpose.WORK_CONTACT
_PROOF: Final = "consent.proof"
KEEPERS: Final = frozenset({"hr", "directory_steward"})
"""Roles that put consents on record and read them with their proof; tier T5 reads them without."""


class ConsentService:
    """Keeps consents for a viewer."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        writer: ContactWriter,
        rows: ConsentRows,
        notices: NoticeRows,
        gate: Gate,
        rights: CurrentRights,
        sealer: Sealer,
        forms: Forms,
        cursors: Cursors,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take contacts and their writer, rows, the gate and the rights of now, sealer, forms, what repeats and pages, and the clock."""
        self._contacts, self._writer, self._rows, self._notices = contacts, writer, rows, notices
        self._gate, self._rights, self._sealer, self._forms = gate, rights, sealer, forms
        self._cursors, self._idempotency, self._clock = cursors, idempotency, clock

    async def give(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, identity: UUID, body: ConsentCreate
    ) -> Answer:
        """Note a consent once per ``key``.

        Raises ``NotFound``, ``NotPermitted``, ``NotCollected``, ``ConsentNotAsked``, ``ProofRequired`` and the refusals of idempotency.
        """
        seek("contact.consent", _PURPOSE, identity)
        notice = await self._notices.current(self._clock.now())
        record, source = await self._subject(viewer, unit, identity, body)
        self._refuse_unasked(record.cohort.kind, body)

        async def work() -> Receipt:
            pairs = [(name, body.basis) for name in dict.fromkeys(body.fields)]
            sealer = await self._writer.consent(unit, author_of(viewer), record, given=pairs)
            fields = [name for name, _ in pairs]
            version = None if notice is None else notice.version
            self._remember(viewer, unit, sealer, body, fields, source=source, notice=version)
            return _receipt(identity, body, fields, live=fields, status=201)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", f"/v1/contacts/{identity}/consents", key),
            body.model_dump(mode="json"),
            allowed=lambda: None,
            work=work,
        )

    async def withdraw(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: WithdrawalCreate) -> Receipt:
        """Take consents back; of those that are not live nothing changes. Raises ``NotFound``, ``NotPermitted`` and ``ProofRequired``."""
        seek("contact.withdraw", _PURPOSE, identity)
        record, source = await self._subject(viewer, unit, identity, body)
        live = unpack_consents(record.consented)
        fields = [name for name in dict.fromkeys(body.fields) if (name, body.basis) in live]
        if fields:
            pairs = [(name, body.basis) for name in fields]
            sealer = await self._writer.consent(unit, author_of(viewer), record, withdrawn=pairs)
            self._remember(viewer, unit, sealer, body, fields, source=source, notice=None)
        return _receipt(identity, body, fields, live=[], status=200)

    async def listed(self, viewer: Viewer, identity: UUID, query: ConsentQuery) -> Disclosed[ConsentPage]:
        """List what was given and withdrawn, newest first. Raises ``NotFound``, ``BadCursor`` and ``LogUnavailable``."""
        seek("contact.consents", _PURPOSE, identity)
        shape = {"consents": str(identity)}
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ConsentPage]:
            record = await self._contacts.by_id(identity, viewer.tree)
            if record is None or not self._may_read(viewer, record):
                raise NotFound
            sealer = self._sealer.existing(identity, record.key)
            entries, after = await self._rows.page(sealer, identity, before=before, limit=query.limit)
            proven = _own(viewer, identity) or not KEEPERS.isdisjoint(viewer.standing.roles)
            boxes = [(_PROOF, each.proof) for each in entries if proven and each.proof is not None]
            look = Look(action="contact.consents", purpose=_PURPOSE)
            proofs, note = await self._gate.open_history(viewer, record, boxes, look)
            told = iter(proofs)
            items = [
                _item(each, _proof(each, next(told) if proven and each.proof else None, proven=proven))
                for each in entries
            ]
            body = {
                "items": items,
                "next": None if after is None else self._cursors.seal(viewer.caller, shape, str(after)),
                "states": self._states(record),
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _subject(
        self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: ConsentCreate | WithdrawalCreate
    ) -> tuple[Record, str]:
        """Give the contact, locked, and who speaks: the person, or somebody who puts it on record.

        Nothing is locked for who may not even read.
        """
        seen = await self._contacts.by_id(identity, viewer.tree)
        if seen is None or not self._may_read(viewer, seen):
            raise NotFound
        loaded = await self._contacts.for_change(unit.session, identity)
        record = None if loaded is None else closed(*loaded, viewer.tree)
        if record is None or not self._may_read(viewer, record):
            raise NotFound
        if _own(viewer, identity):
            return record, "person"
        cohort = viewer.plan(_PURPOSE).cohort(record.cohort, identity)
        classes = {CATALOGUE.classes.get(name, FieldClass.C1) for name in body.fields}
        if KEEPERS.isdisjoint(viewer.standing.roles) or not cohort.edits >= classes | {FieldClass.C1}:
            raise NotPermitted
        if body.proof is None:
            raise ProofRequired
        return record, "recorded"

    def _may_read(self, viewer: Viewer, record: Record) -> bool:
        if self._gate.verdict(viewer.plan(_PURPOSE), record) is None:
            return False
        standing = viewer.standing
        return (
            _own(viewer, record.subject)
            or not KEEPERS.isdisjoint(standing.roles)
            or (standing.kind == "person" and standing.tier is Tier.T5)
        )

    def _refuse_unasked(self, kind: str, body: ConsentCreate) -> None:
        outside = [at for at, name in enumerate(body.fields) if self._forms.basis(kind, name) is None]
        outside += [
            at for at, name in enumerate(body.fields) if at not in outside and not self._forms.collects(kind, name)
        ]
        if outside:
            pointers = [f"/fields/{at}" for at in sorted(outside)]
            raise NotCollected(*pointers)
        if body.basis in CONSENTS:
            other = [at for at, name in enumerate(body.fields) if self._forms.consent(kind, name) != body.basis]
        else:
            other = [at for at, name in enumerate(body.fields) if body.basis == TAIL_BASIS and name != TAIL_FIELD]
        if other:
            pointers = [f"/fields/{at}" for at in other]
            raise ConsentNotAsked(*pointers)

    def _remember(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        sealer: SubjectSealer,
        body: ConsentCreate | WithdrawalCreate,
        fields: Sequence[str],
        *,
        source: str,
        notice: int | None,
    ) -> None:
        author, given = author_of(viewer), isinstance(body, ConsentCreate)
        for name in fields:
            row = Consent(
                contact_id=sealer.subject,
                field=name,
                basis=body.basis,
                event="given" if given else "withdrawn",
                purpose=body.purpose.value if isinstance(body, ConsentCreate) else None,
                source=source,
                proof=None if body.proof is None else sealer.seal(_PROOF, body.proof),
                notice_version=notice,
                forms=self._forms.label,
                at=self._clock.now(),
                actor_type=author.type,
                actor_id=author.id,
                request_id=author.request_id,
            )
            self._rows.add(unit.session, sealer, row)

    def _states(self, record: Record) -> list[dict[str, Any]]:
        live, kind = unpack_consents(record.consented), record.cohort.kind
        missing = {
            (name, basis)
            for name in self._forms.closed(kind, live)
            if (basis := self._forms.consent(kind, name)) is not None and self._forms.collects(kind, name)
        }
        return [
            {"field": name, "basis": basis, "live": (name, basis) in live} for name, basis in sorted(live | missing)
        ]


def _own(viewer: Viewer, identity: UUID) -> bool:
    return viewer.standing.contact_id == identity


def _receipt(
    identity: UUID, body: ConsentCreate | WithdrawalCreate, fields: Sequence[str], *, live: Sequence[str], status: int
) -> Receipt:
    told = {"id": str(identity), "basis": body.basis, "fields": sorted(fields), "live": sorted(live)}
    return Receipt(identity, told, status)


def _proof(entry: ConsentEntry, opened: Told | None, *, proven: bool) -> dict[str, Any]:
    if not proven:
        return {"state": State.WITHHELD.value}
    if opened is None or entry.proof is None:
        return {"state": State.EMPTY.value}
    return {"state": State.SHOWN.value, "value": opened}


def _item(entry: ConsentEntry, proof: dict[str, str]) -> dict[str, Any]:
    return {
        "id": entry.id,
        "field": entry.field,
        "basis": entry.basis,
        "event": entry.event,
        "purpose": entry.purpose,
        "source": entry.source,
        "proof": proof,
        "notice_version": entry.notice_version,
        "forms": entry.forms,
        "at": entry.at,
        "actor": {"type": entry.actor_type, "id": entry.actor_id},
    }
