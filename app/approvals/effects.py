"""What approving does, as the engine sees it: one protocol.

The engine knows no kind by name: it hands what was asked to the effect that the kind names, keeps what the effect found out, and, when the
chain is through, lets it act in the very transaction of the last decision. Effects live with what they change, above approvals, and are
given to it by the composition root.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from app.approvals.values import Applied, Approved, Asked, Cause, Examined, Proposed, Subject, Term
from app.audit.authors import Author
from app.auth.repository import Source
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer

__all__ = ["Applied", "Approved", "Asked", "Cause", "Effect", "Examined", "Proposed", "RestsOnEach", "Subject", "Term"]


class Effect(Protocol):
    """What one or several kinds do."""

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell what is asked, in facts, or raise the problem for which it cannot be asked.

        With ``viewer``, at preview and filing, the requester's own sight counts: what they may not know of is absent to them. Without, just
        before acting, only whether it may still be done. Opens nothing, changes nothing.
        """
        ...

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Act, in this transaction. A ``Problem`` undoes what was done here, and the request is told to have failed for its code."""
        ...

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take back what ``apply`` gave, in this transaction; ended twice is ended once."""
        ...


@runtime_checkable
class RestsOnEach(Protocol):
    """An effect that rests on the separate consent of several people, each for their own part of it."""

    async def withdraw(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], person: UUID
    ) -> None:
        """Take back the part of it that rests on one person's consent, in this transaction; the rest stays."""
        ...
