"""What people said and wrote about requests: rows that are only ever added, each behind its MAC, words boxed. Nothing here commits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.errors import AlreadyDecided
from app.approvals.machine import Word
from app.approvals.models import ApprovalComment, ApprovalDecision
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.kit.models import Id, new_id

_DECISIONS: Final = "approval_decision"
_log = structlog.get_logger("duanhao.security")

_DECISION_COLUMNS: Final[tuple[Any, ...]] = (
    ApprovalDecision.id,
    ApprovalDecision.request_id,
    ApprovalDecision.round,
    ApprovalDecision.step,
    ApprovalDecision.person_id,
    ApprovalDecision.actor_id,
    ApprovalDecision.word,
    ApprovalDecision.requester_id,
    ApprovalDecision.body_digest,
    ApprovalDecision.comment,
    ApprovalDecision.at,
    ApprovalDecision.mac,
)
_SAID: Final = Query(
    select(*_DECISION_COLUMNS)
    .where(ApprovalDecision.request_id == bindparam("id", type_=Id()))
    .order_by(ApprovalDecision.id)
)
_COMMENTS: Final = Query(
    select(ApprovalComment.id, ApprovalComment.author_id, ApprovalComment.body, ApprovalComment.at)
    .where(ApprovalComment.request_id == bindparam("id", type_=Id()))
    .order_by(ApprovalComment.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody said: ``person`` is whose task it was, ``actor`` who said it."""

    request: UUID
    round: int
    step: str
    person: UUID
    actor: UUID
    word: Word
    requester: UUID
    digest: bytes
    comment: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote."""

    id: UUID
    author: UUID
    text: str
    at: datetime


class DecisionRepository:
    """Rows of decisions and comments."""

    def __init__(self, signer: RowSigner, box: SecretBox) -> None:
        """Take the signer of decisions, and the box of words."""
        self._signer, self._box = signer, box

    async def say(self, session: AsyncSession, decision: Decision) -> None:
        """Write what somebody said, once; raise ``AlreadyDecided`` when they have."""
        identity = new_id()
        comment = None if decision.comment is None else self._box.close(identity.bytes, decision.comment.encode())
        row = ApprovalDecision(
            id=identity,
            request_id=decision.request,
            round=decision.round,
            step=decision.step,
            person_id=decision.person,
            actor_id=decision.actor,
            word=decision.word.value,
            requester_id=decision.requester,
            body_digest=decision.digest,
            comment=comment,
            at=decision.at,
        )
        row.mac = self._signer.sign(_DECISIONS, _covered_decision(row))
        try:
            async with session.begin_nested():
                session.add(row)
                await session.flush()
        except IntegrityError as error:
            raise AlreadyDecided from error

    async def said(self, source: Source, identity: UUID) -> list[Decision]:
        """Load what was said, oldest first; rows edited past us are reported and left out."""
        found = []
        for *values, mac in await _SAID.rows(source, id=identity):
            if not self._signer.verify(_DECISIONS, tuple(values), mac):
                _log.error("row_mac_mismatch", table=_DECISIONS, row=str(values[0]))
                continue
            own, request, number, step, person, actor, word, requester, digest, comment, at = values
            text = None if comment is None else self._box.open(own.bytes, comment).decode()
            found.append(
                Decision(
                    request=request,
                    round=number,
                    step=step,
                    person=person,
                    actor=actor,
                    word=Word(word),
                    requester=requester,
                    digest=digest,
                    comment=text,
                    at=at,
                )
            )
        return found

    async def approvals_between(self, source: Source, one: UUID, other: UUID, since: datetime) -> int:
        """Count how often ``one`` said yes to what ``other`` asked for since a time."""
        statement = select(func.count().label("times")).where(
            ApprovalDecision.actor_id == one,
            ApprovalDecision.requester_id == other,
            ApprovalDecision.word == Word.APPROVE.value,
            ApprovalDecision.at >= since,
        )
        return int((await Query(statement).rows(source))[0][0])

    async def comment(self, session: AsyncSession, request: UUID, author: UUID, text: str, at: datetime) -> UUID:
        """Keep what somebody wrote beside a request."""
        identity = new_id()
        body = self._box.close(identity.bytes, text.encode())
        session.add(ApprovalComment(id=identity, request_id=request, author_id=author, body=body, at=at))
        await session.flush()
        return identity

    async def comments(self, source: Source, request: UUID) -> list[Comment]:
        """Load what was written beside a request, oldest first."""
        rows = await _COMMENTS.rows(source, id=request)
        return [Comment(own, author, self._box.open(own.bytes, body).decode(), at) for own, author, body, at in rows]


def _covered_decision(row: ApprovalDecision) -> tuple[Any, ...]:
    return tuple(getattr(row, column.key) for column in _DECISION_COLUMNS[:-1])
