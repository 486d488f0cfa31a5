"""All queries on custody, and the MACs of its rows. Nothing here commits.

An act of operators that was edited past us counts against whoever would gain by its being ignored: one that says what was done still says
so, one that waits for its second operator waits for nobody. A hand-over that was edited past us is due at once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy import String, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.custody.models import ClientHandover, OperatorAct
from app.kit.models import Id, Instant
from app.kit.query import Query, Source

ACTS: Final = OperatorAct.__tablename__
HANDOVERS: Final = ClientHandover.__tablename__
_log = structlog.get_logger("duanhao.security")


class Outcome(StrEnum):
    """How a hand-over ended. ``passed_on``: whoever acted left too, and somebody else acts now."""

    TAKEN_OVER = "taken_over"
    PASSED_ON = "passed_on"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that takes operators."""

    id: UUID
    kind: str
    what: str
    whom: UUID | None
    digest: bytes
    proposed_by: str
    proposed_at: datetime
    ready_at: datetime
    until: datetime
    done_by: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A service account between owners; ``acting_id`` answers for it until somebody takes it over, or until ``due_at``."""

    id: UUID
    client_id: str
    former_id: UUID
    acting_id: UUID | None
    cause: str
    began_at: datetime
    due_at: datetime
    settled_at: datetime | None = None
    outcome: str | None = None


_ACT: Final[tuple[Any, ...]] = tuple(getattr(OperatorAct, name) for name in (*Act.__slots__, "mac"))
_HANDOVER: Final[tuple[Any, ...]] = tuple(getattr(ClientHandover, name) for name in (*Handover.__slots__, "mac"))
_ACTS_OF: Final = Query(
    select(*_ACT)
    .where(OperatorAct.kind == bindparam("kind", type_=String()), OperatorAct.what == bindparam("what", type_=String()))
    .order_by(OperatorAct.id)
)
_OPEN: Final = select(*_HANDOVER).where(ClientHandover.settled_at.is_(None)).order_by(ClientHandover.id)
_EVERY_OPEN: Final = Query(_OPEN)
_OF_CLIENT: Final = Query(_OPEN.where(ClientHandover.client_id == bindparam("client_id", type_=String())))
_OF_FORMER: Final = Query(_OPEN.where(ClientHandover.former_id == bindparam("former", type_=Id())))
_DUE: Final = Query(_OPEN.where(ClientHandover.due_at <= bindparam("now", type_=Instant())))


def digest_of(detail: Mapping[str, Any]) -> bytes:
    """Give the digest of what is put down, so that the second operator does just that."""
    return hashlib.sha256(orjson.dumps(detail, option=orjson.OPT_SORT_KEYS)).digest()


class CustodyRows:
    """Rows of ``operator_act`` and ``client_handover``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of both tables."""
        self._signer = signer

    async def acts(self, source: Source, kind: str, what: str) -> tuple[list[Act], bool]:
        """Give what operators put down and did about something, oldest first, and whether a row about it was edited past us."""
        found, edited = list[Act](), False
        for *values, mac in await _ACTS_OF.rows(source, kind=kind, what=what):
            if self._signer.verify(ACTS, tuple(values), mac):
                found.append(Act(**dict(zip(Act.__slots__, values, strict=True))))
            else:
                _log.error("row_mac_mismatch", table=ACTS, row=str(values[0]))
                edited = True
        return found, edited

    async def put(self, session: AsyncSession, act: Act) -> None:
        """Add an act."""
        await session.execute(insert(OperatorAct).values(**self._row(ACTS, act)))

    async def do(self, session: AsyncSession, act: Act) -> bool:
        """Write that an act was done; ``False`` when somebody was faster."""
        changed = await session.execute(
            update(OperatorAct)
            .where(OperatorAct.id == act.id, OperatorAct.done_at.is_(None))
            .values(**self._row(ACTS, act))
            .returning(OperatorAct.id)
        )
        return changed.one_or_none() is not None

    async def handover_of(self, source: Source, client_id: str) -> Handover | None:
        """Give the open hand-over of a service account."""
        found = self._read(await _OF_CLIENT.rows(source, client_id=client_id))
        return found[0] if found else None

    async def open_handovers(self, source: Source) -> dict[str, Handover]:
        """Give every open hand-over, by service account."""
        return {each.client_id: each for each in self._read(await _EVERY_OPEN.rows(source))}

    async def handovers_from(self, source: Source, former: UUID) -> list[Handover]:
        """Give the open hand-overs of what somebody who left answered for."""
        return self._read(await _OF_FORMER.rows(source, former=former))

    async def due(self, source: Source, now: datetime) -> list[str]:
        """Name the service accounts that nobody has taken over in time, and those whose hand-over was edited past us."""
        late = {each.client_id for each in self._read(await _DUE.rows(source, now=now))}
        every = await _EVERY_OPEN.rows(source)
        edited = {row[1] for row in every if not self._signer.verify(HANDOVERS, tuple(row[:-1]), row[-1])}
        return sorted(late | edited)

    async def begin(self, session: AsyncSession, handover: Handover) -> None:
        """Add a hand-over."""
        await session.execute(insert(ClientHandover).values(**self._row(HANDOVERS, handover)))

    async def settle(self, session: AsyncSession, client_id: str, outcome: Outcome, at: datetime) -> bool:
        """End what is open about a service account, whatever stands in it; ``False`` when nothing was."""
        rows = await session.execute(
            select(*_HANDOVER)
            .where(ClientHandover.settled_at.is_(None), ClientHandover.client_id == client_id)
            .with_for_update()
        )
        found = [tuple(row) for row in rows]
        for *values, _ in found:
            known = dict(zip(Handover.__slots__, values, strict=True))
            after = Handover(**{**known, "settled_at": at, "outcome": outcome.value})
            await session.execute(
                update(ClientHandover).where(ClientHandover.id == after.id).values(**self._row(HANDOVERS, after))
            )
        return bool(found)

    def _read(self, rows: Sequence[Any]) -> list[Handover]:
        found = []
        for *values, mac in rows:
            if self._signer.verify(HANDOVERS, tuple(values), mac):
                found.append(Handover(**dict(zip(Handover.__slots__, values, strict=True))))
            else:
                _log.error("row_mac_mismatch", table=HANDOVERS, row=str(values[0]))
        return found

    def _row(self, table: str, value: Act | Handover) -> dict[str, Any]:
        row = {name: getattr(value, name) for name in value.__slots__}
        return {**row, "mac": self._signer.sign(table, tuple(row.values()))}
