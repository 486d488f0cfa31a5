"""What comes in about contacts, and the shapes of what goes out.

Inputs are read strictly: unknown members are refused, texts bounded, values brought to one normal form before anything else happens.
"""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from app.contacts.names import NEW_CONTACTS, PLAIN_NAME, NameView
from app.disclosure.looks import CaseNumber
from app.disclosure.view import DisclosureNote, FieldView, RelationView
from app.kit.letters import UNSEEN, hides
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose
from app.permissions.pack import Kind, Secrecy, Status, WorkerKind

CONTROLS: Final = ("invalid_text", "The text has control characters.", "文本含有控制字符。")
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Controls, ends of lines, what turns the direction of the text after it (a name that says another on the screen).

Characters of private use stand for rare ones in old systems.
"""


def readable(value: object) -> object:
    """Refuse a text that does not show what it holds; for use before a text is bounded."""
    if not isinstance(value, str) or value.isprintable():
        return value
    if _UNREADABLE.search(value):
        raise Rejected(*CONTROLS)
    return value


def visible(value: object) -> object:
    """Refuse, besides, characters that show nothing: two cards would look alike. For what is written on cards, not for what is sought."""
    if isinstance(value, str) and hides(value):
        raise Rejected(*UNSEEN)
    return readable(value)


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), BeforeValidator(visible)]
Area = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(visible)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), BeforeValidator(visible)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), BeforeValidator(visible)]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$")]
EmployeeNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
DepartmentRef = Annotated[str, StringConstraints(min_length=1, max_length=36)]
Raw = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=4, max_length=500),
    BeforeValidator(readable),
    Field(examples=["Call back about the delivery of 21 November"]),
]
"""Why somebody looks, in their own words."""


class Membership(Input):
    """A further department of a contact."""

    department: DepartmentRef
    title: Name | None = None
    order: Annotated[int, Field(ge=0, le=10_000)] = 0
    leader: bool = False


class Relation(Input):
    """Somebody to call for a contact: in an emergency, or because they answer for a minor."""

    kind: Literal["emergency", "guardian"]
    name: Name = Field(examples=["仇静"])
    phone: Raw = Field(examples=["13800001234"])


Relations = Annotated[list[Relation], Field(max_length=10)]


class ContactMembers(Input):
    """Members that a card may be given; absent members stay as they are, ``null`` removes (RFC 7396)."""

    name: Name | None = None
    name_en: Name | None = None
    alias: Name | None = None
    worker_kind: WorkerKind | None = None
    user_name: UserName | None = None
    employee_no: EmployeeNo | None = None
    department: DepartmentRef | None = Field(None, description="Id or code.", examples=["RD"])
    title: Name | None = None
    memberships: Annotated[list[Membership], Field(max_length=20)] | None = None
    manager: UUID | None = None
    dotted_manager: UUID | None = None
    location: Name | None = None
    duties: Prose | None = None
    work_area: Area | None = None
    organisation: Area | None = Field(None, examples=["示例云帆贸易有限公司"])
    relation: Name | None = Field(None, examples=["客户"])
    contract_ref: Short | None = None
    contract_until: date | None = None
    review_due: date | None = None
    tags: Annotated[list[Short], Field(max_length=50)] | None = None
    category: Short | None = None
    away_until: date | None = None
    backup_contact: UUID | None = None
    secrecy: Secrecy | None = None
    office_phone: Raw | None = Field(None, examples=["010-88880001"])
    fax: Raw | None = None
    email: Raw | None = Field(None, examples=["staff@example.com"])
    mobile: Raw | None = Field(None, examples=["13800000001"])
    wecom_id: Raw | None = None
    business_phone: Raw | None = None
    business_email: Raw | None = None
    personal_mobile: Raw | None = None
    personal_email: Raw | None = None
    wechat: Raw | None = None
    qq: Raw | None = None
    plate: Raw | None = None
    delivery_address: Raw | None = None
    home_address: Raw | None = None
    birth_date: Raw | None = None
    id_number: Raw | None = None
    private_notes: Raw | None = None
    relations: Relations | None = Field(None, description="Replaces the whole list; sealed as one value.")

    def given(self) -> dict[str, Any]:
        """List the members that the caller wrote, ``None`` for those to be removed."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class ContactCreate(ContactMembers):
    """A new contact: members that the form of its kind asks for (`GET /v1/collection-forms`).

    Names of the kinds `external`, `student` and `applicant` are sealed like their numbers.
    """

    model_config = ConfigDict(json_schema_extra={"examples": NEW_CONTACTS})
    kind: Kind = "employee"
    name: Name


