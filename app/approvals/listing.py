"""Which requests a list shows: what awaits somebody, and what concerns them. Nothing here says what a request is.

A page is merged from walks, each along one index in the order of the page and no further than the page goes: somebody of whom ten thousand
things are asked waits no longer than somebody of whom ten are. Only the count of what waits reads more, and of that nothing but an index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, exists, func, literal, or_, select, text, tuple_, union

from app.approvals.models import ApprovalRequest, ApprovalTask
from app.auth.repository import Query, Source
from app.kit.db import Statement
from app.kit.models import Id, Instant

Desks = Mapping[UUID, frozenset[str] | None]
"""Whose tasks are looked for, each in all kinds or in some."""

_MOST: Final = bindparam("most", type_=Integer())
_ME: Final = bindparam("me", type_=Id())
_OPEN: Final = text("approval_task.open")
"""As the partial index says it: SQLite takes no index for a condition that is written in another way."""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything that is due: with a bound on it SQLite counts along the index of what is open instead of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An open task, as an inbox lists it: whose, in which request and step, by when."""

    request: UUID
    step: str
    person: UUID
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which requests a list is about: those that concern somebody, or everybody's; every other member that is given narrows."""

    concerning: UUID | None
    kind: str | None = None
    state: str | None = None
    subject: str | None = None
    before: UUID | None = None


async def inbox(
    source: Source, desks: Desks, *, kind: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Waiting]:
    """List what awaits an answer, the most urgent first; one more than ``limit``."""
    found: set[tuple[datetime, UUID, str, UUID]] = set()
    for person, kinds in _narrowed(desks, kind).items():
        position = {} if after is None else {"due": after[0], "request": after[1]}
        query = _tasks(kinds, paged=after is not None)
        found.update(tuple(row) for row in await query.rows(source, person=person, most=limit + 1, **position))
    return [Waiting(due=due, request=of, step=step, person=who) for due, of, step, who in sorted(found)[: limit + 1]]


async def waiting(source: Source, desks: Desks) -> int:
    """Count the requests that await an answer."""
    people = _narrowed(desks, None)
    named = {f"person{at}": person for at, person in enumerate(people)}
    ((count,),) = await _count(tuple(people.values())).rows(source, **named)
    return int(count)


async def page(source: Source, wanted: Wanted, *, limit: int) -> list[UUID]:
    """List the ids of requests, newest first; one more than ``limit``."""
    values: dict[str, Any] = {
        name: value
        for name, value in (
            ("me", wanted.concerning),
            ("kind", wanted.kind),
            ("state", wanted.state),
            ("subject", wanted.subject),
            ("before", wanted.before),
        )
        if value is not None
    }
    found: set[UUID] = set()
    for way in _ways(wanted):
        found.update(row[0] for row in await _walk(way, frozenset(values)).rows(source, **values, most=limit + 1))
    return sorted(found, reverse=True)[: limit + 1]


def _narrowed(desks: Desks, kind: str | None) -> dict[UUID, tuple[str, ...] | None]:
    if kind is None:
        return {person: None if kinds is None else tuple(sorted(kinds)) for person, kinds in desks.items()}
    return {person: (kind,) for person, kinds in desks.items() if kinds is None or kind in kinds}


@lru_cache(maxsize=256)
def _tasks(kinds: tuple[str, ...] | None, *, paged: bool) -> Query:
    columns = (ApprovalTask.due_at, ApprovalTask.request_id, ApprovalTask.step, ApprovalTask.person_id)
    statement = _open(select(*columns), "person", kinds)
    if paged:
        position = tuple_(bindparam("due", type_=Instant()), bindparam("request", type_=Id()))
        statement = statement.where(tuple_(ApprovalTask.due_at, ApprovalTask.request_id) > position)
    return Query(statement.order_by(ApprovalTask.due_at, ApprovalTask.request_id).limit(_MOST), by_key=kinds is None)


@lru_cache(maxsize=256)
def _count(desks: tuple[tuple[str, ...] | None, ...]) -> Query:
    """Count each request once, whoever of several people is asked in it; of one person no step of a request is open twice."""
    whenever = ApprovalTask.due_at >= literal(_BEGINNING, Instant())
    if len(desks) == 1:
        counted = select(func.count()).select_from(ApprovalTask).where(whenever)
        return Query(_open(counted, "person0", desks[0]))
    rows = select(ApprovalTask.request_id).where(whenever)
    asked = [_open(rows, f"person{at}", kinds) for at, kinds in enumerate(desks)]
    return Query(select(func.count()).select_from(union(*asked).subquery()))


def _open(statement: Statement, person: str, kinds: Sequence[str] | None) -> Statement:
    statement = statement.where(ApprovalTask.person_id == bindparam(person, type_=Id()), _OPEN)
    return (
        statement
        if kinds is None
        else statement.where(ApprovalTask.kind.in_([literal(each, String()) for each in kinds]))
    )


Way = Literal["everybody", "requester", "beneficiary", "asked", "subject"]


def _ways(wanted: Wanted) -> tuple[Way, ...]:
    if wanted.concerning is None:
        return ("everybody",)
    return ("requester", "beneficiary", "asked") if wanted.subject is None else ("subject",)


@lru_cache(maxsize=128)
def _walk(way: Way, given: frozenset[str]) -> Query:
    """Write one walk from the newest request to older ones, with the values that are given."""
    identity = ApprovalTask.request_id if way == "asked" else ApprovalRequest.id
    statement = select(identity)
    match way:
        case "requester":
            statement = statement.where(ApprovalRequest.requester_id == _ME)
        case "beneficiary":
            statement = statement.where(ApprovalRequest.beneficiary_id == _ME)
        case "asked":
            statement = statement.where(ApprovalTask.person_id == _ME).distinct()
            if not given.isdisjoint(_COLUMNS):
                statement = statement.join(ApprovalRequest, ApprovalRequest.id == identity)
        case "subject":
            asked = exists().where(ApprovalTask.person_id == _ME, ApprovalTask.request_id == ApprovalRequest.id)
            mine = or_(ApprovalRequest.requester_id == _ME, ApprovalRequest.beneficiary_id == _ME, asked)
            statement = statement.where(mine)
        case "everybody":
            pass
    for name in sorted(given & _COLUMNS.keys()):
        column = _COLUMNS[name]
        statement = statement.where(column == bindparam(name, type_=column.type))
    if "before" in given:
        statement = statement.where(identity < bindparam("before", type_=Id()))
    return Query(statement.order_by(identity.desc()).limit(_MOST))


_COLUMNS: Final[Mapping[str, Any]] = {
    "kind": ApprovalRequest.kind,
    "state": ApprovalRequest.state,
    "subject": ApprovalRequest.subject_id,
}
