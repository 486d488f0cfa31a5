"""What comes in about consents and privacy notices, and the shapes of what goes out."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from app.contacts.schemas import ChangeActor
from app.disclosure.view import DisclosureNote, EmptyField, ShownField, WithheldField
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.pack import Kind

ConsentBasis = Literal["consent", "separate_consent", "provision", "cross_border", "number_tail"]
_TABS: Final = frozenset("\n\t")
_BASIS: Final = (
    "`consent` and `separate_consent`: to collecting the field, where the form of the kind rests on it; `provision`: to giving it to "
    "another handler; `cross_border`: to giving it abroad; `number_tail`, of `mobile` alone: to a short number that ends so, from a "
    "pool that gives such; withdrawing it leaves numbers as they are."
)


def _plain_text(value: object) -> object:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
        if any((ord(letter) < 32 and letter not in _TABS) or ord(letter) == 127 for letter in value):  # noqa: PLR2004 — ASCII controls
            raise Rejected("invalid_text", "The text has control characters.", "文本含有控制字符。")
    return value


def _storable(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 2199:  # noqa: PLR2004 — years that mean something here and fit both stores
        raise Rejected("out_of_range", "The time is out of range.", "时间超出范围。")
    return moment.astimezone(UTC)


FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
FieldNames = Annotated[tuple[FieldName, ...], Field(min_length=1, max_length=40, examples=[["wechat"]])]
Proof = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=4, max_length=1000), BeforeValidator(_plain_text)
]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200), BeforeValidator(_plain_text)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=10, max_length=20_000), BeforeValidator(_plain_text)
]
Moment = Annotated[AwareDatetime, AfterValidator(_storable)]

NEW_CONSENTS: Final[list[JsonValue]] = [
    {"fields": ["wechat"], "basis": "consent", "purpose": "work_contact"},
    {
        "fields": ["relations"],
        "basis": "separate_consent",
        "purpose": "emergency",
        "proof": "Paper form of the guardian, file 2026-117",
    },
]
"""Bodies of `POST /v1/contacts/{id}/consents`: of the person, and of whoever puts it on record."""


class ConsentCreate(Input):
    """Consent to some fields, on one basis, for one purpose."""

    model_config = ConfigDict(json_schema_extra={"examples": NEW_CONSENTS})
    fields: FieldNames
    basis: ConsentBasis = Field(description=_BASIS)
    purpose: Purpose
    proof: Proof | None = Field(
        None, description="What shows it; needed from whoever puts the word of somebody else on record. Sealed."
    )


class WithdrawalCreate(Input):
    """A consent taken back, for some fields."""

    fields: FieldNames
    basis: ConsentBasis = Field(description=_BASIS)
    proof: Proof | None = Field(None, description="As with a consent.")


class ConsentReceipt(Output):
    """Which consents of the contact are live now, on that basis, of the fields that were named."""

    id: UUID = Field(description="The contact.")
    basis: ConsentBasis
    fields: list[str] = Field(description="Fields that this call changed.", examples=[["wechat"]])
    live: list[str] = Field(description="Fields named in the call whose consent is live now.")


class ConsentQuery(Input):
    """A page of consents."""

    limit: Limit = 20
    cursor: CursorText | None = None


class ConsentView(Output):
    """A consent to one field, given or withdrawn."""

    id: UUID
    field: str = Field(examples=["wechat"])
    basis: ConsentBasis
    event: Literal["given", "withdrawn"]
    purpose: Purpose | None = Field(description="Null for a withdrawal.")
    source: Literal["person", "recorded"] = Field(description="Said by the person, or put on record by somebody else.")
    proof: ShownField | WithheldField | EmptyField
    notice_version: int | None = Field(description="The privacy notice that was in force then.")
    forms: str = Field(
        description="The collection forms that were in force then.", examples=["forms-1.0.0+0123456789ab"]
    )
    at: datetime
    actor: ChangeActor


class ConsentState(Output):
    """Whether the consent that a field rests on, or another one, is live."""

    field: str
    basis: ConsentBasis
    live: bool


class ConsentPage(Output):
    """What was given and withdrawn, newest first, and what stands now."""

    items: list[ConsentView]
    next: str | None
    states: list[ConsentState] = Field(
        description="Every consent that is live, and every field of the contact's form that rests on one that is not."
    )
    disclosure: DisclosureNote


class NoticeCreate(Input):
    """A version of the privacy notice, in both languages."""

    title_zh: Title = Field(examples=["员工个人信息处理告知书"])
    title_en: Title = Field(examples=["How we handle your personal data"])
    text_zh: Text = Field(examples=["我们为人力资源管理之目的处理您的姓名、部门与办公联系方式……"])
    text_en: Text = Field(examples=["To manage staff we handle your name, department and office contacts …"])
    valid_from: Moment | None = Field(None, description="Not in the past; default: now.")


class NoticeView(Output):
    """A version of the privacy notice."""

    id: UUID
    version: int = Field(examples=[1])
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    digest: str = Field(description="SHA-256 of version, titles, texts and time, in hexadecimal.")
    valid_from: datetime
    published_at: datetime
    current: bool = Field(description="Whether it is the version in force.")


class NoticePage(Output):
    """Versions, newest first."""

    items: list[NoticeView]
    next: str | None


class NoticeQuery(Input):
    """Which versions."""

    current: bool = Field(default=False, description="The one in force alone.")
    limit: Limit = 20
    cursor: CursorText | None = None


class NoticeReceipt(Output):
    """A version that was published."""

    id: UUID
    version: int
    digest: str
    valid_from: datetime


class AcknowledgementReceipt(Output):
    """The caller has seen a version."""

    notice: UUID
    version: int
    acknowledged_at: datetime


class AcknowledgementQuery(Input):
    """Whom to list."""

    state: Literal["missing", "acknowledged"] = Field("missing", description="Who has not yet, or who has.")
    limit: Limit = 20
    cursor: CursorText | None = None


class Acknowledger(Output):
    """Somebody of whom it is asked to see the notice."""

    id: UUID
    name: str | None
    employee_no: str | None
    department: str | None = Field(description="Name of the main department.")
    acknowledged_at: datetime | None


class AcknowledgementPage(Output):
    """How many of the people with an account have seen a version, and who has or has not. Only whom the caller may see counts."""

    version: int
    people: int
    acknowledged: int
    items: list[Acknowledger]
    next: str | None
    disclosure: DisclosureNote


class BasisView(Output):
    """A ground on which a field is collected."""

    id: str = Field(examples=["hr_management"])
    clauses: list[str] = Field(examples=[["PIPL-13.2"]])
    zh: str
    en: str


class FormField(Output):
    """A field of a form."""

    name: str = Field(examples=["mobile"])
    zh: str = Field(examples=["工作手机"])
    en: str = Field(examples=["Work mobile"])
    class_: FieldClass = Field(alias="class")
    basis: str = Field(
        description="The ground that it is collected on, as `bases` explains.", examples=["hr_management"]
    )
    required: bool
    collected: bool = Field(description="False: the form knows it, and it is switched off here.")


class RetentionView(Output):
    """How long a contact is kept."""

    begins: Literal["created", "left", "contract_until"]
    days: int


class FormView(Output):
    """What one kind of contact may carry. A member outside of it is refused: 422 `not_collected`."""

    kind: Kind
    zh: str
    en: str
    retention: RetentionView | None
    fields: list[FormField]


class FormList(Output):
    """All collection forms."""

    items: list[FormView]
    bases: list[BasisView]
    forms: str = Field(description="Version and content.", examples=["forms-1.0.0+0123456789ab"])
    version: str
