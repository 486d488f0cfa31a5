"""What comes in about devices, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.devices.rules import Follows, Kind, State, hardware_address, serial_number
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output

LONGEST_OVERLAP_HOURS: Final = 72
"""How long an old secret may stay good beside a new one: over a weekend."""


def _address(text: str) -> str:
    found = hardware_address(text)
    if found is None:
        code = "malformed_mac_address"
        raise Rejected(code, "This is not the MAC address of one apparatus.", "MAC 地址格式不正确。")
    return found


Vendor = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Model = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$")]
Serial = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{2,63}$"), AfterValidator(serial_number)]
MacAddress = Annotated[str, StringConstraints(min_length=12, max_length=24), AfterValidator(_address)]
Label = Annotated[str, StringConstraints(pattern=r"^[\w .#-]{1,64}$")]
Room = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,32}$")]
Named = Annotated[str, StringConstraints(min_length=1, max_length=36)]

_MAC: Final = (
    "Twelve hexadecimal digits, separated by colons, hyphens, dots or nothing; answered as `00:15:65:aa:bb:cc`."
)
_FOLLOWS: Final = "`person`: it goes along when its holder moves; `place`: it stays where it stands."
_DEPARTMENT: Final = "Where it stands: id or code. Given to somebody, it stands where they belong."
_EXAMPLE: Final[dict[str, Any]] = {
    "kind": "desk_phone",
    "vendor": "yealink",
    "model": "T54W",
    "serial": "3146019042000123",
    "mac_address": "00-15-65-AA-BB-CC",
    "department": "RD",
    "room": "A-301",
}


class DeviceCreate(Input):
    """A device to be registered; it is in stock until somebody is given it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    kind: Kind
    vendor: Vendor = Field(description="Lower case.", examples=["yealink"])
    model: Model
    serial: Serial | None = None
    mac_address: MacAddress | None = Field(None, description=_MAC)
    label: Label | None = Field(None, description="What people call it; no personal data.")
    department: Named | None = Field(None, description=_DEPARTMENT)
    room: Room | None = None
    follows: Follows = Field("place", description=_FOLLOWS)


class DeviceAmend(Input):
    """Changes to a device, as a JSON Merge Patch (RFC 7396)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "前台 2", "follows": "place"}, {"suspended": True}]}
    )
    model: Model = "-"
    serial: Serial | None = None
    mac_address: MacAddress | None = Field(None, description=_MAC)
    label: Label | None = None
    department: Named | None = Field(None, description=_DEPARTMENT)
    room: Room | None = None
    follows: Follows = Field("place", description=_FOLLOWS)
    suspended: bool = Field(default=False, description="Refuse it at the door, or let it in again.")


class DeviceHolder(Input):
    """Who is to have a device."""

    type: Literal["contact", "department", "room"] = "contact"
    id: Named = Field(
        description="Id; of a person also the employee number, of a department its code, of a room its code.",
        examples=["E2101"],
    )


class AssignmentCreate(Input):
    """A device for somebody."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"holder": {"type": "contact", "id": "E2101"}}]})
    holder: DeviceHolder


class SecretCreate(Input):
    """Another secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})
    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_HOURS)] = Field(
        24, description="How long the secret before it stays good. At most two are good at once."
    )


class DeviceQuery(Input):
    """Which devices are listed."""

    kind: Kind | None = None
    state: State | None = None
    vendor: Vendor | None = None
    department: Named | None = Field(None, description="Where they stand: id or code, with what is below.")
    holder: UUID | None = Field(None, description="Who has them: id of a contact or department.")
    serial: Serial | None = None
    mac_address: MacAddress | None = Field(None, description=_MAC)
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)


class HolderView(Output):
    """Who has a device."""

    type: Literal["contact", "department", "room"]
    id: UUID | None = Field(description="Null for a room, and for somebody of whom the caller may not know.")
    code: str | None = Field(description="Of a room.")
    since: datetime


class DeviceView(Output):
    """One device."""

    id: UUID
    kind: Kind
    vendor: str
    model: str
    serial: str | None = Field(description="Told to its holder and to those who look after devices.")
    mac_address: str | None = Field(description="As `serial`.", examples=["00:15:65:aa:bb:cc"])
    label: str | None
    department: UUID | None
    room: str | None
    follows: Follows
    state: State
    holder: HolderView | None
    hand_over_by: datetime | None = Field(description="End of the working day by which somebody else has to have it.")
    answerable: UUID | None = Field(description="Who hands it over.")
    version: str


class PastHolder(HolderView):
    """Somebody who has or had it."""

    until: datetime | None
    cause: str | None = Field(examples=["left"])


class DeviceRead(DeviceView):
    """One device, who has had it (to those who look after devices), and under which record it was shown."""

    holders: list[PastHolder]
    disclosure: DisclosureNote


class DevicePage(Output):
    """A page of devices, newest first."""

    items: list[DeviceView]
    next: str | None
    disclosure: DisclosureNote


class DeviceSecretView(Output):
    """A secret, told this once."""

    id: UUID
    secret: str = Field(
        description="192 random bits in 32 characters; the password of HTTP Basic, `id` being the user."
    )
    former_until: datetime | None = Field(description="When the secret before it ends.")


class DeviceRegistered(DeviceView):
    """A device that was registered, with its secret, told this once."""

    secret: str = Field(
        description="192 random bits in 32 characters; the password of HTTP Basic, `id` being the user."
    )
