"""Taking the next numbers of a pool, and what their holder has by then.

Taking is one statement. It reads the head of two partial indexes, what is available in the order of the pool's strategy and what is free
by now, longest first, though it still says that it rests or is held, and takes the best of both or, when there are not enough, nothing.
On PostgreSQL it passes over rows that somebody else is taking, and tells in the same breath what the holder has; who comes short asks once
more and waits. For the one number of almost every call its text says that it is one: while PostgreSQL cannot see how few rows a ``LIMIT``
leaves, it plans the statement anew for every call, which takes longer than the statement.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    String,
    Update,
    any_,
    bindparam,
    func,
    literal_column,
    null,
    select,
    text,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.models import Id
from app.kit.straight import Straight
from app.numbers.errors import AllocationConflict
from app.numbers.models import Number, NumberAssignment
from app.numbers.nice import OPEN_FROM
from app.numbers.repository import BEGUN, FREE, QUEUE, RESTED, ROW_ID, Holder, NumberRow, Taken
from app.numbers.rules import State, Verb, moved

Held = tuple[str, str]
"""What somebody holds: role and digits."""

_COUNT: Final = bindparam("wanted", type_=Integer())
_ONE: Final = literal_column("1", Integer)
_TOOK: Final = ""
_NOT_KEPT: Final = Number.sort_key >= text(str(OPEN_FROM))


_TAKE_EARLY: Final = Straight(
    update(Number)
    .where(Number.id == ROW_ID)
    .values(state=BEGUN, available_from=None, row_version=Number.row_version + 1)
    .returning(Number.state, Number.row_version)
)
_GIVE: Final[Mapping[str, Any]] = {"state": BEGUN, "available_from": None}


def taking(
    *, waiting: bool, values: Mapping[str, Any], wanted: ColumnElement[int] = _COUNT, fewer: bool = False
) -> Update:
    """Write the statement that takes ``wanted`` numbers of a pool, or none (``fewer``: what there are), and makes ``values`` of them."""
    columns = (Number.id, Number.sort_key)
    free = select(*columns).where(FREE, _NOT_KEPT).order_by(Number.sort_key).limit(wanted)
    rested = select(*columns).where(RESTED, _NOT_KEPT).order_by(Number.available_from).limit(wanted)
    heads = [
        each.with_for_update(skip_locked=not waiting).cte(name) for each, name in ((free, "free"), (rested, "rested"))
    ]
    both = union_all(*(select(head.c.id, head.c.sort_key) for head in heads)).subquery("both")
    picked = select(both.c.id).order_by(both.c.sort_key, both.c.id).limit(wanted).cte("picked")
    enough = () if fewer else (select(func.count()).select_from(picked).scalar_subquery() == wanted,)
    return (
        update(Number)
        .where(Number.id.in_(select(picked.c.id)), *enough)
        .values(**values, row_version=Number.row_version + 1)
        .returning(Number.id, Number.digits, Number.sort_key, Number.state, Number.row_version)
    )


_OPEN: Final = (
    NumberAssignment.holder_id == bindparam("holder", type_=Id()),
    NumberAssignment.holder_type == bindparam("kind", type_=String()),
    NumberAssignment.ended_at.is_(None),
)
_LONGEST_FIRST: Final = (NumberAssignment.started_at, NumberAssignment.ordinal, NumberAssignment.id)
_HELD_COLUMNS: Final[tuple[Any, ...]] = (NumberAssignment.role, Number.digits)
_HELD: Final = Straight(
    select(*_HELD_COLUMNS).join(Number, Number.id == NumberAssignment.number_id).where(*_OPEN).order_by(*_LONGEST_FIRST)
)


def _taking_and_telling(wanted: ColumnElement[int], *, waiting: bool) -> Straight:
    took = taking(waiting=waiting, values=_GIVE, wanted=wanted).cte("took")
    place = func.row_number().over(order_by=_LONGEST_FIRST)
    held = (
        select(NumberAssignment.role, null(), Number.digits, place, literal_column("''", String), literal_column("0"))
        .join(Number, Number.id == NumberAssignment.number_id)
        .where(*_OPEN)
    )
    told = (took.c.id, took.c.digits, took.c.sort_key, took.c.state, took.c.row_version)
    taken = select(literal_column(f"'{_TOOK}'", String), *told)
    return Straight(union_all(taken, held))


def _taking_some_and_telling() -> Straight:
    took = taking(waiting=False, values=_GIVE, fewer=True).cte("took")
    place = func.row_number().over(order_by=_LONGEST_FIRST)
    held = (
        select(
            NumberAssignment.holder_id,
            NumberAssignment.role,
            null(),
            Number.digits,
            place,
            literal_column("''", String),
            literal_column("0"),
        )
        .join(Number, Number.id == NumberAssignment.number_id)
        .where(
            NumberAssignment.holder_id == any_(bindparam("contacts", type_=ARRAY(Id()))),
            NumberAssignment.holder_type == text("'contact'"),
            NumberAssignment.ended_at.is_(None),
        )
    )
    told = (took.c.id, took.c.digits, took.c.sort_key, took.c.state, took.c.row_version)
    taken = select(type_coerce(null(), Id()), literal_column(f"'{_TOOK}'", String), *told)
    return Straight(union_all(taken, held))


TAKE: Final = Straight(taking(waiting=False, values=_GIVE))
_TAKE_SOME_AND_TELL: Final = _taking_some_and_telling()
TAKE_AND_TELL: Final = {
    (one, waiting): _taking_and_telling(_ONE if one else _COUNT, waiting=waiting)
    for one in (False, True)
    for waiting in (False, True)
}
"""By whether one is wanted, and whether to wait for those that somebody else is taking."""


async def take(
    session: AsyncSession, pool_id: UUID, wanted: int, now: datetime, holder: Holder
) -> tuple[list[Taken], list[Held]]:
    """Take the next ``wanted`` numbers of a pool, in its order, or none when there are fewer; tell what ``holder`` has without them.

    On PostgreSQL those who take several of a pool, and those who wait for numbers that others are taking, queue: nobody who has locked some
    and waits for more ever waits for another who does the same.
    """
    values = {"pool": pool_id, "wanted": wanted, "now": now}
    if session.get_bind().dialect.name != "postgresql":
        found = [(_TOOK, *row) for row in await TAKE.rows(session, values)]
        return _taken(found), await held_by(session, holder) if found else []
    values |= {"holder": holder.id, "kind": holder.type}
    if wanted > 1:
        await QUEUE.rows(session, {"material": f"{pool_id}"})
    rows = await TAKE_AND_TELL[wanted == 1, False].rows(session, values)
    if not any(row[0] == _TOOK for row in rows):
        await QUEUE.rows(session, {"material": f"{pool_id}"})
        rows = await TAKE_AND_TELL[wanted == 1, True].rows(session, values)
    held = sorted((row for row in rows if row[0] != _TOOK), key=lambda row: int(row[3]))
    return _taken([row for row in rows if row[0] == _TOOK]), [(row[0], row[2]) for row in held]


async def take_some(
    session: AsyncSession, pool_id: UUID, contacts: Collection[UUID], now: datetime
) -> tuple[list[Taken], dict[UUID, list[Held]]]:
    """Take the next numbers of a pool that nobody else is taking, at most one for each of ``contacts``, waiting for none; on PostgreSQL.

    Tells what each of these contacts holds without them, longest first.
    """
    values = {"pool": pool_id, "wanted": len(contacts), "now": now, "contacts": list(contacts)}
    rows = await _TAKE_SOME_AND_TELL.rows(session, values)
    held: dict[UUID, list[Held]] = {each: [] for each in contacts}
    for contact, role, _, digits, *_ in sorted(
        (row for row in rows if row[0] is not None), key=lambda row: int(row[4])
    ):
        held[contact].append((role, digits))
    return _taken([row[1:] for row in rows if row[0] is None]), held


async def take_early(session: AsyncSession, number: NumberRow) -> Taken:
    """Take a number that was loaded ``locked`` before its rest is over; raise ``AllocationConflict`` where that may not be."""
    if moved(number.state, Verb.REUSE) is None:
        raise AllocationConflict
    rows = await _TAKE_EARLY.rows(session, {"pool": number.pool_id, "row": number.id})
    return Taken(number.id, number.digits, State(rows[0][0]), rows[0][1])


async def held_by(session: AsyncSession, holder: Holder) -> list[Held]:
    """List what somebody holds, longest first."""
    rows = await _HELD.rows(session, {"holder": holder.id, "kind": holder.type})
    return [(role, digits) for role, digits in rows]


def _taken(rows: Sequence[Sequence[Any]]) -> list[Taken]:
    return [Taken(row[1], row[2], State(row[4]), row[5]) for row in sorted(rows, key=lambda row: (row[3], row[1]))]
