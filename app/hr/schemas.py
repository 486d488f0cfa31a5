"""What a source may say, and what it is told.

The envelope is that of CloudEvents; the members of ``data`` depend on the type and stand in ``data``. Everything is read strictly: an
unknown member, a value of the wrong form or a time without offset is refused and nothing is stored.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import (
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from app.contacts.schemas import EmployeeNo
from app.disclosure.view import DisclosureNote
from app.hr.data import DATA, EventId, Known, LeftData, Moment
from app.hr.models import EventState
from app.kit.errors import Invalid
from app.kit.pagination import CursorText, Limit
from app.kit.problems import ProblemError, Rejected, from_validation
from app.kit.schemas import Input, Output

EventType = Literal[
    "employee.joined",
    "employee.moved",
    "employee.updated",
    "employee.leaving",
    "employee.left",
    "employee.rehired",
    "employee.cancelled",
    "department.created",
    "department.updated",
    "department.moved",
    "department.merged",
    "department.closed",
]
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$"),
    Field(
        description="Which system the event comes from; ids are unique within it, for ever.",
        examples=["https://hr.example.com"],
    ),
]

_CODE: Final = re.compile(r"[A-Z][A-Z0-9-]{0,31}")
"""As ``departments.schemas.DepartmentCode``."""


def _written(value: object) -> bytes:
    """Write JSON in one way; the standard library, because other people's data may hold integers of any size."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class HrEventIn(Input):
    """A personnel event."""

    id: EventId
    source: Source
    type: EventType
    subject: EmployeeNo = Field(
        description="Employee number; for `department.*` the department's code.", examples=["E9001"]
    )
    time: Moment = Field(description="When it happened, RFC 3339 with offset; at most a week ahead.")
    sequence: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        None, description="Place in the subject's events, where kept."
    )
    data: Known

    @field_validator("subject", mode="after")
    @classmethod
    def _a_code_where_it_is_one(cls, value: str, info: ValidationInfo) -> str:
        if str(info.data.get("type")).startswith("department.") and not _CODE.fullmatch(value):
            raise Rejected("malformed_code", "This is not a department's code.", "部门编码格式不正确。")
        return value

    @field_validator("data", mode="plain", json_schema_input_type=Known)
    @classmethod
    def _of_the_type(cls, value: object, info: ValidationInfo) -> Known:
        kind = info.data.get("type")
        return (
            LeftData() if kind is None else DATA[kind].model_validate(value)
        )  # without a type there is no event, whatever it holds

    def canonical(self) -> bytes:
        """Write the event as read, so that two writings of one event are equal: sorted members, no white space."""
        data = self.data.model_dump(mode="json", exclude_unset=True)
        envelope = self.model_dump(mode="json", exclude_unset=True, exclude={"data"})
        return _written({**envelope, "data": data})


MOST_EVENTS: Final = 500
_EVENT_ID: Final = TypeAdapter(EventId)
_Events = Annotated[list[HrEventIn], Field(min_length=1, max_length=MOST_EVENTS)]
_ITEMS: Final = TypeAdapter(Annotated[list[JsonValue], Field(min_length=1, max_length=MOST_EVENTS)])


EXAMPLES: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "employee.joined": (
        "Somebody joins",
        "E9001",
        {
            "name": "欧阳明月",
            "user_name": "ouyang.mingyue",
            "department": "RD",
            "title": "研发工程师",
            "mobile": "13800000001",
            "email": "staff@example.com",
        },
    ),
    "employee.moved": ("Somebody moves", "E9001", {"department": "SALES", "title": "客户经理", "manager": "E9004"}),
    "employee.updated": ("Something about somebody changes", "E9001", {"mobile": "13800001234", "wechat": None}),
    "employee.leaving": ("Somebody is about to leave", "E9001", {"last_day": "2026-12-31"}),
    "employee.left": ("Somebody leaves", "E9001", {}),
    "employee.rehired": ("Somebody comes back", "E9001", {"department": "CS", "title": "客服专员"}),
    "employee.cancelled": ("An event is withdrawn", "E9001", {"event": "evt-0005"}),
    "department.created": ("A department is made", "RD-DATA", {"name": "数据平台部", "parent": "RD", "head": "E9002"}),
    "department.moved": ("A department is moved", "RD-DATA", {"parent": "IT"}),
    "department.merged": ("A department goes into another", "RD-DATA", {"into": "IT"}),
    "department.closed": ("A department is closed", "RD-DATA", {}),
}
"""A body of each kind for the documentation: summary, subject and data."""


def openapi_examples() -> dict[str, Any]:
    """Write ``EXAMPLES`` as OpenAPI does."""
    return {
        kind: {
            "summary": summary,
            "value": {
                "id": f"evt-{at:04d}",
                "source": "https://hr.example.com",
                "type": kind,
                "subject": subject,
                "time": "2026-11-02T09:00:00+08:00",
                "sequence": at,
                "data": data,
            },
        }
        for at, (kind, (summary, subject, data)) in enumerate(EXAMPLES.items(), start=1)
    }


