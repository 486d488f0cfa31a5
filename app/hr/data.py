"""What a source may say of each type of event: the members of ``data``.

Read strictly: an unknown member or a value of the wrong form is refused. Members of people are those of the card, under the card's names,
with two differences: people are named by employee number (or id), and ``until`` is the last day of a contract with an end. The employee
number itself is the event's subject. How secret a person is, and tags, are not the personnel system's to say.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.contacts.schemas import Area, DepartmentRef, Membership, Name, Prose, Raw, Relations, Short, UserName
from app.departments.schemas import DepartmentName, LegalEntity, Order, Region
from app.departments.schemas import DepartmentRef as ParentRef
from app.kit.problems import Rejected
from app.kit.schemas import Input
from app.permissions.pack import WorkerKind


def _storable(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 2199:  # noqa: PLR2004 — years that mean something here and fit both stores
        raise Rejected("out_of_range", "The time is out of range.", "时间超出范围。")
    return moment


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_storable),
    Field(description="RFC 3339, with offset.", examples=["2026-11-02T09:00:00+08:00"]),
]
EventId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:@+=~-]+$"),
    Field(
        description="The source's own id of the event, opaque: no names or numbers of people in it.",
        examples=["evt-0001"],
    ),
]
PersonRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$")]
Memberships = Annotated[list[Membership], Field(max_length=20)]

_EFFECTIVE: Final = "When it takes effect; default: at its time. An event of the future is `scheduled` until then."
_PERSON: Final = "Employee number, or id of the contact."
_NOT_REMOVABLE: Final = ("not_removable", "This member cannot be removed.", "此字段不能删除。")


class EventData(Input):
    """Data of any type."""

    effective_at: Moment | None = Field(None, description=_EFFECTIVE)

    def given(self) -> dict[str, Any]:
        """List the members that the source wrote about the subject, under the names of the card; ``None`` removes."""
        named = {"until": "contract_until"}
        return {named.get(name, name): getattr(self, name) for name in self.model_fields_set - {"effective_at"}}


class _Changes(EventData):
    """Data that change something: at least one member besides the time."""

    kept: ClassVar[frozenset[str]] = frozenset()
    """Members that cannot be taken away."""

    @field_validator("*", mode="after")
    @classmethod
    def _not_removed(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.field_name in cls.kept:
            raise Rejected(*_NOT_REMOVABLE)
        return value

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.given():
            raise Rejected("nothing_given", "No member is given.", "未给出任何字段。")
        return self


class PersonData(EventData):
    """Data of a type that is about a person's card."""


class _Reachable(PersonData):
    """How a person is called and reached, and what HR collects."""

    user_name: UserName | None = Field(None, examples=["ouyang.mingyue"])
    name_en: Name | None = None
    alias: Name | None = None
    title: Name | None = Field(None, examples=["研发工程师"])
    manager: PersonRef | None = Field(None, description=_PERSON, examples=["E9001"])
    dotted_manager: PersonRef | None = Field(None, description=_PERSON)
    backup_contact: PersonRef | None = Field(None, description=_PERSON)
    worker_kind: WorkerKind | None = None
    location: Name | None = None
    duties: Prose | None = None
    work_area: Area | None = None
    category: Short | None = None
    contract_ref: Short | None = None
    away_until: date | None = None
    office_phone: Raw | None = None
    fax: Raw | None = None
    email: Raw | None = Field(None, examples=["staff@example.com"])
    mobile: Raw | None = Field(None, examples=["13800000001"])
    wecom_id: Raw | None = None
    personal_mobile: Raw | None = None
    personal_email: Raw | None = None
    wechat: Raw | None = None
    qq: Raw | None = None
    plate: Raw | None = None
    home_address: Raw | None = None
    birth_date: Raw | None = None
    id_number: Raw | None = None
    private_notes: Raw | None = None
    relations: Relations | None = Field(None, description="Replaces the whole list.")
    until: date | None = Field(None, description="Last day of a contract with an end.")


class JoinedData(_Reachable):
    """Data of ``employee.joined``: the card, without the employee number, which is the event's subject."""

    name: Name = Field(examples=["欧阳明月"])
    department: DepartmentRef = Field(description="Code of the department.", examples=["RD"])
    memberships: Memberships = Field([], description="Further departments.")
    applicant: UUID | None = Field(
        None, description="Id of the applicant who joins: the same contact, an employee from now on."
    )

    def given(self) -> dict[str, Any]:
        """List the members that the source wrote about the card."""
        return {name: value for name, value in super().given().items() if name != "applicant"}


