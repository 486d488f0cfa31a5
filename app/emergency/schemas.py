"""What comes in about emergencies, and the shapes of what goes out."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from app.contacts.schemas import Reason
from app.disclosure.view import DisclosureNote
from app.emergency.rules import MOST_DEPARTMENTS, Office, Scenario, Side, Verdict
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output

MOST_RECORDS = 200

Named = Annotated[str, StringConstraints(min_length=1, max_length=64)]
PublicKey = Annotated[str, StringConstraints(pattern=r"^duanhao-custodian-1:[A-Za-z0-9_-]{86}$")]
_ID = "019a0000-0000-7000-8000-000000000001"


class SessionOpen(Input):
    """Why glass is broken, and about whom."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": "safety", "reason": "Fire alarm in building B, two people missing", "departments": ["RD"]}
            ]
        }
    )
    scenario: Scenario
    reason: Reason = Field(description="In words; sealed, and read by the reviewers.")
    key_people: bool = Field(default=False, description="About the named list of key people (tag `key_person`).")
    departments: Annotated[tuple[Named, ...], Field(max_length=MOST_DEPARTMENTS)] = Field(
        (), description="The departments affected, by code or id; what is below is affected too."
    )

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        if not (self.key_people or self.departments):
            code, detail = "scope_missing", "Say whether it is about key people, or which departments are affected."
            raise Rejected(code, detail, "请指明关键人员名单或受影响的部门。")
        return self


class SessionRenewal(Input):
    """By how much an open session is lengthened, once."""

    minutes: Annotated[int, Field(ge=1, le=240)] = 60


class SessionReview(Input):
    """What one side says of a session."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"side": "infosec", "verdict": "justified", "comment": "Called only those who were missing"}]
        }
    )
    side: Side = Field(description="For which side the caller speaks; a role of theirs.")
    verdict: Verdict
    comment: Reason


class DigestDeferral(Input):
    """Why the people who were looked at are told later."""

    reason: Reason
    until: AwareDatetime = Field(description="At most 30 days off.")


class SessionQuery(Input):
    """Which sessions are listed."""

    state: Literal["all", "open", "unreviewed", "reviewed"] = "all"
    limit: Limit = 20
    cursor: CursorText | None = None


class CallListQuery(Input):
    """Which part of a session's people is listed."""

    part: Literal["key_people", "departments"] | None = Field(
        None, description="Absent: the departments, and where there are none the key people."
    )
    limit: Annotated[int, Field(ge=1, le=50)] = 20
    cursor: CursorText | None = None


class ReviewView(Output):
    """What one side has said."""

    side: Side
    reviewer: UUID
    verdict: Verdict
    at: datetime


class SessionView(Output):
    """One session."""

    id: UUID
    actor: UUID
    scenario: Scenario
    key_people: bool
    departments: list[UUID]
    state: Literal["open", "ended", "reviewed"]
    opened_at: datetime
    until: datetime
    hard_stop: datetime
    renewed_at: datetime | None
    confirmed_by: UUID | None = Field(
        description="The second person; until then nobody under special protection is shown."
    )
    confirmed_at: datetime | None
    ended_at: datetime | None
    cause: Literal["ended", "expired", "revoked"] | None
    subjects_told_at: datetime | None
    subjects_told_by: datetime = Field(description="When the people who were looked at are told, at the latest.")
    deferred_by: UUID | None
    review_due: datetime
    review_predicted: bool = Field(description="Whether that follows a calendar that may still change.")
    overdue: bool
    reviews: list[ReviewView]
    verdict: Verdict | None


class SessionRead(SessionView):
    """One session with its reason, for those who judge it and for who gave it."""

    reason: str | None
    disclosure: DisclosureNote


class SessionPage(Output):
    """A page of sessions, newest first."""

    items: list[SessionView]
    next: str | None
    disclosure: DisclosureNote


class AppointmentCreate(Input):
    """Who is appointed, for what, until when."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person": _ID, "office": "opener", "until": "2027-01-31T10:00:00Z"}]}
    )
    person: UUID
    office: Office = Office.OPENER
    until: AwareDatetime = Field(description="At most 100 days off: appointments are looked at every quarter.")


class CustodianKey(Input):
    """The public key of a custodian, as `duanhao emergency keygen` prints it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"public_key": "duanhao-custodian-1:" + "A" * 86}]})
    public_key: PublicKey


class AppointmentQuery(Input):
    """Which appointments are listed."""

    office: Office | None = None


class AppointmentView(Output):
    """One appointment."""

    id: UUID
    person: UUID
    office: Office
    since: datetime
    until: datetime
    state: Literal["live", "ended"]
    named_by: UUID
    confirmed_by: UUID | None = Field(description="Who else stands behind it; a sheet shows executives only then.")
    key: str | None = Field(description="Fingerprint of the custodian's key.", examples=["9f86d081884c7d65"])


class AppointmentList(Output):
    """The appointments in force."""

    items: list[AppointmentView]
    disclosure: DisclosureNote


class SheetView(Output):
    """One night's sheet, as it is listed; its content is sealed to its custodian."""

    id: UUID
    custodian: UUID
    day: date
    made_at: datetime
    people: int
    available: bool = Field(description="Whether the content is still kept; the next sheet replaces it.")


class SheetList(Output):
    """Sheets, newest first."""

    items: list[SheetView]
    disclosure: DisclosureNote


class OpeningUpload(Input):
    """Opening records, line by line as `duanhao emergency open` wrote them."""

    records: Annotated[tuple[Annotated[str, StringConstraints(max_length=4096)], ...], Field(min_length=1)] = Field(
        max_length=MOST_RECORDS
    )


class OpeningReceipt(Output):
    """What became of the records."""

    taken: int
    known: int = Field(description="Records that were uploaded before.")
    gaps: int = Field(description="Records whose predecessor nobody has uploaded.")