class ContactAmend(ContactMembers):
    """Changes to a contact, as a JSON Merge Patch (RFC 7396)."""

    status: Literal["active", "frozen", "leaving"] | None = None

    @field_validator("name", "status", "secrecy", "memberships", "tags", mode="after")
    @classmethod
    def _not_removed(cls, value: object) -> object:
        if value is None:
            raise Rejected("not_removable", "This member cannot be removed.", "此字段不能删除。")
        return value


class RevealRequest(Input):
    """A wish to see more of fields than the card shows."""

    fields: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)] = Field(examples=[["mobile"]])
    purpose: Purpose
    reason: Reason
    case: CaseNumber | None = Field(
        None,
        description=(
            "Number of the case that the look is for. Missing where the policy asks for one, it is a member that is missing, as `reason` "
            "would be. It stands in the access log as it is."
        ),
        examples=["INC-20260042"],
    )


class DepartmentView(Output):
    """A department as a card names it."""

    id: UUID
    code: str
    name: str
    path: str


class MembershipView(Output):
    """A further department of a contact."""

    department: DepartmentView | None
    title: str | None
    order: int
    leader: bool
    main: bool


class ContactPublic(Output):
    """The C1 members of a card."""

    id: UUID
    kind: Kind
    employee_no: str | None
    user_name: str | None
    worker_kind: WorkerKind | None
    status: Status
    department: DepartmentView | None
    title: str | None
    memberships: list[MembershipView]
    manager: UUID | None
    dotted_manager: UUID | None
    short_numbers: list[str]
    extension: str | None
    location: str | None
    duties: str | None
    work_area: str | None
    organisation: str | None
    relation: str | None
    contract_ref: str | None
    contract_until: date | None
    review_due: date | None
    tags: list[str]
    category: str | None
    away_until: date | None
    backup_contact: UUID | None
    retain_until: date | None = Field(
        description="Last day on which the contact is kept, where its kind has one from the start."
    )
    unconfirmed_since: date | None = Field(
        None,
        description="The day by which nobody had said that this card is right, though asked; absent when nothing is open.",
    )


class ContactReceipt(ContactPublic):
    """What a write answers: C1 members and the new version, never a protected value. So it names no external contact."""

    name: str | None = Field(None, description=PLAIN_NAME)
    name_en: str | None = Field(None, description=PLAIN_NAME)
    alias: str | None = Field(None, description=PLAIN_NAME)
    version: str | None = Field(
        description="`ETag` of the card as the writer would see it; `null` when only a look can tell."
    )


class ContactItem(ContactPublic):
    """One card of a page. Protected members that the contact's kind does not carry are absent."""

    name: NameView
    name_en: NameView
    alias: NameView
    office_phone: FieldView | None = None
    fax: FieldView | None = None
    email: FieldView | None = None
    mobile: FieldView | None = None
    wecom_id: FieldView | None = None
    business_phone: FieldView | None = None
    business_email: FieldView | None = None
    personal_mobile: FieldView | None = None
    personal_email: FieldView | None = None
    wechat: FieldView | None = None
    qq: FieldView | None = None
    plate: FieldView | None = None
    delivery_address: FieldView | None = None
    home_address: FieldView | None = None
    birth_date: FieldView | None = None
    id_number: FieldView | None = None
    private_notes: FieldView | None = None
    relations: FieldView | None = None
    version: str


class ContactView(ContactItem):
    """One card."""

    disclosure: DisclosureNote


class ContactPage(Output):
    """A page of cards."""

    items: list[ContactItem]
    next: str | None
    total: int | None = None
    disclosure: DisclosureNote


class RevealView(Output):
    """Revealed fields, and how long a front end may show them."""

    fields: dict[str, FieldView]
    display_seconds: int
    disclosure: DisclosureNote


class ChangeActor(Output):
    """Who changed something."""

    type: str
    id: str


class ChangeView(Output):
    """One member, changed, with the new value as the reader's card would show it.

    Changes of fields that the reader could not be shown are not listed: that a value changed is already something known of it. `purged`:
    the key of that quarter was destroyed, and nobody can read what it was any more.
    """

    field: str
    state: Literal["told", "removed", "purged"]
    value: str | list[RelationView] | None = None
    at: str
    actor: ChangeActor
    request_id: str | None


class HistoryPage(Output):
    """A page of changes, newest first."""

    items: list[ChangeView]
    next: str | None
    disclosure: DisclosureNote
