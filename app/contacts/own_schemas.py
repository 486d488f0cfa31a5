"""Shapes of what front ends ask beside cards: oneself, who looked at one, what the fields mean, photos, tags."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from app.audit.events import ActorType
from app.contacts.schemas import ContactItem, DepartmentView, Prose, Short
from app.disclosure.fields import MaskKind
from app.disclosure.view import NEXT_STEPS, DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.marks import MarkKind, MarkReason
from app.permissions.outcomes import FieldClass, Purpose, Tier
from app.permissions.pack import Kind
from app.permissions.plan import ScopeKind


class MeQuery(Input):
    """How one's own card is read."""

    purpose: Purpose = Purpose.WORK_CONTACT


class GrantScopeView(Output):
    """Which contacts an exception is about."""

    kind: ScopeKind
    value: str | None = Field(description="An id, a region, a legal entity, a kind or a tag, as `kind` says.")


class GrantView(Output):
    """An exception that an approved request gave the caller: fields of some contacts, for a purpose and a time."""

    id: UUID
    scope: GrantScopeView
    contact: UUID | None
    department: DepartmentView | None
    fields: list[str] = Field(examples=[["mobile"]])
    state: Literal["shown", "masked"]
    purpose: Purpose = Field(description="The purpose to look with, for the grant to count.")
    starts_at: datetime
    ends_at: datetime


class MarkView(Output):
    """A mark that caps what the caller sees: why, and when it ends by itself (null: when somebody takes it off)."""

    kind: MarkKind
    reason: MarkReason
    starts_at: datetime
    ends_at: datetime | None


class QuotaView(Output):
    """How much of others' reachable data (C3 and above, masked or shown) the caller has been shown today, over all tokens."""

    kind: str = Field(
        description="`contacts`: people in cards and lists; `reveals`: reveals.", examples=["contacts", "reveals"]
    )
    limit: int = Field(examples=[2000])
    used: int = Field(examples=[40])
    left: int = Field(examples=[1960])
    resets_at: datetime


class StandingView(Output):
    """What the service knows of the caller when it decides; nothing of it comes from the token but scopes and the second proof."""

    tier: Tier
    roles: list[str] = Field(examples=[["dept_head"]])
    departments: list[DepartmentView] = Field(description="Departments that the caller belongs to.")
    headed: list[DepartmentView] = Field(description="Departments of which the caller is head, directly or from above.")
    client_id: str = Field(description="The front end through which the caller calls.", examples=["intranet"])
    ceiling: FieldClass | None = Field(description="The highest class that this front end shows to anybody; null: all.")
    scopes: list[str] = Field(examples=[["contacts:read", "contacts:reveal"]])
    step_up: bool = Field(description="Whether the token bears a fresh second proof of identity.")
    grants: list[GrantView] = Field(description="In force, or to come.")
    marks: list[MarkView] = Field(description="In force, or to come.")
    quotas: list[QuotaView]
    policy_version: str = Field(examples=["open-1.0.0+0123456789ab"])


class CurrentNotice(Output):
    """The privacy notice in force."""

    id: UUID
    version: int = Field(examples=[1])
    valid_from: datetime


class NoticeStanding(Output):
    """Whether the caller has seen the privacy notice in force."""

    current: CurrentNotice | None = Field(description="Null while none is in force.")
    acknowledged: datetime | None = Field(description="When the caller acknowledged it; null: not yet.")


class MeView(Output):
    """The caller's own card, and standing. `version` is that of the whole answer; the card has its own, which `If-Match` takes."""

    card: ContactItem
    standing: StandingView
    privacy_notice: NoticeStanding
    version: str
    disclosure: DisclosureNote


class ViewedByQuery(Input):
    """A page of looks at oneself."""

    own: bool = Field(default=False, description="One's own looks at oneself too.")
    limit: Limit = 20
    cursor: CursorText | None = None


class LookerDepartment(Output):
    """The department that somebody belonged to when looking, by its name of now."""

    id: UUID
    code: str
    name: str
    path: str


