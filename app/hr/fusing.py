"""How many people a sender lets go within a day, and that no batch of events lets more go than a head-count may.

A batch is one thing to whoever sends it: a broken export is one, and so is judged before any of it is taken. Single events are how people
leave on ordinary days, and none of them knows of the next; so they are taken, and the security log is told of a day on which they are many.
What a head-count let go has met its own fuse, and is not counted here. A head-count is also how a large batch may pass: two people can look
at that and approve it, and who has left by it is no leaver of the batch any more. A provisioning client's bulk request is a batch, and each
of its other requests a single event: its departures are entered in the ledger (``leavers``), where they are counted with those of events.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.contacts.headcount import HeadCount
from app.hr.errors import OF_A_BATCH, FuseBlown
from app.hr.fuse import FuseExtent, Limits, Tally, Verdict, worst
from app.hr.repository import HrLedger
from app.hr.schemas import HrEventIn
from app.intake import ReconciliationsSettings
from app.kit.clock import Clock
from app.kit.query import Source
from app.permissions.standing import Viewer

DEPARTURES: Final = frozenset({"employee.leaving", "employee.left"})
DAY: Final = timedelta(hours=24)
_log = structlog.get_logger("duanhao.security")


def limits_of(settings: ReconciliationsSettings) -> Limits:
    """Give the limits that were set."""
    return Limits(settings.fuse_people, settings.fuse_percent_of_many, settings.fuse_percent_of_few)


class LeaverFuse:
    """Counts who leaves by events."""

    def __init__(self, *, ledger: HrLedger, heads: HeadCount, limits: Limits, clock: Clock) -> None:
        """Take the ledger, where people are counted, the limits, and the clock."""
        self._ledger, self._heads, self._limits, self._clock = ledger, heads, limits, clock
        self._reached: dict[str | None, int] = {}

    async def demand(self, source: Source, viewer: Viewer, events: Iterable[HrEventIn]) -> None:
        """Raise ``FuseBlown`` where these events, alone or with what their sender sent within a day, would let too many go.

        Counted are people who are in service now, each once, so a batch that is sent again after a failure counts as it did before.
        """
        named = sorted({each.subject for each in events if each.type in DEPARTURES})
        leaving = set((await self._heads.ids(source, named)).values()) if named else set()
        refusal = await self.refusal(source, viewer, leaving, OF_A_BATCH)
        if refusal is not None:
            raise refusal

    async def refusal(
        self, source: Source, viewer: Viewer, leaving: Collection[UUID], said: tuple[str, str]
    ) -> FuseBlown | None:
        """Give what refuses to let these go, who are in service, and tell the security log; ``None`` where they may."""
        if not leaving:
            return None
        day = await self._ledger.let_go(source, viewer.standing.client_id, self._clock.now() - DAY)
        verdict = await self._verdict(source, leaving, day)
        if not verdict.blown:
            return None
        self._report("fuse_blown", viewer, verdict)
        return FuseBlown(verdict, self._limits, said)

    async def watch(self, source: Source, viewer: Viewer) -> None:
        """Tell the security log when a sender's events of a day let more go than a batch may; looked at once for every so many leavers.

        Events of one moment do not see one another, so a number of leavers may be passed over: looked at is what has been reached since.
        """
        sender = viewer.standing.client_id
        day = await self._ledger.let_go(source, sender, self._clock.now() - DAY)
        reached, before = len(day) // self._limits.people, self._reached.get(sender, 0)
        self._reached[sender] = reached
        if reached > before:
            verdict = await self._verdict(source, (), day)
            if verdict.blown:
                self._report("many_leave", viewer, verdict)

    async def _verdict(self, source: Source, leaving: Collection[UUID], day: dict[UUID, bool]) -> Verdict:
        people = sum((await self._heads.places(source)).values())
        gone = sum(day.values())
        together = Tally(FuseExtent.DAY, len(day.keys() | set(leaving)), people + gone)
        return worst([Tally(FuseExtent.BATCH, len(leaving), people), together], self._limits)

    def _report(self, event: str, viewer: Viewer, verdict: Verdict) -> None:
        tally = verdict.tally
        _log.warning(
            event,
            client_id=viewer.standing.client_id,
            reason=verdict.reason.value,
            extent=tally.extent.value,
            leavers=tally.leavers,
            people=tally.people,
        )
