"""The number that somebody had who comes back: found while it waits in quarantine, and given back to nobody else.

Who had it last is read again once the number is locked: a number may have rested, gone to somebody else and come back in the meantime.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, and_, bindparam, exists, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.kit.models import Id
from app.kit.straight import Straight
from app.numbers.models import Number, NumberAssignment, NumberPool
from app.numbers.repository import ROW_ID, Holder, Taken
from app.numbers.rules import State, regained

_ROLE: Final = "short"
_LATER: Final = aliased(NumberAssignment)
_CANDIDATES: Final = Straight(
    select(
        Number.id,
        Number.digits,
        Number.state,
        NumberPool.id,
        NumberPool.code,
        NumberPool.confirms,
        Number.row_version,
    )
    .select_from(NumberAssignment)
    .join(Number, Number.id == NumberAssignment.number_id)
    .join(NumberPool, NumberPool.id == Number.pool_id)
    .where(
        NumberAssignment.holder_id == bindparam("holder", type_=Id()),
        NumberAssignment.holder_type == bindparam("kind", type_=String()),
        NumberAssignment.role == text(f"'{_ROLE}'"),
        NumberAssignment.ended_at.is_not(None),
        Number.state == text("'quarantined'"),
        NumberPool.pool_class != text("'temporary'"),
        ~exists(
            select(_LATER.id).where(
                _LATER.number_id == NumberAssignment.number_id,
                or_(
                    _LATER.started_at > NumberAssignment.started_at,
                    and_(_LATER.started_at == NumberAssignment.started_at, _LATER.id > NumberAssignment.id),
                ),
            )
        ),
    )
    .order_by(NumberAssignment.ended_at.desc(), NumberAssignment.started_at, NumberAssignment.ordinal)
    .limit(1)
    .with_for_update(of=Number, skip_locked=True)
)
_LAST_COLUMNS: Final[tuple[Any, ...]] = (
    NumberAssignment.holder_type,
    NumberAssignment.holder_id,
    NumberAssignment.holder_code,
    NumberAssignment.role,
    NumberAssignment.ended_at,
)
_LAST: Final = Straight(
    select(*_LAST_COLUMNS)
    .where(NumberAssignment.number_id == ROW_ID)
    .order_by(NumberAssignment.started_at.desc(), NumberAssignment.id.desc())
    .limit(1)
)
_TAKE_BACK: Final = Straight(
    update(Number)
    .where(Number.id == ROW_ID)
    .values(state=bindparam("then", type_=String()), available_from=None, row_version=Number.row_version + 1)
)


async def regain(session: AsyncSession, holder: Holder) -> tuple[UUID, str, Taken] | None:
    """Take the number that ``holder`` had as a short number until last and that nobody had since.

    Gives id and code of its pool beside it; ``None`` when there is none that waits.
    """
    rows = await _CANDIDATES.rows(session, {"holder": holder.id, "kind": holder.type})
    for identity, digits, state, pool_id, pool, confirms, version in rows:
        last = Holder(*(await _LAST.rows(session, {"row": identity}))[0][:3])
        then = regained(State(state), last=last, holder=holder, confirms=bool(confirms))
        if then is not None:
            await take_back(session, identity, then)
            return pool_id, pool, Taken(identity, digits, then, version + 1)
    return None


async def take_back(session: AsyncSession, number_id: int, then: State) -> None:
    """Take a locked number out of its rest, into the state ``then`` that the rules give."""
    await _TAKE_BACK.rows(session, {"row": number_id, "then": then.value})


async def last_of(session: AsyncSession, number_id: int) -> tuple[Holder, str] | None:
    """Give who had a number last, and in which role; ``None`` when nobody ever had it."""
    rows = await _LAST.rows(session, {"row": number_id})
    return (Holder(*rows[0][:3]), rows[0][3]) if rows else None


async def ended_last(session: AsyncSession, number_id: int) -> datetime | None:
    """Give when a number was last given back; ``None`` when nobody ever had it, or somebody still has."""
    rows = await _LAST.rows(session, {"row": number_id})
    return rows[0][4] if rows else None
