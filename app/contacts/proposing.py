"""What a request proposes for a card, shown to those whom the request concerns, each value as their card of that contact would show it.

A request itself says only that a value is proposed. Whoever is to confirm it looks at it here, through the gate and on record: the person
sees it clear, HR as HR sees such a value, a colleague who proposed it no more than of any other. What the card says now is not told. Where
policy lets somebody reveal such a field of this person with purpose and reason, they reveal what is proposed for it in the same way, as
long as it is not decided.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol
from uuid import UUID

import orjson

from app.approvals.course import OPEN
from app.approvals.errors import NotOpen
from app.approvals.request import Request
from app.approvals.values import Proposed
from app.auth.repository import Source
from app.contacts.fields import CATALOGUE
from app.contacts.proposal_schemas import ProposalView
from app.contacts.proposals import box_of
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.schemas import RevealRequest, RevealView
from app.contacts.service import DISPLAY_SECONDS
from app.crypto.envelope import Box, cut
from app.crypto.sealer import Sealer
from app.disclosure.errors import UnknownField
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.errors import FieldError, NotFound
from app.permissions.outcomes import STATE_OF, Outcome, Purpose, State
from app.permissions.plan import Cohort, Plan
from app.permissions.standing import Viewer

_ACTION = "request.proposal"
_REVEAL = "request.reveal"
_PURPOSE = Purpose.WORK_CONTACT


class Requests(Protocol):
    """Where requests and what they propose are read."""

    async def one(self, source: Source, identity: UUID) -> Request | None:
        """Give a request."""
        ...

    async def proposed(self, source: Source, request: UUID) -> dict[str, Proposed]:
        """Give what it proposes, by field."""
        ...


class Sight(Protocol):
    """Whether somebody may know of a request."""

    async def sees(self, source: Source, viewer: Viewer, request: Request) -> bool:
        """Tell whether they have to do with it, or oversee."""
        ...


class ProposalReader:
    """Shows proposals."""

    def __init__(
        self,
        *,
        requests: Requests,
        sight: Sight,
        contacts: ContactRepository,
        sealer: Sealer,
        gate: Gate,
        rights: CurrentRights,
        reader: Reader,
    ) -> None:
        """Take where requests are read and who may see them, the contacts, the sealer that checks boxes, the gate, rights and the store."""
        self._requests, self._sight, self._contacts, self._sealer = requests, sight, contacts, sealer
        self._gate, self._rights, self._reader = gate, rights, reader

    async def read(self, viewer: Viewer, identity: UUID) -> Disclosed[ProposalView]:
        """Show what a request proposes. Raises ``NotFound``, ``ProposalUnreadable`` and ``LogUnavailable``."""
        seek(_ACTION, _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ProposalView]:
            plan = viewer.plan(_PURPOSE)
            request, record, cohort = await self._about(viewer, identity, plan)
            proposed = await self._requests.proposed(self._reader, identity)
            untold = self._gate.untold(plan, record)
            shown: Mapping[str, Outcome] = {
                name: Outcome.HIDDEN if name in untold else cohort.shown(name, CATALOGUE.classes[name])
                for name in sorted(proposed)
            }
            sealer = self._sealer.existing(record.subject, record.key)
            opened = [name for name, outcome in shown.items() if outcome is not Outcome.HIDDEN]
            boxes = [(name, box_of(sealer, name, proposed[name]).envelope) for name in opened]
            values, note = await self._gate.open_history(viewer, record, boxes, Look(action=_ACTION, purpose=_PURPOSE))
            told = dict(zip(opened, values, strict=True))
            fields = {
                name: {"state": STATE_OF[outcome].value, "value": told[name]}
                if name in told
                else {"state": State.WITHHELD.value}
                for name, outcome in shown.items()
            }
            body = {
                "request": request.id,
                "contact": record.subject,
                "fields": fields,
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body))

        return await self._rights.of(viewer, attempt)

    async def reveal(self, viewer: Viewer, identity: UUID, wanted: RevealRequest) -> Disclosed[RevealView]:
        """Show proposed values as far as a reveal of these fields goes, for a purpose and a reason; one look, no further state.

        Raises ``NotFound``, ``NotOpen`` once it is decided, ``UnknownField`` for a field of which nothing is proposed,
        ``ProposalUnreadable``, and as ``Gate.reveal`` does.
        """
        seek(_REVEAL, wanted.purpose, fields=CATALOGUE.named(wanted.fields))

        async def attempt(viewer: Viewer) -> Disclosed[RevealView]:
            request, record, _ = await self._about(viewer, identity, viewer.plan(wanted.purpose))
            proposed = await self._requests.proposed(self._reader, identity)
            if request.state not in OPEN:
                raise NotOpen
            if not proposed.keys() >= set(wanted.fields):
                raise UnknownField(
                    errors=[FieldError("/fields", UnknownField.code, UnknownField.title, UnknownField.title_zh)]
                )
            sealer = self._sealer.existing(record.subject, record.key)
            boxes: list[Box | None] = [None] * len(record.boxes)
            for name in wanted.fields:
                boxes[CATALOGUE.place[name]] = cut(name, box_of(sealer, name, proposed[name]).envelope)
            look = Look(
                action=_REVEAL,
                purpose=wanted.purpose,
                query={"request": str(identity)},
                reason=sealer.seal("audit.reason", wanted.reason).envelope,
                fields=wanted.fields,
                case=wanted.case,
            )
            fields, note = await self._gate.reveal(viewer, replace(record, boxes=tuple(boxes)), wanted.fields, look)
            return Disclosed(b'{"fields":%b,"display_seconds":%d,"disclosure":%b}' % (fields, DISPLAY_SECONDS, note))

        return await self._rights.of(viewer, attempt)

    async def _about(self, viewer: Viewer, identity: UUID, plan: Plan) -> tuple[Request, Record, Cohort]:
        """Give a request that concerns the viewer, and the contact that it is about; raise ``NotFound`` for all others alike."""
        request = await self._requests.one(self._reader, identity)
        if request is None or not request.about or not await self._sight.sees(self._reader, viewer, request):
            raise NotFound
        record = await self._contacts.by_id(request.about[0], viewer.tree)
        cohort = None if record is None else self._gate.verdict(plan, record)
        if record is None or cohort is None:
            raise NotFound
        return request, record, cohort
