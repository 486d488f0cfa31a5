"""Proposing and activating packs for a caller: may they, what do they get to know, and by which approved request.

Over HTTP nothing takes effect without an approved request of kind ``policy.change``; a request names the very content that it approves, so
another pack under the same number, or a simulation of something else, is not what was approved.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import orjson

from app.auth.repository import Source
from app.disclosure.errors import ApprovalRequired
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.permissions.pack import Pack
from app.permissions.standing import Viewer, author_of
from app.policy.errors import BadPolicyPack, UnknownPolicyVersion
from app.policy.reading import read
from app.policy.schemas import ActivationCreate, SimulationCreate
from app.policy.service import Grounds, PolicyService
from app.policy.showing import PolicyReader, admit_author, admit_reader
from app.policy.simulations import SIMULATE, Simulations
from app.policy.views import remark_view

VERSIONS: Final = "/v1/policy/versions"
ACTIVATIONS: Final = "/v1/policy/activations"
SIMULATIONS: Final = "/v1/policy/simulations"
REQUEST_KIND: Final = "policy.change"
_MOST_FAULTS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What an approved request stands for: the content by its digest, and the simulation that the approvers saw."""

    request_id: UUID
    digest: str
    simulation_id: UUID


class ApprovedRequests(Protocol):
    """Where approved requests are looked up; the approvals of Part 4 answer it."""

    async def policy_change(self, source: Source, request_id: UUID) -> Approved | None:
        """Give what the request stands for while it is approved and not used; ``None`` for every other request, and for none."""
        ...


class NothingApproved:
    """Before there are requests: nobody has approved anything, and only the installer's command activates."""

    async def policy_change(self, source: Source, request_id: UUID) -> Approved | None:
        """Know of no request."""
        del source, request_id
        return None


class PolicyKeeper:
    """Takes candidates and activates versions."""

    def __init__(
        self,
        *,
        service: PolicyService,
        reader: PolicyReader,
        simulations: Simulations,
        approved: ApprovedRequests,
        idempotency: Idempotency,
    ) -> None:
        """Take what keeps versions, how they are shown and simulated, where approved requests are, and what makes a repeat harmless."""
        self._simulations = simulations
        self._service, self._reader, self._approved, self._idempotency = service, reader, approved, idempotency

    async def propose(self, viewer: Viewer, unit: UnitOfWork, text: str) -> Receipt:
        """Store a pack as a candidate; the same content is stored once.

        Raises ``NotPermitted``, ``BadPolicyPack`` and ``PolicyVersionTaken``.
        """
        _acts("policy.upload")
        admit_author(viewer)
        pack = await _pack_of(text)
        version, new = await self._service.store(unit, author_of(viewer), pack, text)
        body = {
            "id": str(version.id),
            "label": version.label,
            "digest": version.digest,
            "state": "candidate" if new else await self._reader.state(version),
            "tests": len(pack.tests),
            "remarks": [remark_view(each) for each in self._reader.remarks(version)],
        }
        return Receipt(version.id, body, 201 if new else 200)

    async def simulate(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: SimulationCreate) -> Answer:
        """Ask once per ``key`` what a candidate would change. Raises ``NotPermitted``, ``UnknownPolicyVersion``, ``BadPolicyPack``."""
        _acts(SIMULATE)

        async def work() -> Receipt:
            if isinstance(body.candidate, UUID):
                version = await self._service.versions.by_id(unit.session, body.candidate)
                if version is None:
                    raise UnknownPolicyVersion("/candidate")
                pack = version.pack()
            else:
                pack = await _pack_of(orjson.dumps(body.candidate).decode(), "/candidate")
            asked = await self._simulations.ask(viewer, unit, pack, body.sample)
            told = {"job_id": str(asked.job_id), "base": asked.base_digest, "candidate": asked.candidate_digest}
            return Receipt(asked.id, {"id": str(asked.id), **told}, 202)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", SIMULATIONS, key),
            body.model_dump(mode="json"),
            allowed=lambda: admit_reader(viewer),
            work=work,
        )

    async def activate(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: ActivationCreate) -> Answer:
        """Put a version in force once per ``key``, on an approved request for exactly it.

        Raises ``NotPermitted``, ``ApprovalRequired``, ``UnknownPolicyVersion``, ``PolicyInForce`` and ``PolicyTestsFailed``.
        """
        _acts("policy.activate")

        async def work() -> Receipt:
            approved = None
            if body.request_id is not None:
                approved = await self._approved.policy_change(unit.session, body.request_id)
            if approved is None:
                raise ApprovalRequired(request_kind=REQUEST_KIND)
            version = await self._service.versions.by_id(unit.session, body.version)
            if version is None:
                raise UnknownPolicyVersion
            if approved.digest != version.digest or body.simulation_id not in {None, approved.simulation_id}:
                raise ApprovalRequired(request_kind=REQUEST_KIND)
            grounds = Grounds(reason=body.reason, request_id=approved.request_id, simulation_id=approved.simulation_id)
            activation = await self._service.activate(unit, author_of(viewer), version, grounds)
            told = {
                "id": str(activation.id),
                "version": str(version.id),
                "kind": activation.kind,
                "at": activation.at.isoformat().replace("+00:00", "Z"),
            }
            return Receipt(activation.id, told)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", ACTIVATIONS, key),
            body.model_dump(mode="json"),
            allowed=lambda: admit_author(viewer),
            work=work,
        )


async def _pack_of(text: str, place: str = "") -> Pack:
    """Read a pack; raise ``BadPolicyPack`` with every fault, which stands below ``place``."""
    reading = await asyncio.to_thread(read, text)
    if reading.pack is None:
        raise BadPolicyPack(
            errors=[
                FieldError(
                    place + each.pointer,
                    each.code,
                    each.en if place else f"Line {each.line}: {each.en}",
                    each.zh if place else f"第 {each.line} 行：{each.zh}",
                )
                for each in reading.faults[:_MOST_FAULTS]
            ]
        )
    return reading.pack


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