class Looker(Output):
    """Who looked. A person whom the caller may not know of is "a colleague", without an id."""

    type: ActorType
    id: str | None = Field(description="A contact's id for people, the client id for service accounts.")
    name: str | None = Field(examples=["a colleague"])
    department: LookerDepartment | None
    own: bool = Field(description="Whether it was the caller.")


class LookView(Output):
    """One look at the caller: what was shown of which field. A look at a list shows the same members as one at a card."""

    event_id: UUID
    at: datetime
    actor: Looker
    client_id: str | None = Field(description="The front end or service account through which it was asked.")
    action: str = Field(examples=["contact.read", "contact.list", "contact.reveal"])
    purpose: str = Field(examples=["work_contact"])
    fields: dict[str, Literal["shown", "masked", "withheld", "empty"]] = Field(
        description="Protected fields and how they were told; plain members are told by every look.",
        examples=[{"mobile": "masked", "email": "shown"}],
    )


class ViewedByPage(Output):
    """A page of looks, newest first. It may be short or empty although `next` is set: then there is more to look through."""

    items: list[LookView]
    next: str | None
    disclosure: DisclosureNote


class SightView(Output):
    """What policy gives of a field, whoever carries it."""

    state: Literal["shown", "masked", "withheld"]
    next: str | None = Field(None, description=NEXT_STEPS, examples=["reveal"])


class FieldGuideView(Output):
    """One field of a contact."""

    name: str = Field(
        examples=["mobile"],
        description="A name that is plain for some kinds and sealed for others is told twice: once for each.",
    )
    zh: str = Field(examples=["工作手机"])
    en: str = Field(examples=["Work mobile"])
    class_: FieldClass = Field(alias="class", description="How protected it is.")
    kinds: list[Kind] = Field(description="Kinds of contact that may carry it.")
    protected: bool = Field(description="Sealed, and shown as an object with `state`; all others are bare values.")
    mask: MaskKind | None = Field(
        description="How a masked value is written; a `picture` is never masked but withheld."
    )
    collected: bool = Field(
        description="Whether forms ask for it here; C5 fields are off until the operator turns them on."
    )
    path: str | None = Field(description="Where it is read, for what is not on the card.")
    sight: dict[Literal["self", "own_department", "headed", "others"], SightView] = Field(
        description="What the caller is shown, for `work_contact`, of an ordinary contact that stands so to them; from policy alone."
    )


class FieldGuideList(Output):
    """All fields, in the order of the card."""

    items: list[FieldGuideView]
    policy_version: str
    version: str


class PhotoReceipt(Output):
    """What a photo became. `version` is its `ETag`, or null when the writer is not shown photos of this contact."""

    id: UUID
    version: str | None
    width: Annotated[int, Field(ge=1, le=512)]
    height: Annotated[int, Field(ge=1, le=512)]
    size: Annotated[int, Field(ge=1, le=262_144, description="Bytes.")]


def _without_slash(value: object) -> object:
    if isinstance(value, str) and "/" in value:
        raise Rejected("invalid_text", "A tag of the list has no slash.", "标签不能含有斜杠。")
    return value


class TagQuery(Input):
    """What a list of tags asks for."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] | None = Field(
        None, description="Beginning of the tag."
    )
    limit: Limit = 20
    cursor: CursorText | None = None


class TagCreate(Input):
    """A tag to offer."""

    name: Annotated[Short, BeforeValidator(_without_slash)] = Field(examples=["消防安全员"])
    description: Annotated[Prose, StringConstraints(max_length=200)] | None = Field(
        None, examples=["Fire safety officer of a floor"]
    )


class TagReceipt(Output):
    """A tag that is offered now."""

    name: str
    description: str | None


class TagView(Output):
    """A tag, and how many of the contacts that the caller can see carry it."""

    name: str
    description: str | None
    offered: bool = Field(description="Whether it is in the company's own list.")
    contact_count: int


class TagPage(Output):
    """A page of tags, by name."""

    items: list[TagView]
    next: str | None
    disclosure: DisclosureNote
