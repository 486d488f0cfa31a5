"""Revising working days for a caller: may they, can it be right, was it said before; in one transaction with its event.

HR, administration and the directory steward may: whoever answers for attendance, for the house, or for the directory. A machine may not, as
due dates of approvals go by these days.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from app.api.calendar_questions import AnnouncedYear, DaySet, RevisionCreate
from app.api.calendar_reading import revision_view
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.calendar.announcement import Announcement, Period, slips
from app.calendar.revisions import Revision
from app.calendar.rules import Entry
from app.calendar.service import By, CalendarService
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.notices.notice import Audience, Notice
from app.notices.service import Notices
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/calendar/revisions"
KEEPERS: Final = frozenset({"hr", "administration", "directory_steward"})


class CalendarKeeper:
    """Revises the calendar for a viewer, or for an operator at the machine."""

    def __init__(
        self,
        *,
        service: CalendarService,
        idempotency: Idempotency,
        clock: Clock,
        utc_offset: timedelta,
        teller: Notices,
    ) -> None:
        """Take what does it, what makes a repeat harmless, the clock, how far those here are ahead of it, and who tells."""
        self._teller = teller
        self._service, self._idempotency, self._clock, self._utc_offset = service, idempotency, clock, utc_offset

    async def revise(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: RevisionCreate) -> Answer:
        """Revise once per ``key``. Raises ``NotPermitted``, ``Invalid``, and what idempotency refuses."""

        async def work() -> Receipt:
            revision = await self.revise_as(author_of(viewer), unit, body)
            return Receipt(revision.id, revision_view(revision))

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", COLLECTION, key),
            body.model_dump(mode="json", exclude_unset=True),
            allowed=_only_keepers(viewer),
            work=work,
        )

    async def revise_as(self, author: Author, unit: UnitOfWork, body: RevisionCreate) -> Revision:
        """Revise, with the event of it. Raises ``Invalid``, then nothing has changed."""
        by = By(author.type, author.id)
        match body.days, body.year:
            case None, AnnouncedYear() as year:
                told = self._announcement(body.source, year)
                revision = await self._service.confirm(unit.session, by, told)
            case list() as days, None:
                revision = await self._service.set_days(unit.session, by, body.source, _entries(body.source, days))
            case _:
                raise Invalid(
                    errors=[
                        _fault("", "one_of", "Give either `days` or `year`.", "须且只能给出 `days` 或 `year` 之一。")
                    ]
                )
        await self._on_record(author, unit, "calendar.revise", revision)
        return revision

    async def take_back(self, viewer: Viewer, unit: UnitOfWork, day: date) -> None:
        """Let a day be what was announced again. Raises ``NotPermitted``, and ``NotFound`` where the company had set nothing."""
        _only_keepers(viewer)()
        author = author_of(viewer)
        revision = await self._service.take_back(unit.session, By(author.type, author.id), day)
        if revision is None:
            raise NotFound
        await self._on_record(author, unit, "calendar.withdraw", revision)

    def _announcement(self, source: str, told: AnnouncedYear) -> Announcement:
        off = [Period(each.since, each.until or each.since, each.name_zh, each.name_en) for each in told.off_days]
        found = Announcement(told.year, source, off, told.working_days)
        faults = [_fault(f"/year{each.pointer}", each.code, each.en, each.zh) for each in slips(found)]
        if told.year > (self._clock.now() + self._utc_offset).year + 1:
            faults.append(_fault("/year/year", "too_far", "This year is not announced yet.", "该年度安排尚未公布。"))
        if faults:
            raise Invalid(errors=faults)
        return found

    async def _on_record(self, author: Author, unit: UnitOfWork, action: str, revision: Revision) -> None:
        query: Mapping[str, Any] = {
            "revision": str(revision.id),
            "kind": revision.kind,
            "year": revision.year,
            "days": [each["date"] for each in revision.changes],
        }
        await add_intent(unit.session, written(author, action, revision.at, query=query))
        if revision.year is not None:
            body = {"calendar": {"id": revision.id, "version": 1}, "year": revision.year}
            told = Notice(
                id=revision.id, type="calendar.confirmed", occurred_at=revision.at, body=body, audience=Audience()
            )
            await self._teller.tell(unit, told)


def _entries(source: str, days: list[DaySet]) -> dict[date, Entry]:
    found = {each.date: Entry(each.kind, source, each.name_zh, each.name_en) for each in days}
    if len(found) < len(days):
        first = {each.date: at for at, each in reversed(list(enumerate(days)))}
        twice = [at for at, each in enumerate(days) if first[each.date] != at]
        raise Invalid(
            errors=[_fault(f"/days/{at}", "named_twice", "A day is named twice.", "同一日期重复出现。") for at in twice]
        )
    return found


def _only_keepers(viewer: Viewer) -> Callable[[], None]:
    def refuse() -> None:
        if KEEPERS.isdisjoint(viewer.standing.roles):
            raise NotPermitted

    return refuse


def _fault(pointer: str, code: str, detail: str, detail_zh: str) -> FieldError:
    return FieldError(pointer, code, detail, detail_zh)