@dataclass(frozen=True, slots=True)
class Sent:
    """One event of a batch: its id, where it gives one, and the event, or what is wrong with it."""

    name: str | None
    event: HrEventIn | Invalid

    @classmethod
    def read(cls, value: object) -> "Sent":
        """Read what stands in a batch; of what cannot be read nothing but the id is kept."""
        given = value.get("id") if isinstance(value, dict) else None
        try:
            name: str | None = _EVENT_ID.validate_python(given, strict=True)
        except ValidationError:
            name = None
        try:
            return cls(name, HrEventIn.model_validate(value))
        except ValidationError as error:
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
            return cls(name, from_validation(RequestValidationError(faults)))


class HrBatchIn(Input):
    """Personnel events, in the order in which they are to be taken."""

    events: tuple[Any, ...] = Field(description=f"At most {MOST_EVENTS}; each is read by itself.")

    @field_validator("events", mode="plain", json_schema_input_type=_Events)
    @classmethod
    def _each_by_itself(cls, value: object) -> tuple[Sent, ...]:
        return tuple(Sent.read(each) for each in _ITEMS.validate_python(value))


class EventProblem(Output):
    """Why an event was not applied, or not to the full."""

    code: str = Field(examples=["unknown_department"])
    detail: str = Field(examples=["There is no such department"])

    @classmethod
    def of(cls, kept: Mapping[str, str] | None, *, chinese: bool) -> "EventProblem | None":
        """Tell a kept problem in the caller's language."""
        if kept is None:
            return None
        return cls(code=kept["code"], detail=kept["detail_zh" if chinese else "detail"])


class HrReceipt(Output):
    """What became of an event."""

    id: str = Field(description="The event's id, as sent.", examples=["evt-0001"])
    state: EventState
    contact_id: UUID | None = Field(description="Whom it was about, where the directory knows them.")
    numbers: list[str] = Field(description="Short numbers that came with it.", examples=[["61234"]])
    problem: EventProblem | None = Field(
        description="Why it is not applied, or what it waits for; beside `applied`, what of it could not be done (`pool_exhausted`)."
    )


REFUSED: Final = "refused"


class HrBatchItem(Output):
    """What became of one event of a batch."""

    id: str | None = Field(description="The event's id, as sent; `null` where it gave none.", examples=["evt-0001"])
    state: EventState | Literal["refused"] = Field(
        description="`refused`: nothing was stored, as if it had not been sent."
    )
    contact_id: UUID | None
    numbers: list[str]
    problem: EventProblem | None
    errors: list[ProblemError] = Field(
        [], description="What is wrong with an event that is refused, and where in the batch."
    )
    replayed: bool = Field(default=False, description="It was sent before, and is told again.")


class HrBatchReceipt(Output):
    """What became of a batch: how many of its events are in which state, and each of them, in their order."""

    counts: dict[str, int] = Field(examples=[{"applied": 2, "failed": 0, "refused": 1}])
    replayed: int
    items: list[HrBatchItem]


class HrEventEntry(HrReceipt):
    """One event of the ledger. What the source said about the subject is sealed and is not told again."""

    source: str = Field(examples=["https://hr.example.com"])
    type: EventType
    time: datetime = Field(description="When it happened, as sent.")
    sequence: int | None
    received_at: datetime
    due_at: datetime | None = Field(
        description="When a `scheduled` event takes effect, or the wait of a `waiting` one ends."
    )


class HrEventView(HrEventEntry):
    """One event of the ledger, and the record of this look at it."""

    disclosure: DisclosureNote


class HrEventPage(Output):
    """Events of the ledger, newest first."""

    items: list[HrEventEntry]
    next: str | None = Field(description="Cursor to older events.")
    disclosure: DisclosureNote


class EventQuery(Input):
    """Which of several events that share an id."""

    source: Source | None = Field(None, description="Needed only where two sources of one caller share the id.")


class ReplayCreate(Input):
    """That an event is to be tried again, or given up, and why."""

    reason: Annotated[str, StringConstraints(min_length=4, max_length=500)] = Field(
        description="Why; kept sealed with the record of it.", examples=["工号已在人事系统更正"]
    )


class EventListQuery(EventQuery):
    """Which events are looked for; every filter that is given must match."""

    state: EventState | None = None
    type: EventType | None = None
    subject: EmployeeNo | None = Field(
        None, description="Employee number, or code of a department.", examples=["E9001"]
    )
    source: Source | None = None
    entry: UUID | None = Field(None, description="The entry that a notice of the ledger names as `hr.id`.")
    limit: Limit = 20
    cursor: CursorText | None = Field(None, description="`next` of the page before.")

    def shape(self) -> dict[str, Any]:
        """Give what identifies the question, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)
