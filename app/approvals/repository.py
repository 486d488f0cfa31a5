"""All queries on requests, the MACs that make their rows believable, and the box in which lies what is asked. Nothing here commits.

A row edited past us is reported and is not there: nobody decides on it and nothing comes of it.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.course import OPEN
from app.approvals.effects import Asked, Cause, Proposed, Subject
from app.approvals.errors import NotOpen
from app.approvals.models import (
    ApprovalEffect,
    ApprovalRequest,
    ApprovalTask,
    ApprovalValue,
)
from app.approvals.request import Attached, Request, as_body, as_record, from_body, from_record
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.kit.models import Id

_TABLE: Final = "approval_request"
_TASKS: Final = cast("Table", ApprovalTask.__table__)
_log = structlog.get_logger("duanhao.security")

_COLUMNS: Final[tuple[Any, ...]] = (
    ApprovalRequest.id,
    ApprovalRequest.kind,
    ApprovalRequest.state,
    ApprovalRequest.version,
    ApprovalRequest.requester_id,
    ApprovalRequest.beneficiary_id,
    ApprovalRequest.subject_type,
    ApprovalRequest.subject_id,
    ApprovalRequest.filed_at,
    ApprovalRequest.updated_at,
    ApprovalRequest.next_at,
    ApprovalRequest.record,
    ApprovalRequest.body,
    ApprovalRequest.body_digest,
    ApprovalRequest.mac,
)
_BY_ID: Final = Query(select(*_COLUMNS).where(ApprovalRequest.id == bindparam("id", type_=Id())), by_key=True)
_INVOLVED: Final = Query(
    select(ApprovalTask.person_id).where(ApprovalTask.request_id == bindparam("id", type_=Id())).distinct()
)
_EFFECTS: Final = Query(
    select(
        ApprovalEffect.number,
        ApprovalEffect.effect,
        ApprovalEffect.result,
        ApprovalEffect.applied_at,
        ApprovalEffect.ended_at,
        ApprovalEffect.cause,
    )
    .where(ApprovalEffect.request_id == bindparam("id", type_=Id()))
    .order_by(ApprovalEffect.number)
)


@dataclass(frozen=True, slots=True)
class Done:
    """What an effect did."""

    effect: str
    result: Mapping[str, Any]
    applied_at: datetime
    ended_at: datetime | None
    cause: str | None


class RequestRepository:
    """Rows of requests."""

    def __init__(self, signer: RowSigner, box: SecretBox, digests: bytes) -> None:
        """Take the signer of these tables, the box of what is asked, and the key under which its digests are made."""
        self._signer, self._box, self._digests = signer, box, digests

    def digest(self, asked: Asked, values: Mapping[str, str], attachments: Iterable[Attached] = ()) -> bytes:
        """Give the 32 bytes that stand for exactly what is asked, its protected values and its attachments included."""
        material = as_body(asked) + b"\x00" + orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS)
        made = hmac.digest(self._digests, material, "sha256")
        for each in attachments:
            made = self.extended(made, each)
        return made

    def extended(self, digest: bytes, attached: Attached) -> bytes:
        """Give the digest of what is asked with one more file to it, from the digest without."""
        return hmac.digest(self._digests, b"attachment\x00" + digest + attached.id.bytes + attached.digest, "sha256")

    async def add(self, session: AsyncSession, request: Request, asked: Asked) -> None:
        """Write a new request and whom it asks."""
        row = ApprovalRequest(id=request.id, body=self._box.close(request.id.bytes, as_body(asked)))
        self._fill(row, request)
        session.add(row)
        await session.flush()
        await self._ask(session, request)

    async def one(self, source: Source, identity: UUID) -> Request | None:
        """Load a request; ``None`` for one that is not there or whose row was edited past us."""
        rows = await _BY_ID.rows(source, id=identity)
        return self._genuine(rows[0]) if rows else None

    async def many(self, source: Source, identities: Sequence[UUID]) -> dict[UUID, Request]:
        """Load requests by their ids."""
        if not identities:
            return {}
        size = 1 << (len(identities) - 1).bit_length()
        padded = [*identities, *(identities[-1] for _ in range(size - len(identities)))]
        rows = await _by_ids(size).rows(source, **{f"id{at}": each for at, each in enumerate(padded)})
        found = [request for request in map(self._genuine, rows) if request is not None]
        return {each.id: each for each in found}

    async def locked(self, session: AsyncSession, identity: UUID) -> Request | None:
        """Lock a request until the transaction ends, and give it as it is then."""
        await session.execute(select(ApprovalRequest.id).where(ApprovalRequest.id == identity).with_for_update())
        return await self.one(session, identity)

    async def asked(self, source: Source, identity: UUID) -> Asked:
        """Open what is asked in a request that is there."""
        rows = await _BY_ID.rows(source, id=identity)
        return from_body(self._box.open(identity.bytes, rows[0][12]))

    async def save(self, session: AsyncSession, before: Request, after: Request, *, asked: Asked | None = None) -> None:
        """Write what happened to a request, if nothing else has happened to it since ``before``; raise ``NotOpen`` otherwise."""
        row = await session.get(ApprovalRequest, before.id, populate_existing=True)
        if row is None or row.version != before.version:
            raise NotOpen
        if asked is not None:
            row.body = self._box.close(after.id.bytes, as_body(asked))
        self._fill(row, after)
        await session.flush()
        await self._ask(session, after)

    async def same(self, source: Source, request: Request) -> UUID | None:
        """Find an open request of the same kind for the same person and subject."""
        statement = select(ApprovalRequest.id).where(
            ApprovalRequest.subject_id == request.subject.id,
            ApprovalRequest.kind == request.kind,
            ApprovalRequest.subject_type == request.subject.type,
            ApprovalRequest.beneficiary_id == request.beneficiary,
            ApprovalRequest.id != request.id,
            ApprovalRequest.state.in_([each.value for each in OPEN]),
        )
        rows = await Query(statement.limit(1)).rows(source)
        return cast("UUID", rows[0][0]) if rows else None

    async def due(self, source: Source, now: datetime, *, but: Iterable[UUID], most: int) -> list[UUID]:
        """List requests with which the clock has something to do, the most overdue first, leaving out ``but``."""
        statement = (
            select(ApprovalRequest.id)
            .where(ApprovalRequest.next_at <= now, ApprovalRequest.id.not_in(list(but)))
            .order_by(ApprovalRequest.next_at)
            .limit(most)
        )
        return [row[0] for row in await Query(statement).rows(source)]

    async def under_older_calendar(
        self, source: Source, epoch: int, *, after: UUID | None, most: int
    ) -> tuple[list[Request], UUID | None]:
        """Look through ``most`` requests that wait; give those whose deadlines rest on an older calendar, and where to go on."""
        statement = (
            select(*_COLUMNS)
            .where(ApprovalRequest.next_at.is_not(None), *([] if after is None else [ApprovalRequest.id > after]))
            .order_by(ApprovalRequest.id)
            .limit(most)
        )
        rows = await Query(statement).rows(source)
        found = [request for request in map(self._genuine, rows) if request is not None]
        return [each for each in found if each.calendar < epoch], cast("UUID", rows[-1][0]) if len(
            rows
        ) == most else None

    async def try_lock(self, session: AsyncSession, identity: UUID) -> Request | None:
        """Lock a request unless somebody else has it; ``None`` then."""
        rows = await session.execute(
            select(ApprovalRequest.id).where(ApprovalRequest.id == identity).with_for_update(skip_locked=True)
        )
        return None if rows.first() is None else await self.one(session, identity)

    async def involved(self, source: Source, request: UUID) -> frozenset[UUID]:
        """List everybody who is or was asked in a request."""
        return frozenset(row[0] for row in await _INVOLVED.rows(source, id=request))

    async def done(
        self, session: AsyncSession, request: UUID, effect: str, result: Mapping[str, Any], at: datetime
    ) -> None:
        """Write that an effect acted; the key makes a second time impossible."""
        await session.execute(
            insert(ApprovalEffect).values(
                request_id=request, number=1, effect=effect, result=dict(result), applied_at=at
            )
        )

    async def effects(self, source: Source, request: UUID) -> list[Done]:
        """List what a request did."""
        return [Done(*row[1:]) for row in await _EFFECTS.rows(source, id=request)]

    async def undone(self, session: AsyncSession, request: UUID, cause: Cause, at: datetime) -> None:
        """Write that what an effect gave is over."""
        await session.execute(
            update(ApprovalEffect)
            .where(ApprovalEffect.request_id == request, ApprovalEffect.ended_at.is_(None))
            .values(ended_at=at, cause=cause.value)
        )

    async def propose(
        self, session: AsyncSession, request: UUID, contact: UUID, values: Mapping[str, Proposed]
    ) -> None:
        """Keep sealed values that a request proposes, instead of those that it proposed before."""
        await session.execute(delete(ApprovalValue).where(ApprovalValue.request_id == request))
        for name, value in values.items():
            row = ApprovalValue(request_id=request, field=name, contact_id=contact)
            row.envelope, row.digest, row.mac = value.envelope, value.digest, value.mac
            session.add(row)
        await session.flush()

    async def proposed(self, source: Source, request: UUID) -> dict[str, Proposed]:
        """Load the sealed values that a request proposes, by field."""
        columns = (ApprovalValue.field, ApprovalValue.envelope, ApprovalValue.digest, ApprovalValue.mac)
        statement = select(*columns).where(ApprovalValue.request_id == bindparam("id", type_=Id()))
        return {name: Proposed(*boxed) for name, *boxed in await Query(statement).rows(source, id=request)}

    async def _ask(self, session: AsyncSession, request: Request) -> None:
        """Bring the index of tasks in line with the course: who is asked now is open, who was asked stays."""
        stage = request.course.at
        waiting = set() if stage is None else set(stage.waiting_for)
        there = {
            (row.step, row.person_id): row
            for row in await session.scalars(select(ApprovalTask).where(ApprovalTask.request_id == request.id))
        }
        for each in request.course.stages:
            deadline = request.deadlines.get(each.id)
            if deadline is None:
                continue
            for person in dict.fromkeys(task.person for task in each.tasks):
                is_open = stage is not None and each.id == stage.id and person in waiting
                basis = request.basis(each.id, person)
                row = there.pop((each.id, person), None)
                if row is None:
                    values = {"request_id": request.id, "step": each.id, "person_id": person, "kind": request.kind}
                    values |= {"open": is_open, "due_at": deadline.due, "basis": basis}
                    await session.execute(insert(_TASKS).values(**values))
                elif (row.open, row.due_at, row.basis) != (is_open, deadline.due, basis):
                    row.open, row.due_at, row.basis = is_open, deadline.due, basis
        for row in there.values():
            row.open = False
        await session.flush()

    def _fill(self, row: ApprovalRequest, request: Request) -> None:
        row.kind, row.state, row.version = request.kind, request.state.value, request.version
        row.requester_id, row.beneficiary_id = request.requester, request.beneficiary
        row.subject_type, row.subject_id = request.subject.type, request.subject.id
        row.filed_at, row.updated_at, row.next_at = request.filed_at, request.updated_at, request.next_at
        row.record, row.body_digest = as_record(request), request.digest
        row.mac = self._signer.sign(_TABLE, _covered([getattr(row, column.key) for column in _COLUMNS][:-1]))

    def _genuine(self, row: Sequence[Any]) -> Request | None:
        *values, mac = row
        if not self._signer.verify(_TABLE, _covered(values), mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(values[0]))
            return None
        identity, kind, state, version, requester, beneficiary, kind_of, about, filed, updated, _, record, _, digest = (
            values
        )
        return from_record(
            record,
            id=identity,
            kind=kind,
            state=state,
            version=version,
            requester=requester,
            beneficiary=beneficiary,
            subject=Subject(kind_of, about),
            filed_at=filed,
            updated_at=updated,
            digest=digest,
        )


def _covered(values: Sequence[Any]) -> tuple[Any, ...]:
    """Give what a request's MAC covers: every column; the record in one canonical form, since engines keep JSON as they like."""
    *plain, record, body, digest = values
    return (*plain, orjson.dumps(record, option=orjson.OPT_SORT_KEYS), body, digest)


@lru_cache(maxsize=16)
def _by_ids(size: int) -> Query:
    wanted = [bindparam(f"id{at}", type_=Id()) for at in range(size)]
    return Query(select(*_COLUMNS).where(ApprovalRequest.id.in_(wanted)))
