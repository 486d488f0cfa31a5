"""Kinds of requests and their chains, as data: read from YAML, checked whole, refused whole.

Pure. A kind has titles in both languages, a form (JSON Schema, 2020-12), an effect by name, and variants: the first whose conditions on
facts hold gives the steps. The engine knows step types and resolvers (reference/policy-approval.md d.1) and nothing of a kind's name. A
kind that is not enabled is not offered, cannot be filed by its name, and says why.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.auth.roles import Role
from app.kit.strict_yaml import read

DEFAULT: Final = Path(__file__).parent / "chains" / "default.yaml"
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
KindName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,31}(\.[a-z][a-z_]{0,31}){0,2}$")]
Whose = Literal["requester", "beneficiary", "contact"]


class StepType(StrEnum):
    """What a step asks of people."""

    ANY = "approve_any"
    ALL = "approve_all"
    N = "approve_n"
    SEQUENTIAL = "sequential"
    ATTEST = "attest"
    CONSENT = "consent"
    ACKNOWLEDGE = "notify_ack"
    CHECK = "check"
    PROVISION = "provision"
    REVIEW = "post_review"

    @property
    def approves(self) -> bool:
        """Whether saying yes here is an approval, which requester and beneficiary never give."""
        return self in {
            StepType.ANY,
            StepType.ALL,
            StepType.N,
            StepType.SEQUENTIAL,
            StepType.PROVISION,
            StepType.REVIEW,
        }


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resolver(_Data):
    """Who is asked; exactly one member says it."""

    head: Whose | None = None
    """The head of somebody's department; one level up where that is who is asked about."""
    superior: Annotated[int, Field(ge=1, le=5)] | None = None
    of: Whose = "requester"
    role: Role | None = None
    on_call: Role | None = None
    """Whoever is on call for a role by its roster; without one, its holders who decide themselves, and all where nobody does."""
    owner_head: Literal[True] | None = None
    committee: Literal[True] | None = None
    subject: Literal[True] | None = None
    requester: Literal[True] | None = None
    named: Code | None = None
    """The people whom this member of the form names by their contact ids."""

    @model_validator(mode="after")
    def _one(self) -> "Resolver":
        ways = ("head", "superior", "role", "on_call", "owner_head", "committee", "subject", "requester", "named")
        if sum(getattr(self, each) is not None for each in ways) != 1:
            message = "a resolver has exactly one way of finding people"
            raise ValueError(message)
        return self


def _many(value: Any) -> Any:  # noqa: ANN401 — as it stands in the file
    return [value] if isinstance(value, dict) else value


class Step(_Data):
    """One step: ``days`` working days to answer; ``apart`` asks for other people of other departments than the steps before."""

    id: Code
    zh: str
    en: str
    type: StepType
    by: Annotated[tuple[Resolver, ...], BeforeValidator(_many)] = ()
    needed: Annotated[int, Field(ge=1, le=20)] | None = None
    veto: bool = True
    days: Annotated[int, Field(ge=0, le=60)] = 2
    apart: bool = False
    explains: Literal["nothing", "refusal", "everything"] = "nothing"
    """Which answers have to give their reasons in the comment."""
    check: Code | None = None
    separately: bool = False
    """Whether each person consents for themselves alone: who refuses, or does not answer in time, is left out, and the rest goes on."""

    @model_validator(mode="after")
    def _whole(self) -> "Step":
        match self.type:
            case StepType.CHECK if self.by or self.check is None:
                message = "a check names what is checked, and nobody"
            case StepType.CHECK:
                return self
            case _ if not self.by or self.check is not None:
                message = "a step names people, and nothing to check"
            case _ if self.separately and self.type is not StepType.CONSENT:
                message = "what people give separately is their consent"
            case _ if (self.needed is not None) != (self.type is StepType.N):
                message = "approve_n, and nothing else, says how many are needed"
            case _:
                return self
        raise ValueError(message)


