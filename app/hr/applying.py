"""What each type of event does. The one place that knows all types; what a type does stands in a file of its own."""

from datetime import timedelta
from typing import Final

from app.departments.service import DepartmentService
from app.hr.changing import Changing
from app.hr.data import (
    EventData,
    JoinedData,
    LeftData,
    MovedData,
    RehiredData,
    UpdatedData,
)
from app.hr.errors import EffectiveAtNotSupported, TypeNotSupported
from app.hr.joining import Joining
from app.hr.leaving import Leaving
from app.hr.numbers import Numbers
from app.hr.restructuring import Restructuring
from app.hr.schemas import HrEventIn
from app.hr.subjects import Effect, People, Subjects
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer

_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far ahead a source's clock may be before "now" counts as the future (reference/directory-numbers.md, HR event intake, rule 1)."""


class Applier:
    """Applies events."""

    def __init__(
        self, *, people: People, subjects: Subjects, numbers: Numbers, departments: DepartmentService, clock: Clock
    ) -> None:
        """Take where people are written and found, who keeps numbers and departments, and the clock."""
        self._clock = clock
        self._structure = Restructuring(departments=departments, subjects=subjects)
        self._joining = Joining(people=people, subjects=subjects, numbers=numbers, structure=self._structure)
        self._changing = Changing(people=people, subjects=subjects, clock=clock)
        self._leaving = Leaving(
            people=people, subjects=subjects, numbers=numbers, structure=self._structure, clock=clock
        )

    async def apply(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Effect:
        """Do what ``event`` says, in the caller's transaction; raise one of ``errors.UNRESOLVED`` when it cannot be done."""
        subject = event.subject
        if isinstance(event.data, EventData):
            self._refuse_future(event.data)
        match event.data:
            case JoinedData() as data:
                return await self._joining.join(viewer, unit, subject, data)
            case RehiredData() as data:
                return await self._joining.rehire(viewer, unit, subject, data)
            case MovedData() | UpdatedData() as data:
                return await self._changing.change(viewer, unit, subject, data)
            case LeftData():
                return await self._leaving.leave(viewer, unit, subject)
            case dict():
                raise TypeNotSupported
            case data:
                await self._structure.change(viewer, unit, subject, data)
                return Effect()

    def _refuse_future(self, data: EventData) -> None:
        if data.effective_at is not None and data.effective_at > self._clock.now() + _CLOCK_DIFFERENCE:
            raise EffectiveAtNotSupported
