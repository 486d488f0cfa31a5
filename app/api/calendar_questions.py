"""How working days are asked for and revised: the shapes for OpenAPI."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from app.calendar.rules import Kind
from app.disclosure.log_queries import Moment
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input

FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)
_MOST_DAYS = 366

AnyDay = Annotated[date, Field(ge=FIRST, le=LAST)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
SourceName = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CalendarQuery(Input):
    """Which days; both ends are included."""

    since: AnyDay = Field(alias="from", examples=["2026-02-09"])
    until: AnyDay = Field(alias="to", examples=["2026-02-28"])

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date, given: ValidationInfo) -> date:
        since = given.data.get("since")
        if since is not None and until < since:
            raise Rejected("reversed_range", "`to` lies before `from`.", "`to` 早于 `from`。")
        if since is not None and (until - since).days >= _MOST_DAYS:
            raise Rejected("too_long", "At most 366 days are told at once.", "一次最多查询 366 天。")
        return until


class DueDateQuery(Input):
    """What begins when, and how many working days it may take."""

    start: Moment = Field(
        alias="from", description="When it begins (RFC 3339).", examples=["2026-02-13T17:59:59+08:00"]
    )
    days: Annotated[int, Field(ge=0, le=250)] = Field(
        description="Working days after the one it counts from; 0: the end of the same working day.", examples=[3]
    )

    @field_validator("start")
    @classmethod
    def _within(cls, start: datetime) -> datetime:
        if not FIRST < start.date() < date(LAST.year, 1, 1):
            raise Rejected("out_of_range", "The calendar has days of 2000 to 2099.", "日历范围为 2000 至 2099 年。")
        return start


class RevisionsQuery(Input):
    """A page of revisions."""

    limit: Limit = 20
    cursor: CursorText | None = None


class DaySet(Input):
    """A day that the company has worked or off, whatever was announced."""

    date: AnyDay = Field(examples=["2026-09-11"])
    kind: Kind
    name_zh: Name | None = Field(None, examples=["厂庆日"])
    name_en: Name | None = Field(None, examples=["Founding day"])


class OffDays(Input):
    """Days off in a row, both ends included."""

    since: AnyDay = Field(alias="from", examples=["2027-02-05"])
    until: AnyDay | None = Field(None, alias="to", description="Left out: one day.", examples=["2027-02-11"])
    name_zh: Name | None = Field(None, examples=["春节"])
    name_en: Name | None = Field(None, examples=["Spring Festival"])


class AnnouncedYear(Input):
    """A year's notice of the State Council: every day off, and every weekend day that is worked instead."""

    year: Annotated[int, Field(ge=2025, le=LAST.year - 1)] = Field(
        description="Next year at most: none is announced earlier.", examples=[2027]
    )
    off_days: Annotated[list[OffDays], Field(min_length=1, max_length=40)]
    working_days: Annotated[list[AnyDay], Field(max_length=60)] = Field(examples=[["2027-01-30", "2027-02-20"]])


class RevisionCreate(Input):
    """A change of the calendar: either single days, or a year's notice. All of it, or nothing."""

    source: SourceName = Field(
        description="On what it rests; told to everybody who asks for these days.",
        examples=["国务院办公厅关于2027年部分节假日安排的通知"],
    )
    days: Annotated[list[DaySet], Field(min_length=1, max_length=_MOST_DAYS)] | None = None
    year: AnnouncedYear | None = None
