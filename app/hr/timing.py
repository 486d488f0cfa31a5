"""Deadlines of personnel events: begun and ended where events are applied, whoever sends them, and where they are kept as undone.

Around ``Applier`` and not in it, so that what an event does and what it owes are said apart.
"""

from typing import Any, Final
from uuid import UUID

from app.clocks.rules import Kind
from app.clocks.service import Clocks, Happened
from app.hr.applying import Applier
from app.hr.known import LedgerKeys
from app.hr.models import HrEvent
from app.hr.schemas import HrEventIn
from app.hr.subjects import Effect
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer

KINDS: Final = {
    "employee.joined": Kind.JOINER,
    "employee.rehired": Kind.JOINER,
    "employee.moved": Kind.MOVER,
    "employee.left": Kind.LEAVER,
}
"""Which deadline a type of event begins; the others give the directory no time of their own."""


OWING: Final = frozenset({"failed", "waiting"})
VOID: Final = "superseded"


class Timing:
    """Tells the clocks what became of events."""

    def __init__(self, clocks: Clocks, keys: LedgerKeys) -> None:
        """Take the clocks, and the keys by which the ledger knows people."""
        self._clocks, self._keys = clocks, keys

    async def applied(self, unit: UnitOfWork, event: HrEventIn, effect: Effect) -> None:
        """Say that an event did what it says, or that later ones said otherwise."""
        await self._follow(unit, event, effect.contact_id, VOID if effect.superseded else "applied")

    async def settled(self, unit: UnitOfWork, event: HrEventIn, state: str, contact_id: UUID | None) -> None:
        """Say in which state the ledger keeps an event about ``contact_id``: what failed or waits owes, what is void owes nothing.

        One that was applied has been followed by then, and one that is scheduled owes nothing yet.
        """
        if state in OWING:
            await self._follow(unit, event, contact_id, "owed")
        elif state == VOID:
            await self._follow(unit, event, contact_id, VOID)

    async def given_up(self, unit: UnitOfWork, row: HrEvent) -> None:
        """Say that an event that was kept is to do nothing: it owes nothing either."""
        kind = KINDS.get(row.type)
        if kind is None:
            return
        what = Happened(
            kind=kind,
            source=row.source,
            event_id=row.event_id,
            subject=row.subject_hash,
            contact_id=row.contact_id,
            effective_at=row.at,
            outcome=VOID,
        )
        await self._clocks.follow(unit, what)

    async def _follow(self, unit: UnitOfWork, event: HrEventIn, contact_id: UUID | None, outcome: str) -> None:
        kind = KINDS.get(event.type)
        if kind is None:
            return
        given = event.data.effective_at
        what = Happened(
            kind=kind,
            source=event.source,
            event_id=event.id,
            subject=self._keys.of_subject(event.subject),
            contact_id=contact_id,
            effective_at=given or event.time,
            outcome=outcome,
        )
        await self._clocks.follow(unit, what)


class TimedApplier(Applier):
    """Applies events and begins their deadlines in the same transaction."""

    def __init__(self, timing: Timing, **parts: Any) -> None:  # noqa: ANN401 — as ``Applier`` takes them
        """Take what tells the clocks, and the parts of ``Applier``."""
        super().__init__(**parts)
        self._timing = timing

    async def apply(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Effect:
        """Do as ``Applier`` does, then follow."""
        effect = await super().apply(viewer, unit, event)
        await self._timing.applied(unit, event, effect)
        return effect
