"""All queries on simulations, and the MAC that binds a result to the two packs that it is about. Nothing here commits."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.models import Id
from app.permissions.errors import PolicyUnreadable
from app.permissions.pack import Pack
from app.policy.models import PolicySimulation

_TABLE: Final = PolicySimulation.__tablename__
_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One question and, once there is one, its answer: JSON of counts."""

    id: UUID
    base_digest: str
    candidate_digest: str
    candidate: str
    sample: int
    job_id: UUID | None
    author_type: str
    author_id: str
    created_at: datetime
    finished_at: datetime | None = None
    result: str | None = None

    def pack(self) -> Pack:
        """Read the candidate. Raises ``PolicyUnreadable``."""
        try:
            return Pack.model_validate({**orjson.loads(self.candidate), "digest": self.candidate_digest})
        except (ValidationError, orjson.JSONDecodeError) as error:
            raise PolicyUnreadable from error


_COLUMNS: Final[tuple[Any, ...]] = tuple(getattr(PolicySimulation, name) for name in Simulation.__slots__)
_BY_ID: Final = Query(select(*_COLUMNS, PolicySimulation.mac).where(PolicySimulation.id == bindparam("id", type_=Id())))


class SimulationRepository:
    """Rows of ``policy_simulation``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._signer = signer

    async def by_id(self, source: Source, identity: UUID) -> Simulation | None:
        """Find a simulation; one that was edited past us is none, and reported."""
        rows = await _BY_ID.rows(source, id=identity)
        if not rows:
            return None
        *values, mac = rows[0]
        found = Simulation(**dict(zip(Simulation.__slots__, values, strict=True)))
        if not self._signer.verify(_TABLE, _covered(found), mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
            return None
        return found

    async def add(self, session: AsyncSession, simulation: Simulation) -> None:
        """Write a simulation, asked or answered."""
        values = {name: getattr(simulation, name) for name in Simulation.__slots__}
        mac = self._signer.sign(_TABLE, _covered(simulation))
        await session.execute(insert(PolicySimulation).values(**values, mac=mac))

    async def finish(self, session: AsyncSession, simulation: Simulation, result: str, *, at: datetime) -> None:
        """Write the answer; an answer that stands already stays."""
        answered = replace(simulation, result=result, finished_at=at)
        statement = update(PolicySimulation).where(
            PolicySimulation.id == simulation.id, PolicySimulation.finished_at.is_(None)
        )
        mac = self._signer.sign(_TABLE, _covered(answered))
        await session.execute(statement.values(result=result, finished_at=at, mac=mac))


def _covered(simulation: Simulation) -> tuple[Any, ...]:
    values: list[Any] = [getattr(simulation, name) for name in Simulation.__slots__]
    return tuple(hashlib.sha256(each.encode()).digest() if isinstance(each, str) else each for each in values)
