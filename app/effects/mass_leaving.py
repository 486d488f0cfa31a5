"""``hr.mass_leaving``: two people let a blown fuse pass, for one diff and so many people.

What is approved is the digest of the diff and its count: another file, or the same file compared anew, is another diff. The request applies
nothing by itself; the source asks for the application as always, and is not refused for the fuse.
"""

from collections.abc import Mapping
from typing import Any

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.audit.authors import Author
from app.auth.repository import Source
from app.effects.unfit import CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Viewer
from app.reconciliations.kinds import Reconciliation, ReconciliationState, Release
from app.reconciliations.repository import ReconciliationRepository
from app.reconciliations.rights import oversees


class MassLeaving:
    """Releases diffs."""

    def __init__(self, rows: ReconciliationRepository, clock: Clock) -> None:
        """Take the rows of reconciliations and the clock."""
        self._rows, self._clock = rows, clock

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell which diff would let how many go. Raises ``NotFound``, and ``CannotBeAsked`` for one that cannot be applied."""
        if viewer is not None and not oversees(viewer):
            raise NotFound
        found = await self._found(source, asked)
        return Examined(
            form=asked.form,
            facts={
                "source": found.source,
                "digest": "" if found.digest is None else found.digest.hex(),
                "leavers": str(found.leavers),
                "people": str(found.people),
            },
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Write the word down. The facts were compared just before, so this is the diff that was decided on."""
        del author
        found = await self._found(unit.session, approved.asked)
        if found.digest is None or found.digest.hex() != approved.facts["digest"]:
            raise NotFound
        release = Release(
            request_id=approved.id,
            reconciliation_id=found.id,
            digest=found.digest,
            leavers=int(approved.facts["leavers"]),
            at=self._clock.now(),
        )
        await self._rows.releases.add(unit.session, release)
        return Applied(result={"reconciliation": str(found.id), "leavers": release.leavers})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: a release is for one diff, which can be applied once and not for long."""
        del unit, author, approved, result, cause

    async def _found(self, source: Source, asked: Asked) -> Reconciliation:
        identity = asked.subject.uuid
        found = None if identity is None else await self._rows.one(source, identity)
        if found is None:
            raise NotFound
        progress = (await self._rows.progress(source, [found.id]))[found.id]
        if progress.state is not ReconciliationState.COMPARED or not found.leavers:
            raise CannotBeAsked("/subject/id", Why.NOT_COMPARED)
        return found
