"""What comes in about addresses outside, and the shapes of what goes out."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from app.auth.roles import Role
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.notices.messages import TITLES
from app.notices.notice import PATTERNS, TYPES
from app.notices.told import DeliveryState
from app.notices.webhook import Cause, Kind, State

_KNOWN: Final = frozenset(PATTERNS)
_KIND: Final = "`standard`: a program of yours, told by signed posts; the others: the robot of a group chat, told a title and a link."
_TYPES: Final = "Types of notices, or all of a family by `family.*`.\n\n" + "\n".join(
    f"- `{each}`: {TITLES[each][1]} · {TITLES[each][0]}" for each in TYPES
)
_ROLES: Final = "For robots alone: the group hears what is for holders of these roles."
_URL: Final = (
    "Public https address, as `https://host/path`; of a robot as its platform gives it, with its key. Kept sealed."
)
_SIGNS_WITH: Final = (
    "For robots that sign (`feishu`, `dingtalk`): the secret that the platform gave. Kept sealed, never told."
)
_EXAMPLE: Final[dict[str, Any]] = {
    "label": "Ticket system",
    "url": "https://tickets.example.com/hooks/duanhao",
    "types": ["request.*", "calendar.confirmed"],
}
_ROBOT: Final[dict[str, Any]] = {
    "kind": "dingtalk",
    "label": "IT on duty",
    "url": "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
    "secret": "SEC0123456789abcdef",
    "types": ["request.activated", "request.escalated"],
    "roles": ["it"],
}


def _known(pattern: str) -> str:
    if pattern not in _KNOWN:
        code, english = "unknown_type", "There is no notice of this type."
        raise Rejected(code, english, "没有该类型的通知。")
    return pattern


TypePattern = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(PATTERNS)})]
TypePatterns = Annotated[tuple[TypePattern, ...], Field(min_length=1, max_length=len(PATTERNS), description=_TYPES)]
Roles = Annotated[tuple[Role, ...], Field(max_length=len(Role), description=_ROLES)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Secret = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{8,200}$")]


class WebhookCreate(Input):
    """An address outside that is to be told of what happens."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE, _ROBOT]})
    kind: Kind = Field("standard", description=_KIND)
    label: Label = Field(description="What its keepers call it. No personal data.")
    url: Url = Field(description=_URL)
    types: TypePatterns
    roles: Roles = ()
    secret: Secret | None = Field(None, description=_SIGNS_WITH)


class WebhookAmend(Input):
    """Changes to an address, as a JSON Merge Patch (RFC 7396)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "paused"}, {"types": ["request.*"]}]})
    label: Label = ""
    url: Url = Field("", description=_URL)
    types: TypePatterns = ()
    roles: Roles = ()
    secret: Secret | None = Field(None, description=_SIGNS_WITH)
    state: Literal["active", "paused", "disabled"] = Field(
        "active",
        description="`paused` keeps what happens meanwhile (a month); `disabled` does not; `active` begins anew.",
    )


class DeliveriesQuery(Input):
    """Which tellings of an address are listed."""

    state: DeliveryState | None = Field(None, description="`dead`: given up, and can be replayed.")
    limit: Limit = 20
    cursor: CursorText | None = None


class WebhookView(Output):
    """One address. Of a robot's URL, and of a query, no more is told than that there is one."""

    id: UUID
    kind: Kind
    label: str
    url: str
    types: list[str]
    roles: list[str]
    state: State
    cause: Cause | None = Field(
        description="Why it is disabled: `gone` (it said so), `dead` (five days without one success), `operator`."
    )
    signed: bool = Field(description="Whether what it is sent is signed.")
    former_secret_until: AwareDatetime | None = Field(description="Until when the secret before signs too.")
    created_at: AwareDatetime
    version: str


class WebhookRead(WebhookView):
    """One address, and under which record it was shown."""

    disclosure: DisclosureNote


class WebhookPage(Output):
    """All addresses, oldest first."""

    items: list[WebhookView]
    next: None
    disclosure: DisclosureNote


class WebhookMade(WebhookView):
    """Receipt of a new address."""

    secret: str | None = Field(
        description="What a `standard` address verifies signatures with (Standard Webhooks). Told this once; a repeat has null.",
        examples=["whsec_…"],
    )


class SecretRotated(Output):
    """A new secret; the one before signs too until ``former_secret_until``."""

    id: UUID
    secret: str = Field(examples=["whsec_…"])
    former_secret_until: AwareDatetime
    version: str


class NoticeSummary(Output):
    """What was told."""

    id: UUID = Field(description="`webhook-id` of every attempt.")
    type: str = Field(examples=["request.decided"])
    occurred_at: AwareDatetime


class DeliveryView(Output):
    """How one telling stands. Nothing is kept of an answer but its status."""

    id: UUID
    webhook: UUID
    notice: NoticeSummary | None = Field(description="Null when what is stored of it does not verify.")
    state: DeliveryState
    attempts: int
    due_at: AwareDatetime | None = Field(description="When it is tried next.")
    tried_at: AwareDatetime | None
    outcome: str | None = Field(
        description="`delivered`, `http_error`, `redirect`, `timeout`, `unreachable`, `tls_failed`, `unresolvable`, `target_refused`, "
        "`gone`, `robot_refused`, `robot_gone`, `webhook_unreadable`, `notice_unreadable`, `webhook_disabled`.",
        examples=["http_error"],
    )
    status: int | None = Field(examples=[503])
    took_ms: int | None
    created_at: AwareDatetime


class DeliveryRead(DeliveryView):
    """One telling, and under which record it was shown."""

    disclosure: DisclosureNote


class DeliveryPage(Output):
    """A page of tellings, newest first."""

    items: list[DeliveryView]
    next: str | None
    disclosure: DisclosureNote