class Variant(_Data):
    """A chain, and for which facts it is."""

    name: Code
    when: Mapping[Code, tuple[str, ...]] = Field(default_factory=dict)
    steps: tuple[Step, ...]

    def fits(self, facts: Mapping[str, str]) -> bool:
        """Tell whether every condition holds."""
        return all(facts.get(name) in among for name, among in self.when.items())

    @model_validator(mode="after")
    def _ordered(self) -> "Variant":
        if len({step.id for step in self.steps}) != len(self.steps):
            message = "two steps have one id"
            raise ValueError(message)
        reviews = [step.type is StepType.REVIEW for step in self.steps]
        if reviews != sorted(reviews):
            message = "reviews come after everything else"
            raise ValueError(message)
        if any(step.separately for step in self.steps[:-1]):
            message = "separate consents come last, so that nobody consents to what is not decided"
            raise ValueError(message)
        return self


class Filers(_Data):
    """Who may file: anybody in service, or those with one of the roles."""

    roles: tuple[Role, ...] = ()


class Kind(_Data):
    """One kind of request."""

    kind: KindName
    zh: str
    en: str
    clauses: tuple[str, ...]
    enabled: bool = True
    disabled_zh: str | None = None
    disabled_en: str | None = None
    subject: Code
    filers: Filers = Filers()
    form: dict[str, Any]
    effect: Code
    returnable: bool = False
    """What it gave is to be given back: at its end it is overdue until it is."""
    personal: bool = False
    """What it gave is for one person's work in one place: it ends as they leave, or move to another department."""
    outlives: bool = False
    """It goes on when the contact that it is about leaves."""
    pending_days: Annotated[int, Field(ge=1, le=120)] = 10
    variants: tuple[Variant, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> "Kind":
        if self.enabled != (self.disabled_zh is None) or self.enabled != (self.disabled_en is None):
            message = "a kind that is not enabled says why in both languages, and no other does"
            raise ValueError(message)
        if self.enabled and (not self.variants or self.variants[-1].when):
            message = "the last variant of a kind is for everything else"
            raise ValueError(message)
        try:
            Draft202012Validator.check_schema(self.form)
        except SchemaError as error:
            message = f"the form is no JSON Schema: {error.message}"
            raise ValueError(message) from error
        if self.form.get("type") != "object" or self.form.get("additionalProperties") is not False:
            message = "a form is an object that takes no other members"
            raise ValueError(message)
        return self

    @cached_property
    def validator(self) -> Draft202012Validator:
        """What checks a form."""
        return Draft202012Validator(self.form, format_checker=Draft202012Validator.FORMAT_CHECKER)

    @cached_property
    def attachments(self) -> tuple[str, ...]:
        """The members of the form that name a file that was uploaded before, told by ``x-attachment`` in their schema."""
        members: Mapping[str, Any] = self.form.get("properties", {})
        return tuple(
            name for name, schema in members.items() if isinstance(schema, dict) and schema.get("x-attachment") is True
        )

    def variant(self, facts: Mapping[str, str]) -> Variant:
        """Give the chain for these facts."""
        return next(each for each in self.variants if each.fits(facts))


class Chains(_Data):
    """Every kind of one file."""

    version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    kinds: tuple[Kind, ...]

    @model_validator(mode="after")
    def _each_once(self) -> "Chains":
        if len({each.kind for each in self.kinds}) != len(self.kinds):
            message = "two kinds have one name"
            raise ValueError(message)
        return self

    @cached_property
    def by_name(self) -> Mapping[str, Kind]:
        """Kinds by their name, those that are not enabled too."""
        return {each.kind: each for each in self.kinds}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: what a request says it was filed under."""
        return hashlib.sha256(orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def enabled(self, name: str) -> Kind | None:
        """Give a kind that can be filed; ``None`` for one that is not enabled and one that is not there."""
        kind = self.by_name.get(name)
        return kind if kind is not None and kind.enabled else None


def load(path: Path = DEFAULT) -> Chains:
    """Read a file of kinds, the same text once in a process; raise ``ValueError`` with what is wrong."""
    return parse(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def parse(text: str) -> Chains:
    """Read kinds from YAML; raise ``ValueError`` with what is wrong."""
    return Chains.model_validate(read(text))
