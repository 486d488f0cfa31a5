"""Proposing packs for a caller: may they, what would a pack change, and what do they get to know.

Over HTTP nothing takes effect here: a version is put in force by an approved request of kind ``policy.change``, whose effect calls the
service (``app.effects.policies``).
"""

import asyncio
from typing import Final
from uuid import UUID

import orjson

from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.permissions.pack import Pack
from app.permissions.standing import Viewer, author_of
from app.policy.errors import BadPolicyPack, UnknownPolicyVersion
from app.policy.reading import read
from app.policy.schemas import SimulationCreate
from app.policy.service import PolicyService
from app.policy.showing import PolicyReader, admit_author, admit_reader
from app.policy.simulations import SIMULATE, Simulations
from app.policy.views import remark_view

VERSIONS: Final = "/v1/policy/versions"
SIMULATIONS: Final = "/v1/policy/simulations"
_MOST_FAULTS: Final = 50


class PolicyKeeper:
    """Takes candidates, and questions about them."""

    def __init__(
        self,
        *,
        service: PolicyService,
        reader: PolicyReader,
        simulations: Simulations,
        idempotency: Idempotency,
    ) -> None:
        """Take what keeps versions, how they are shown and simulated, and what makes a repeat harmless."""
        self._service, self._reader = service, reader
        self._simulations, self._idempotency = simulations, idempotency

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
