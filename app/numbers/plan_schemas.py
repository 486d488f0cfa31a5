"""What comes in about the plan, and the shapes of what goes out: domains, reserved numbers, pools, ranges, and how full pools are."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from app.departments.schemas import DepartmentName, DepartmentRef
from app.disclosure.view import DisclosureNote
from app.kit.pagination import Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.numbers.rules import LONGEST, PoolClass, Strategy
from app.numbers.schemas import PATTERN, Code, Digits, PatternText

_NOT_REMOVABLE = ("not_removable", "This member cannot be removed.", "此字段不能删除。")
_MOST_NUMBERS = 1_000_000

NiceLevel = Literal["plain", "pleasant", "nice", "rare"]
Exclusion = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,15}(-[0-9]{2,15})?$")]
FirstDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}$")]
Length = Annotated[int, Field(ge=2, le=LONGEST)]
AccessCode = Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,6}$")]
AccessCodes = Annotated[list[AccessCode], Field(max_length=20)]
ReservedDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
ReservedName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
QuarantineDays = Annotated[int, Field(ge=0, le=3650)]
LowWater = Annotated[int, Field(ge=0, le=_MOST_NUMBERS)]
LeadDays = Annotated[int, Field(ge=1, le=3650)]

_DEPARTMENT = "Id or code: whose pool it is; absent for the whole company's."
_JOINERS = "Whether people who join get a number from it by themselves."
_STRATEGY = (
    "Which number is next: the lowest, the one that has been idle longest, any; `pattern`: those that look like `pattern` first, and the "
    "lowest of each; `mobile_tail`: a contact who consented to it (basis `number_tail`, field `mobile`) and is given one number, any, gets "
    "the lowest that ends as their work mobile does, in four digits or in all but the first of a shorter number. Everybody else, and "
    "whoever finds none free, gets the lowest."
)
_COME_FIRST = "Which numbers come first; with the strategy `pattern` alone."
_LOW_WATER = (
    "Fewer free numbers than this, counted as if all joiners whom HR has announced for the next `lead_days` (30 where there are none) had "
    "theirs, are told to the number administrators, once until there are enough again."
)
_LEAD = "Days that it takes to get more numbers: told when the forecast says that the pool lasts no longer."
_KEEPS = (
    "Whether nice numbers are kept back: given out by an approved request that names them, and not as the next one."
)
_CONFIRMS = "Whether a number that is given out waits in `provisioning` until the exchange or the carrier confirms it."
_QUARANTINE = "Days for which a released number rests; by default that of the class."
_DIALLING = "`overlap`: sets dial digit by digit, so no number may begin another."
_FIRST = "Digits with which a number may begin; of the profile `desk` 2 to 8, of `vnet` 6."
_ACCESS = "Codes that lead out or to a service, such as `0`, `9` or `*`; no number begins with one."


def _ascending(value: str | None) -> str | None:
    return None if value is None else "".join(sorted(set(value)))


class _Shape(Input):
    """Members that say what numbers of a domain look like."""

    first_digits: FirstDigits | None = Field(None, description=_FIRST, examples=["2345678"])
    shortest: Length | None = Field(None, description="Fewest digits.", examples=[3])
    longest: Length | None = Field(None, description="Most digits.", examples=[6])
    access_codes: AccessCodes | None = Field(None, description=_ACCESS, examples=[["0", "9", "*"]])

    @field_validator("first_digits", mode="after")
    @classmethod
    def _sorted(cls, value: str | None) -> str | None:
        return _ascending(value)


class DomainCreate(_Shape):
    """A new numbering domain."""

    code: Code = Field(examples=["plant-2"])
    name: DepartmentName = Field(examples=["二号工厂"])
    profile: Literal["desk", "vnet"] = Field(
        "desk",
        description="What is taken for members that are not given: desk sets, or a carrier's mobile group (V 网).",
    )
    dialling: Literal["overlap", "en_bloc"] = Field("en_bloc", description=_DIALLING)


class DomainAmend(_Shape):
    """Changes to a domain, as a JSON Merge Patch (RFC 7396). The code stays."""

    name: DepartmentName | None = Field(None, examples=["二号工厂"])
    dialling: Literal["overlap", "en_bloc"] | None = Field(None, description=_DIALLING)

    @model_validator(mode="after")
    def _not_removed(self) -> "DomainAmend":
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise Rejected(*_NOT_REMOVABLE)
        return self


class DomainReceipt(Output):
    """A numbering domain."""

    id: UUID
    code: str
    name: str
    dialling: Literal["overlap", "en_bloc"]
    first_digits: str
    shortest: int
    longest: int
    access_codes: list[str]
    version: str


class DomainView(DomainReceipt):
    """One domain."""

    disclosure: DisclosureNote


class DomainPage(Output):
    """All domains by code."""

    items: list[DomainReceipt]
    next: None
    disclosure: DisclosureNote


class ReservedCreate(Input):
    """Digits that no number may be, begin with, or be the beginning of."""

    digits: ReservedDigits = Field(examples=["12345"])
    kind: Literal["service", "emergency"] = Field(
        "service", description="An emergency number stays reserved for ever.", examples=["service"]
    )
    name_zh: ReservedName = Field(examples=["政务服务热线"])
    name_en: ReservedName = Field(examples=["Government services"])


class ReservedReceipt(Output):
    """A reserved number."""

    digits: str
    kind: Literal["service", "emergency"]
    name_zh: str
    name_en: str


class ReservedPage(Output):
    """The whole table by digits."""

    items: list[ReservedReceipt]
    next: None
    disclosure: DisclosureNote


class PoolCreate(Input):
    """A new pool."""

    code: Code = Field(examples=["desk"])
    name: DepartmentName = Field(examples=["座机短号"])
    pool_class: PoolClass = Field(alias="class", examples=["internal"])
    strategy: Strategy = Field(Strategy.LOWEST, description=_STRATEGY, examples=["lowest"])
    pattern: PatternText | None = Field(None, validate_default=True, description=f"{_COME_FIRST} {PATTERN}")
    quarantine_days: QuarantineDays | None = Field(None, description=_QUARANTINE, examples=[90])
    domain: Code | None = Field(None, description="Code of the numbering domain; by default `main`.")
    department: DepartmentRef | None = Field(None, description=_DEPARTMENT, examples=["RD"])
    joiners: bool = Field(default=False, description=_JOINERS)
    low_water: LowWater | None = Field(None, description=_LOW_WATER)
    lead_days: LeadDays | None = Field(None, description=_LEAD, examples=[30])
    keeps_nice: bool = Field(default=False, description=_KEEPS)
    confirms: bool = Field(default=False, description=_CONFIRMS)

    @field_validator("pattern", mode="after")
    @classmethod
    def _of_its_strategy(cls, value: str | None, info: ValidationInfo) -> str | None:
        if (value is not None) != (info.data.get("strategy") is Strategy.PATTERN):
            code = "not_of_strategy"
            raise Rejected(code, "The strategy `pattern` has a pattern, no other has.", "仅样式策略须且可指定样式。")
        return None if value is None else value.upper()


class PoolAmend(Input):
    """Changes to a pool, as a JSON Merge Patch (RFC 7396).

    Code, domain, class, strategy and pattern stay: numbers were given out by them.
    """

    name: DepartmentName | None = Field(None, examples=["座机短号"])
    quarantine_days: QuarantineDays | None = Field(None, description=_QUARANTINE)
    department: DepartmentRef | None = Field(None, description=_DEPARTMENT)
    joiners: bool | None = Field(None, description=_JOINERS)
    low_water: LowWater | None = Field(None, description=_LOW_WATER)
    lead_days: LeadDays | None = Field(None, description=_LEAD)
    keeps_nice: bool | None = Field(None, description=_KEEPS)
    confirms: bool | None = Field(None, description=_CONFIRMS)

    @field_validator("name", "quarantine_days", "joiners", "keeps_nice", "confirms", mode="after")
    @classmethod
    def _not_removed(cls, value: object) -> object:
        if value is None:
            raise Rejected(*_NOT_REMOVABLE)
        return value


class PoolReceipt(Output):
    """A pool as just written."""

    id: UUID
    code: str = Field(examples=["desk"])
    name: str
    pool_class: PoolClass = Field(alias="class")
    domain: str = Field(examples=["main"])
    strategy: Strategy
    pattern: str | None = Field(description="How the numbers look that come first.")
    quarantine_days: int
    department: UUID | None
    joiners: bool
    low_water: int | None
    lead_days: int | None
    keeps_nice: bool
    confirms: bool
    version: str


class PoolView(PoolReceipt):
    """One pool."""

    disclosure: DisclosureNote


class PoolPage(Output):
    """All pools by code."""

    items: list[PoolReceipt]
    next: None
    disclosure: DisclosureNote


class RangeCreate(Input):
    """A stretch of numbers of one length."""

    start: Digits = Field(examples=["78000"])
    end: Digits = Field(examples=["78199"])
    step: Annotated[int, Field(ge=1, le=_MOST_NUMBERS)] = 1
    excluded: Annotated[list[Exclusion], Field(max_length=1000)] = Field(
        default_factory=list, description="Numbers, or `from-to`.", examples=[["78088", "78110-78119"]]
    )
    opens_at: AwareDatetime | None = Field(
        None,
        description="When its numbers may first be given out, as for those that a carrier has yet to bring; until then they are `planned`.",
        examples=["2027-03-01T00:00:00+08:00"],
    )


class RangeAmend(Input):
    """When a range that is planned opens."""

    opens_at: AwareDatetime | None = Field(description="`null`, or a moment that has been: at once.")


class RangeView(Output):
    """A range, and how much of it is there yet."""

    id: UUID
    pool: str
    start: str
    end: str
    step: int
    excluded: list[str]
    size: int
    materialised: int
    state: Literal["ready", "materialising"]
    opens_at: datetime | None = Field(
        description="When its numbers may first be given out; `null`: since they are there."
    )


class RangeWarning(Output):
    """A number of the range begins another one, or begins with it, where that is allowed: sets that dial digit by digit could not."""

    code: Literal["prefix_of", "extends"]
    digits: str
    other: str
    pool: str


class RangeReceipt(RangeView):
    """A range as just added, and what it stands too close to."""

    warnings: list[RangeWarning]
    job: str | None = Field(
        description="Path of the job that makes its numbers, where the worker does.",
        examples=["/v1/jobs/0199e7c2-7d3b-7f6e-9b1c-3d2f6f0a4b10"],
    )


class RangePage(Output):
    """All ranges of a pool, shorter numbers first."""

    items: list[RangeView]
    next: None
    disclosure: DisclosureNote


class PreviewQuery(Input):
    """What of the free list is asked for. With `pattern` or `nice`, numbers that are kept back are shown too."""

    pattern: PatternText | None = Field(None, description=PATTERN, examples=["*88"])
    nice: NiceLevel | None = Field(None, description="At least so nice.")
    limit: Limit = 20


class FreeNumber(Output):
    """A free number and its looks, by the classifier of ``version``; ``kept``: given out by approved request alone."""

    digits: str
    nice: NiceLevel
    score: int
    traits: list[str] = Field(examples=[["ends_aabb"]])
    version: int
    kept: bool


class AvailablePage(Output):
    """Free numbers, in the order in which they would be given out."""

    items: list[str] = Field(examples=[["78000", "78001"]])
    numbers: list[FreeNumber]
    next: None
    disclosure: DisclosureNote
