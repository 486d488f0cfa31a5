"""What a source may say, and what it is told.

The envelope is that of CloudEvents, the members of ``data`` depend on the type. They are read strictly: an unknown member, a value
of the wrong form or a time without offset is refused and nothing is stored. Data of types that this version does not act on must be JSON
of bounded size, and is not looked into.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)

from app.contacts.schemas import DepartmentRef, EmployeeNo, Name, Raw, UserName
from app.hr.models import EventState
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.pack import WorkerKind

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
EventId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:@+=~-]+$"),
    Field(
        description="The source's own id of the event, opaque: no names or numbers of people in it.",
        examples=["evt-0001"],
    ),
]
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$"),
    Field(
        description="Which system the event comes from; ids are unique within it, for ever.",
        examples=["https://hr.example.com"],
    ),
]


def _storable(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 2199:  # noqa: PLR2004 — years that mean something here and fit both stores
        raise Rejected("out_of_range", "The time is out of range.", "时间超出范围。")
    return moment


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_storable),
    Field(description="RFC 3339, with offset.", examples=["2026-11-02T09:00:00+08:00"]),
]
PersonRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$")]

_MOST_MEMBERS: Final = 100
_OPEN_DATA: Final = TypeAdapter(Annotated[dict[str, JsonValue], Field(max_length=_MOST_MEMBERS)])


class LeftData(Input):
    """Data of ``employee.left``."""

    effective_at: Moment | None = Field(
        None, description="When it takes effect; default: now. The future is not supported yet."
    )


class JoinedData(Input):
    """Data of ``employee.joined``: the card, without the employee number, which is the event's subject."""

    name: Name = Field(examples=["欧阳明月"])
    department: DepartmentRef = Field(description="Code of the department.", examples=["RD"])
    user_name: UserName | None = Field(None, examples=["ouyang.mingyue"])
    name_en: Name | None = None
    alias: Name | None = None
    title: Name | None = None
    manager: PersonRef | None = Field(None, description="Employee number, or id of the contact.", examples=["E9001"])
    worker_kind: WorkerKind | None = None
    location: Name | None = None
    office_phone: Raw | None = None
    email: Raw | None = Field(None, examples=["staff@example.com"])
    mobile: Raw | None = Field(None, examples=["13800000001"])
    wecom_id: Raw | None = None
    personal_mobile: Raw | None = None
    personal_email: Raw | None = None
    wechat: Raw | None = None
    home_address: Raw | None = None
    birth_date: Raw | None = None
    id_number: Raw | None = None
    effective_at: Moment | None = Field(
        None, description="When it takes effect; default: now. The future is not supported yet."
    )
    until: date | None = Field(None, description="Last day of a contract with an end.")

    def members(self, subject: str) -> dict[str, Any]:
        """Give the members of the card that the source wrote, under the card's names; ``manager`` stays as written."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"effective_at", "until"}}
        return {**given, "employee_no": subject, **({} if self.until is None else {"contract_until": self.until})}


def _written(value: object) -> bytes:
    """Write JSON in one way; the standard library, because other people's data may hold integers of any size."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _written_as_json(data: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        _written(data)
    except ValueError:
        raise Rejected(
            "invalid_value", "NaN and Infinity are no JSON numbers.", "NaN 与 Infinity 不是 JSON 数值。"
        ) from None
    return data


Data = JoinedData | LeftData | dict[str, JsonValue]


class HrEventIn(Input):
    """A personnel event."""

    id: EventId
    source: Source
    type: EventType
    subject: EmployeeNo = Field(
        description="Employee number; for `department.*` the department's code.", examples=["E9001"]
    )
    time: Moment = Field(description="When it happened, RFC 3339 with offset.")
    sequence: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        None, description="Place in the subject's events, where kept."
    )
    data: Data

    @field_validator("data", mode="plain", json_schema_input_type=Data)
    @classmethod
    def _of_the_type(cls, value: object, info: ValidationInfo) -> Data:
        match info.data.get("type"):
            case "employee.joined":
                return JoinedData.model_validate(value)
            case "employee.left":
                return LeftData.model_validate(value)
            case _:
                return _written_as_json(_OPEN_DATA.validate_python(value))

    def canonical(self) -> bytes:
        """Write the event as read, so that two writings of one event are equal: sorted members, no white space."""
        data = self.data if isinstance(self.data, dict) else self.data.model_dump(mode="json", exclude_unset=True)
        envelope = self.model_dump(mode="json", exclude_unset=True, exclude={"data"})
        return _written({**envelope, "data": data})


class EventProblem(Output):
    """Why an event was not applied."""

    code: str = Field(examples=["unknown_department"])
    detail: str = Field(examples=["There is no such department"])


class HrReceipt(Output):
    """What became of an event."""

    id: str = Field(description="The event's id, as sent.", examples=["evt-0001"])
    state: EventState
    contact_id: UUID | None = Field(description="Whom it was about, where the directory knows them.")
    numbers: list[str] = Field(description="Short numbers that came with it.", examples=[[]])
    problem: EventProblem | None

    @classmethod
    def of(
        cls,
        event_id: str,
        state: EventState,
        contact_id: UUID | None,
        problem: Mapping[str, str] | None,
        *,
        chinese: bool,
    ) -> Self:
        """Tell an outcome in the caller's language."""
        told = (
            None
            if problem is None
            else EventProblem(code=problem["code"], detail=problem["detail_zh" if chinese else "detail"])
        )
        return cls(id=event_id, state=state, contact_id=contact_id, numbers=[], problem=told)


class EventQuery(Input):
    """Which of several events that share an id."""

    source: Source | None = Field(None, description="Needed only where two sources of one caller share the id.")
