"""Approvals as the composition root sees them: what routes call, and what the worker's clock calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.approvals.advancing import Advancing, Calendar, Check, Rules, Teller
from app.approvals.attaching import Attaching
from app.approvals.chains import Chains
from app.approvals.deciding import Deciding, StandIns, version_of
from app.approvals.decision_repository import DecisionRepository
from app.approvals.effects import Effect
from app.approvals.ending import Ending, Oversees, RequestClock
from app.approvals.filing import Acquainted, Boxes, Files, Filing
from app.approvals.parting import PartingRequests
from app.approvals.reading import RequestReader, RequestSight
from app.approvals.replacing import Replacing
from app.approvals.repository import RequestRepository
from app.approvals.request import Request
from app.approvals.resolving import Absences, Organisation, Persons, Resolving, Rosters
from app.approvals.schemas import DecisionBatch, DecisionCreate, RequestCreate
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.disclosure.showing import Showing
from app.kit.context import current_request
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Problem
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.permissions.standing import Viewer

REQUESTS: Final = "/v1/requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The three keys of approvals, from the keyring."""

    rows: bytes
    box: bytes
    digests: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What approvals ask of the rest: positions, persons, stand-ins, rosters, whom viewers know, sealing, files, days, telling."""

    organisation: Organisation
    persons: Persons
    stand_ins: StandIns
    absences: Absences
    rosters: Rosters
    people: Acquainted
    boxes: Boxes
    files: Files
    calendar: Calendar
    teller: Teller
    oversees: Oversees


class ApprovalDesk:
    """Takes, shows, decides and ends requests."""

    def __init__(
        self,
        showing: Showing,
        *,
        chains: Chains,
        effects: Mapping[str, Effect],
        checks: Mapping[str, Check],
        company: Company,
        keys: Keys,
        database: Database,
        idempotency: Idempotency,
    ) -> None:
        """Take the gate and the clock, the kinds and what they do, what is asked of the rest, keys, stores, and what repeats are told."""
        self._idempotency = idempotency
        clock, box, signer = showing.clock, SecretBox(keys.box), RowSigner(keys.rows)
        rules = Rules(chains=_complete(chains, effects, checks), effects=effects, checks=checks)
        requests, decisions = RequestRepository(signer, box, keys.digests), DecisionRepository(signer, box)
        sight = RequestSight(requests=requests, stand_ins=company.stand_ins, oversees=company.oversees, clock=clock)
        advancing = Advancing(
            rules=rules,
            requests=requests,
            decisions=decisions,
            resolving=Resolving(company.organisation, company.persons, company.absences, company.rosters, clock),
            calendar=company.calendar,
            teller=company.teller,
            clock=clock,
        )
        self.requests, self.sight = requests, sight
        self.attaching = Attaching(advancing=advancing, sight=sight, clock=clock)
        self.filing = Filing(
            advancing=advancing, people=company.people, boxes=company.boxes, files=company.files, clock=clock
        )
        self.deciding = Deciding(
            advancing=advancing, sight=sight, people=company.people, stand_ins=company.stand_ins, clock=clock
        )
        self.ending = Ending(advancing=advancing, sight=sight, oversees=company.oversees, clock=clock)
        self.clock = RequestClock(advancing=advancing, database=database, clock=clock)
        replacing = Replacing(advancing=advancing, database=database, clock=clock)
        self.parting = PartingRequests(advancing=advancing, replacing=replacing, clock=clock)
        self.reader = RequestReader(
            rules=rules,
            requests=requests,
            decisions=decisions,
            sight=sight,
            people=company.people,
            filing=self.filing,
            showing=showing,
        )

    async def file(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: RequestCreate) -> Answer:
        """File a request once per ``key``."""

        async def work() -> Receipt:
            return receipt(await self.filing.file(viewer, unit, body), viewer, 201)

        call = Call(viewer.caller, "POST", REQUESTS, key)
        return await self._idempotency.run(
            unit, call, key and body.model_dump(mode="json"), allowed=lambda: None, work=work
        )

    async def decide_all(self, viewer: Viewer, unit: UnitOfWork, body: DecisionBatch) -> dict[str, object]:
        """Take many decisions, each on its own: one that is refused keeps none of the others out; by id, so that nobody waits in a ring."""
        outcomes: dict[int, dict[str, object]] = {}
        await self.deciding.hold(unit, [each.request for each in body.items])
        for at in sorted(range(len(body.items)), key=lambda at: body.items[at].request.bytes):
            item = body.items[at]
            single = DecisionCreate.model_validate(item.model_dump(exclude={"request"}))
            try:
                async with unit.session.begin_nested():
                    after = await self.deciding.decide(viewer, unit, item.request, single)
            except Problem as problem:
                outcomes[at] = _refusal(item.request, problem)
            else:
                outcomes[at] = {"request": str(item.request), "state": after.state.value, "problem": None}
        return {"items": [outcomes[at] for at in range(len(body.items))]}


def _complete(chains: Chains, effects: Mapping[str, Effect], checks: Mapping[str, Check]) -> Chains:
    """Refuse a file of kinds that calls for something that nothing here does, before anybody files by it."""
    for kind in chains.kinds:
        wanted = {step.check for each in kind.variants for step in each.steps if step.check is not None}
        if kind.enabled and (kind.effect not in effects or not wanted <= checks.keys()):
            message = f"{kind.kind}: nothing here does {kind.effect}, or checks {sorted(wanted - checks.keys())}"
            raise ValueError(message)
    return chains


def receipt(request: Request, viewer: Viewer, status: int = 200) -> Receipt:
    """Say what a write of ``viewer`` on a request answers."""
    stage = request.course.at
    body = {
        "id": str(request.id),
        "kind": request.kind,
        "state": request.state.value,
        "version": version_of(request, viewer.standing.contact_id),
        "step": None if stage is None else stage.id,
    }
    return Receipt(request.id, body, status)


def _refusal(request: UUID, problem: Problem) -> dict[str, object]:
    context = current_request()
    chinese = context is not None and context.language == "zh"
    told = {"code": problem.code, "detail": problem.detail_zh if chinese else problem.detail}
    return {"request": str(request), "state": None, "problem": told}
