"""What each type of event does, and to which members: the one place that knows all types; what a type does stands in a file of its own.

Whoever applies an event, the ledger when its turn has come or a reconcile or a provisioning client at once, comes through here. So the
order of what was said about somebody holds for all of them: members that a later event wrote are left alone, whoever sent it.
"""

from datetime import timedelta
from typing import Final, assert_never

from app.departments.service import DepartmentService
from app.disclosure.records import Record
from app.hr.changing import Changing
from app.hr.data import (
    CancelledData,
    CareerData,
    JoinedData,
    LeavingData,
    LeftData,
    MovedData,
    RehiredData,
    UpdatedData,
)
from app.hr.errors import MISSING, NotYetDue, UnknownEvent
from app.hr.happenings import happening, place_of
from app.hr.joining import Joining
from app.hr.known import Known, KnownSubjects
from app.hr.leaving import Leaving
from app.hr.numbers import Numbers
from app.hr.ordering import STATUS, Apply, Place, Standing, Subject, Wait, after, judge
from app.hr.repository import HrLedger
from app.hr.restructuring import Restructuring
from app.hr.schemas import HrEventIn
from app.hr.subjects import ARCHIVED, GONE, Effect, People, Subjects
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Viewer

CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far ahead a source's clock may be before "now" counts as the future (reference/directory-numbers.md, HR event intake, rule 1)."""

_CHANGES: Final = (MovedData, UpdatedData, LeavingData)
"""Data of what would write on a card, which one in the archive does not take."""


class Applier:
    """Applies events."""

    def __init__(
        self,
        *,
        people: People,
        subjects: Subjects,
        known: KnownSubjects,
        ledger: HrLedger,
        numbers: Numbers,
        departments: DepartmentService,
        clock: Clock,
    ) -> None:
        """Take where people are written and found, what the ledger knows of them, who keeps numbers and departments, and the clock."""
        self._subjects, self._known, self._ledger, self._clock = subjects, known, ledger, clock
        self._structure = Restructuring(people=people, departments=departments, subjects=subjects, numbers=numbers)
        self._joining = Joining(people=people, subjects=subjects, numbers=numbers, structure=self._structure)
        self._changing = Changing(people=people, subjects=subjects, clock=clock)
        self._leaving = Leaving(
            people=people, subjects=subjects, numbers=numbers, structure=self._structure, clock=clock
        )

    async def apply(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Effect:
        """Do what ``event`` says and no later event has said otherwise, in the caller's transaction.

        Raises one of ``errors.UNRESOLVED`` when it cannot be done, among them ``errors.WAITS`` for what may still come; ``NotPermitted``;
        and ``NotFound`` for rows that were edited past us.
        """
        if place_of(event).at > self._clock.now() + CLOCK_DIFFERENCE and event.data.effective_at is not None:
            raise NotYetDue
        match event.data:
            case CancelledData():
                raise UnknownEvent
            case JoinedData() | RehiredData() | MovedData() | UpdatedData() | LeavingData() | LeftData() as data:
                return await self._career(viewer, unit, event, data)
            case data:
                await self._structure.change(viewer, unit, event.subject, data)
                return Effect()

    async def stays(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn, announced: Place) -> Effect | None:
        """Take back what ``employee.leaving``, at the place ``announced``, said; ``None`` when the status was written since."""
        known = await self._known.locked(unit, event.subject)
        record = await self._subjects.find(unit, viewer.tree, event.subject)
        writers = known.subject("in_service").writers
        if record is None or record.cohort.status != "leaving" or writers.get(STATUS) != announced:
            return None
        members = frozenset(name for name in (STATUS, "contract_until") if writers.get(name) == announced)
        effect = await self._changing.stay(viewer, unit, record, members)
        ordered = Subject("in_service", {**writers, **dict.fromkeys(members, place_of(event))})
        await self._known.put(unit.session, known.wrote(ordered, record.subject))
        return effect

    async def _career(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn, data: CareerData) -> Effect:
        known = await self._known.locked(unit, event.subject)
        record = await self._found(viewer, unit, event.subject, data)
        subject, what = known.subject(_standing(record)), happening(event, data)
        verdict = judge(subject, what)
        if isinstance(verdict, Wait):
            raise MISSING[verdict.missing]
        members = verdict.members if isinstance(verdict, Apply) else frozenset[str]()
        if record is not None and record.cohort.status == ARCHIVED and isinstance(data, _CHANGES):
            return Effect(record.subject, record.key, superseded=True)
        effect = await self._done(viewer, unit, event, data, known, record, members)
        if effect.contact_id is not None and not effect.superseded:
            await self._known.put(unit.session, known.wrote(after(subject, what, members), effect.contact_id))
            if STATUS in members:
                await self._ledger.wake(unit.session, known.subject_hash, at=self._clock.now())
        return effect

    async def _found(self, viewer: Viewer, unit: UnitOfWork, employee_no: str, data: CareerData) -> Record | None:
        """Load and lock whom an event is about; before them the requests that they have a part in, as those who decide do."""
        if isinstance(data, MovedData | LeftData):
            await self._subjects.hold(unit, employee_no)
        record = await self._subjects.find(unit, viewer.tree, employee_no)
        if record is None and not isinstance(data, JoinedData):
            record = await self._subjects.former(unit, viewer.tree, employee_no)
        return record

    async def _done(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        event: HrEventIn,
        data: CareerData,
        known: Known,
        record: Record | None,
        members: frozenset[str],
    ) -> Effect:
        match data:
            case JoinedData():
                expected = (known.id, await self._known.found_key(unit.session, known)) if known.minted else None
                return await self._joining.join(viewer, unit, event.subject, data, expected)
            case _ if record is None:
                raise NotFound
            case RehiredData():
                return await self._joining.rehire(viewer, unit, event.subject, record, data, members)
            case MovedData() | UpdatedData():
                return await self._changing.change(viewer, unit, record, data, members, at=place_of(event).at)
            case LeavingData():
                return await self._changing.announce(viewer, unit, record, data, members)
            case LeftData():
                if STATUS not in members:
                    return Effect(record.subject, record.key, superseded=True)
                return await self._leaving.leave(viewer, unit, event.subject, data.hand_over_to)
            case other:
                assert_never(other)


def _standing(record: Record | None) -> Standing:
    if record is None:
        return "absent"
    return "left" if record.cohort.status in {GONE, ARCHIVED} else "in_service"
