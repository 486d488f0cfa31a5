"""What a request proposes for a card, shown to those whom the request concerns, each value as their card of that contact would show it.

A request itself says only that a value is proposed. Whoever is to confirm it looks at it here, through the gate and on record: the person
sees it clear, HR as HR sees such a value, a colleague who proposed it no more than of any other. What the card says now is not told.
"""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

import orjson

from app.approvals.request import Request
from app.approvals.values import Proposed
from app.auth.repository import Source
from app.contacts.fields import CATALOGUE
from app.contacts.proposal_schemas import ProposalView
from app.contacts.proposals import box_of
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.crypto.sealer import Sealer
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.permissions.outcomes import STATE_OF, Outcome, Purpose, State
from app.permissions.standing import Viewer

_ACTION = "request.proposal"
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
            request = await self._requests.one(self._reader, identity)
            if request is None or not request.about or not await self._sight.sees(self._reader, viewer, request):
                raise NotFound
            record = await self._contacts.by_id(request.about[0], viewer.tree)
            plan = viewer.plan(_PURPOSE)
            cohort = None if record is None else self._gate.verdict(plan, record)
            if record is None or cohort is None:
                raise NotFound
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