class RehiredData(_Reachable):
    """Data of ``employee.rehired``: where the person works now. What is not given stays as it was, but for the former place's members."""

    name: Name | None = Field(None, examples=["欧阳明月"])
    department: DepartmentRef = Field(description="Code of the department.", examples=["SALES"])
    memberships: Memberships = Field([], description="Further departments.")

    @field_validator("name", "worker_kind", mode="after")
    @classmethod
    def _not_removed(cls, value: object) -> object:
        if value is None:
            raise Rejected(*_NOT_REMOVABLE)
        return value


class MovedData(_Changes, PersonData):
    """Data of ``employee.moved``: another place in the company; what is not given stays, ``null`` removes."""

    kept: ClassVar[frozenset[str]] = frozenset({"department", "memberships"})

    department: DepartmentRef | None = Field(None, description="Code of the department.", examples=["SALES"])
    title: Name | None = Field(None, examples=["客户经理"])
    manager: PersonRef | None = Field(None, description=_PERSON, examples=["E9001"])
    dotted_manager: PersonRef | None = Field(None, description=_PERSON)
    memberships: Memberships | None = Field(None, description="All further departments; an empty list ends them.")
    location: Name | None = None


class UpdatedData(_Changes, _Reachable):
    """Data of ``employee.updated``: what changed on the card; what is not given stays, ``null`` removes."""

    kept: ClassVar[frozenset[str]] = frozenset({"name", "worker_kind"})

    name: Name | None = Field(None, examples=["欧阳明月"])


class LeavingData(PersonData):
    """Data of ``employee.leaving``: it is known that the person goes. Nothing ends before ``employee.left`` says so."""

    last_day: date = Field(description="Last day of work; stands on the card as the end of the contract.")

    def given(self) -> dict[str, Any]:
        """List the one member that this writes on the card."""
        return {"contract_until": self.last_day}


class LeftData(EventData):
    """Data of ``employee.left``."""

    hand_over_to: PersonRef | None = Field(
        None,
        description="Who takes over what can be handed on, by employee number or id; nobody: the next head.",
        examples=["E9002"],
    )


class CancelledData(EventData):
    """Data of ``employee.cancelled``: an event of the same source and subject is withdrawn before it takes effect.

    Of those that have taken effect only ``employee.leaving`` can be withdrawn, while nothing later has changed the person's status.
    """

    event: EventId = Field(description="Id of the event that is withdrawn.", examples=["evt-0005"])


class DepartmentCreatedData(EventData):
    """Data of ``department.created``; the event's subject is the code."""

    name: DepartmentName = Field(examples=["数据平台部"])
    parent: ParentRef | None = Field(None, description="Code of the department above.", examples=["RD"])
    head: PersonRef | None = Field(None, description=_PERSON, examples=["E9001"])
    deputy: PersonRef | None = Field(None, description=_PERSON)
    order: Order = 0
    region: Region | None = Field(None, examples=["CN"])
    legal_entity: LegalEntity | None = None
    protected: bool = False


class DepartmentUpdatedData(_Changes):
    """Data of ``department.updated``; what is not given stays, ``null`` removes."""

    kept: ClassVar[frozenset[str]] = frozenset({"name", "order", "region", "protected"})

    name: DepartmentName | None = Field(None, examples=["数据平台部"])
    head: PersonRef | None = Field(None, description=_PERSON, examples=["E9001"])
    deputy: PersonRef | None = Field(None, description=_PERSON)
    order: Order | None = None
    region: Region | None = Field(None, examples=["CN"])
    legal_entity: LegalEntity | None = None
    protected: bool | None = None


class DepartmentMovedData(EventData):
    """Data of ``department.moved``."""

    parent: ParentRef | None = Field(description="Code of the department above; ``null`` for the top.", examples=["IT"])


class DepartmentClosedData(EventData):
    """Data of ``department.closed``; refused while anything or anybody belongs to it."""


class DepartmentMergedData(EventData):
    """Data of ``department.merged``: everybody and everything of the department goes to another one, and the department is closed."""

    into: ParentRef = Field(description="Code of the department that takes them over.", examples=["IT"])


StructureData = (
    DepartmentCreatedData | DepartmentUpdatedData | DepartmentMovedData | DepartmentMergedData | DepartmentClosedData
)
"""Data of the types that are about a department."""

CareerData = JoinedData | MovedData | UpdatedData | LeavingData | LeftData | RehiredData
"""Data of the types that are about a person."""

Known = CareerData | CancelledData | StructureData
"""Data of every type."""

DATA: Final[Mapping[str, type[Known]]] = {
    "employee.joined": JoinedData,
    "employee.moved": MovedData,
    "employee.updated": UpdatedData,
    "employee.leaving": LeavingData,
    "employee.left": LeftData,
    "employee.rehired": RehiredData,
    "employee.cancelled": CancelledData,
    "department.created": DepartmentCreatedData,
    "department.updated": DepartmentUpdatedData,
    "department.moved": DepartmentMovedData,
    "department.merged": DepartmentMergedData,
    "department.closed": DepartmentClosedData,
}
