"""What comes in about provisions, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.contacts.schemas import Reason
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output
from app.provisions.rules import Border, ProvisionState, ReturnKind, ReturnWord

_ID = "019a0000-0000-7000-8000-000000000001"
RecipientKey = Annotated[str, StringConstraints(pattern=r"^duanhao-recipient-1:[A-Za-z0-9_-]{43}$")]
Contract = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ProvisionQuery(Input):
    """Which provisions are listed."""

    state: ProvisionState | None = None
    contract: Contract | None = Field(None, description="The contract's reference, whole.")
    responsible: UUID | None = Field(None, description="Who answers for it.")
    contact: UUID | None = Field(None, description="Somebody who consented; oneself, or anybody for who oversees.")
    limit: Limit = 20
    cursor: CursorText | None = None


class PackageCreate(Input):
    """To what the package is sealed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"recipient_key": "duanhao-recipient-1:" + "A" * 43}]})
    recipient_key: RecipientKey | None = Field(
        None,
        description="The recipient's public key, as `duanhao provisions keygen` prints it; else the answer holds a passphrase, once.",
    )


class ReturnCreate(Input):
    """How it ended with the recipient, and by what that is known."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "destroyed", "evidence": "Certificate of destruction no. 17"}]}
    )
    kind: ReturnKind
    evidence: Reason = Field(description="In words; boxed, and read by whoever confirms and whoever oversees.")


class ReturnConfirmation(Input):
    """What a second person says of a declared return."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decision": "confirm", "comment": "Seen the certificate"}]}
    )
    decision: Literal["confirm", "refuse"]
    comment: Reason


class InvolvedView(Output):
    """Somebody as they are told to whoever may know of them."""

    id: UUID
    name: str | None


class RecipientView(Output):
    """Who is given the data, and how to reach them."""

    name: str
    contact: str
    region: str
    legal_entity: str | None = None


class ProvisionItem(Output):
    """A provision in a list."""

    id: UUID
    request: UUID
    state: ProvisionState
    recipient: str = Field(description="The recipient's name.")
    contract: str
    fields: list[str]
    crosses: list[Border] = Field(
        description="What the data cross: a region's border, a legal entity's, both, or none that is known."
    )
    requester: InvolvedView
    responsible: InvolvedView
    starts_at: datetime
    ends_at: datetime
    return_by: datetime
    overdue: bool
    version: str


class ProvidedView(Output):
    """Somebody who consented; `provided` are the fields that were in the package, never their values."""

    contact: InvolvedView
    withdrawn_at: datetime | None
    provided: list[str] | None


class PackageView(Output):
    """That a package was made."""

    id: UUID
    made_by: InvolvedView
    made_at: datetime
    event_id: UUID
    sealed_to: str = Field(description="`passphrase`, or the fingerprint of the recipient's key.")
    people: int
    left_out: int
    digest: str


class ReturnView(Output):
    """What somebody said of a return."""

    said: ReturnWord
    kind: ReturnKind
    person: InvolvedView
    at: datetime
    evidence: str | None


class ProvisionRead(ProvisionItem):
    """A provision, whole. Whoever merely consented is told of themselves, and of nobody else who was asked."""

    to: RecipientView
    purpose: str
    method: str
    consent: Literal["provision", "cross_border"] = Field(
        description="What was consented to (PIPL 23; 39 across a border)."
    )
    asked: int | None
    people: list[ProvidedView]
    package: PackageView | None
    returns: list[ReturnView]
    ended_at: datetime | None
    cause: str | None
    keep_until: datetime | None = Field(
        description="Until when this record is kept at least; absent while it is not over."
    )
    disclosure: DisclosureNote


class ProvisionPage(Output):
    """A page of provisions, newest first."""

    items: list[ProvisionItem]
    next: str | None
    disclosure: DisclosureNote


class PackageMade(Output):
    """The package, once: `content` is the sealed file in base64, `passphrase` what opens it where no key was given."""

    id: UUID
    provision: UUID
    watermark: str = Field(examples=["某物流有限公司 · HT-2026-018 · 2026-11-22 · " + _ID])
    people: int
    left_out: int = Field(description="How many of those who were asked are not in it.")
    sealed_to: str
    passphrase: str | None
    digest: str = Field(description="SHA-256 of the file, in hexadecimal.")
    content: str
    disclosure: DisclosureNote


class ProvisionReceipt(Output):
    """What a write on a provision answers."""

    id: UUID
    state: ProvisionState
    version: str
