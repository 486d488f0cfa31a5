"""The policy pack: rules as data, read strictly.

A pack is YAML with a schema; duplicate members, merge keys, unknown words and duplicate rule ids are refused, and a bad pack never
becomes active. Its canonical JSON is hashed, so that every event can say under which rules it was decided.
"""

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.auth.subject import CallerKind
from app.kit import strict_yaml
from app.permissions.outcomes import (
    EMERGENCY_CLASSES,
    MARKS,
    OBLIGATIONS,
    ROLES,
    TAG_CLASS,
    FieldClass,
    Outcome,
    Power,
    Purpose,
    Reason,
    Tag,
    Tier,
)
from app.permissions.pack_tests import PackTest, unique, written_beside

Kind = Literal["employee", "external", "temporary", "student", "applicant", "hotline"]
WorkerKind = Literal["regular", "part_time", "intern", "outsourced"]
Status = Literal["prehire", "active", "frozen", "leaving", "left", "archived"]
Secrecy = Literal["normal", "core", "executive", "protected"]


def _named_outcome(value: object) -> object:
    return Outcome[value.upper()] if isinstance(value, str) and value.upper() in Outcome.__members__ else value


OutcomeByName = Annotated[Outcome, BeforeValidator(_named_outcome)]
ByClass = Mapping[FieldClass, OutcomeByName]


class Effect(StrEnum):
    """What a rule does: hide for ever, lower, or raise."""

    FORBID = "forbid"
    CAP = "cap"
    GRANT = "grant"


class Relation(StrEnum):
    """How a viewer stands to a contact. Another region or legal entity is one that both are known to be in, and not together.

    ``emergency``: the viewer has an emergency session open, looks for that purpose, and the session is about the contact.
    """

    ANY = "any"
    SELF = "self"
    OTHERS = "others"
    OWN_DEPARTMENT = "own_department"
    OWN_SUBTREE = "own_subtree"
    HEADED = "headed"
    SAME_REGION = "same_region"
    OTHER_REGION = "other_region"
    SAME_LEGAL_ENTITY = "same_legal_entity"
    OTHER_LEGAL_ENTITY = "other_legal_entity"
    ASSIGNED = "assigned"
    ASSIGNED_ACCOUNT = "assigned_account"
    ASSIGNED_ORDER = "assigned_order"
    ASSIGNED_TICKET = "assigned_ticket"
    EMERGENCY = "emergency"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _known(names: Mapping[str, object]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            message = f"unknown name {value!r}; known are {', '.join(names)}"
            raise ValueError(message)
        return value

    return AfterValidator(check)


RoleName = Annotated[str, _known(ROLES)]
MarkName = Annotated[str, _known(MARKS)]
RequestKind = Annotated[str, Field(pattern=r"^[a-z][a-z_.]+$")]


class ViewerCondition(_Part):
    """Which viewers a rule speaks of; each list that is given must match, an empty list matches all.

    ``not_roles`` and ``not_scopes`` leave out who has any of them.
    """

    kinds: tuple[CallerKind, ...] = ("person",)
    tiers: tuple[Tier, ...] = ()
    roles: tuple[RoleName, ...] = ()
    not_roles: tuple[RoleName, ...] = ()
    marks: tuple[MarkName, ...] = ()
    scopes: tuple[str, ...] = ()
    not_scopes: tuple[str, ...] = ()
    worker_kinds: tuple[WorkerKind, ...] = ()
    step_up: bool | None = None


class ContactCondition(_Part):
    """Which contacts a rule speaks of; an empty list matches all, of ``tags`` one is enough.

    ``ended`` speaks of temporary staff whose contract is over.
    """

    relation: Relation = Relation.ANY
    kinds: tuple[Kind, ...] = ()
    statuses: tuple[Status, ...] = ()
    secrecy: tuple[Secrecy, ...] = ()
    tags: tuple[str, ...] = ()
    ended: bool | None = None


class Rule(_Part):
    """One rule with its clause ids.

    A grant gives: how far a class is shown on a card (``shows``) and to who says why (``reveals``, after saying ``reason``), which other
    powers come with it, and which request leads further. Of several grants the one that reveals furthest says what has to be said, and
    among equals the one that asks for least. A cap lowers what is shown, whoever grants it, and ``denies`` whole powers; one that is not
    ``liftable`` leaves nothing to file a request for, and stands in an emergency session, where others are lifted for C1 to C3 (those that
    speak of the viewer, for a mark or a border, by two people). C1 has no mask: it is clear or hidden.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.]{2,63}$")
    effect: Effect
    clauses: tuple[str, ...] = Field(min_length=1)
    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)
    viewer: ViewerCondition = ViewerCondition()
    contact: ContactCondition = ContactCondition()
    purposes: tuple[Purpose, ...] = ()
    shows: ByClass = Field(default_factory=dict)
    reveals: ByClass = Field(default_factory=dict)
    reason: Reason = Reason.TEXT
    requests: Mapping[FieldClass, RequestKind] = Field(default_factory=dict)
    matches: tuple[FieldClass, ...] = ()
    orders: tuple[FieldClass, ...] = ()
    counts: tuple[FieldClass, ...] = ()
    exports: tuple[FieldClass, ...] = ()
    lookups: tuple[Tag, ...] = ()
    edits: tuple[FieldClass, ...] = ()
    edit_requests: Mapping[FieldClass, RequestKind] = Field(default_factory=dict)
    denies: tuple[Power, ...] = ()
    liftable: bool = True
    obligations: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,31}$")], ...] = ()

    @property
    def gives_way(self) -> bool:
        """Tell whether this cap gives way once the person whom it protects has consented.

        One that is not liftable never does, nor does one for a mark: what a viewer has to settle is not the person's to forgive.
        """
        return self.effect is Effect.CAP and self.liftable and not self.viewer.marks

    @property
    def takes_second(self) -> bool:
        """Tell whether an emergency session lifts this cap only once a second person has confirmed it, whatever a pack says of it.

        Two caps are about the viewer and not about the person who is looked at: what somebody owes (a mark), and a border that they stand
        beyond. Nobody breaks the glass on their own in front of either.
        """
        return bool(self.viewer.marks) or self.contact.relation is Relation.OTHER_REGION

    def having(self, power: Power) -> tuple[FieldClass, ...]:
        """List the classes over which the rule gives ``power``; of look-ups none, since those are given by tag."""
        return {
            Power.MATCH: self.matches,
            Power.ORDER: self.orders,
            Power.COUNT: self.counts,
            Power.EXPORT: self.exports,
            Power.EDIT: self.edits,
        }.get(power, ())

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        powers = any(map(self.having, Power)) or bool(self.lookups)
        further = self.reveals or self.requests or self.edit_requests
        given = self.shows or powers or further
        match self.effect:
            case Effect.FORBID if given or self.denies:
                fault = "a forbid shows nothing"
            case Effect.CAP if powers or further or not (self.shows or self.denies):
                fault = "a cap lowers what is shown or denies a power, and gives nothing"
            case Effect.GRANT if self.denies or not given:
                fault = "a grant gives something, and denies nothing"
            case _ if {self.shows.get(FieldClass.C1), self.reveals.get(FieldClass.C1)} - _WITHOUT_MASK:
                fault = "C1 is clear or hidden"
            case Effect.GRANT if self.contact.relation is Relation.EMERGENCY and not self._within_an_emergency():
                fault = "an emergency session shows C1 to C3, and gives nothing else of the others"
            case _ if self.reason not in _IN_WORDS and any(each > FieldClass.C2 for each in self.reveals):
                fault = "C3 and above is revealed for a reason in words"
            case _:
                return self
        message = f"rule {self.id}: {fault}"
        raise ValueError(message)

    def _within_an_emergency(self) -> bool:
        read = {
            *self.shows,
            *self.reveals,
            *self.matches,
            *self.orders,
            *self.counts,
            *(TAG_CLASS[each] for each in self.lookups),
        }
        return read <= EMERGENCY_CLASSES and not (self.exports or self.edits)


def unmet(rule: Rule) -> frozenset[str]:
    """Name the obligations of a rule that nobody here would meet."""
    return frozenset(rule.obligations) - OBLIGATIONS


def lowered(cap: Rule, field_class: FieldClass) -> Outcome:
    """Read how far a cap lets a class be shown."""
    if field_class not in cap.shows:
        return Outcome.CLEAR
    return Outcome.HIDDEN if unmet(cap) else cap.shows[field_class]


_SAYING: Final = {reason: at for at, reason in enumerate(Reason)}


def demands(
    grants: Iterable[Rule], ceiling: Mapping[FieldClass, Outcome], reveals: Mapping[FieldClass, Outcome]
) -> dict[FieldClass, Reason]:
    """Say class by class what a reveal has to say that goes as far as ``reveals``: the least that a grant asks which goes so far."""
    found: dict[FieldClass, Reason] = {}
    for rule in grants:
        for each, given in rule.reveals.items():
            if min(ceiling[each], given) is reveals[each]:
                found[each] = min(found.get(each, rule.reason), rule.reason, key=_SAYING.__getitem__)
    return found


NEAREST: Final = (
    Relation.SELF,
    Relation.ASSIGNED_TICKET,
    Relation.ASSIGNED_ORDER,
    Relation.ASSIGNED_ACCOUNT,
    Relation.ASSIGNED,
    Relation.HEADED,
    Relation.OWN_DEPARTMENT,
    Relation.OWN_SUBTREE,
    Relation.SAME_REGION,
    Relation.SAME_LEGAL_ENTITY,
    Relation.OTHER_REGION,
    Relation.OTHER_LEGAL_ENTITY,
    Relation.EMERGENCY,
    Relation.OTHERS,
    Relation.ANY,
)
"""Relations, the nearest first: by which rule somebody asks for a change where several name a kind of request."""


def asked_by(grants: Iterable[Rule]) -> dict[FieldClass, str]:
    """Name class by class the kind of request that changes it: of several grants the nearest relation's, of these the first of the pack."""
    found: dict[FieldClass, str] = {}
    for rule in sorted(grants, key=lambda each: NEAREST.index(each.contact.relation)):
        for each, kind in rule.edit_requests.items():
            found.setdefault(each, kind)
    return found


_IN_WORDS: Final = frozenset({Reason.TEXT, Reason.CASE})
_WITHOUT_MASK: Final = {None, Outcome.HIDDEN, Outcome.CLEAR}


class Pack(_Part):
    """A whole pack."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    profile: Literal["open", "strict"]
    zh: str
    en: str
    rules: tuple[Rule, ...] = Field(min_length=1)
    tests: Annotated[tuple[PackTest, ...], AfterValidator(unique)] = ()
    digest: str = ""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            message = f"duplicate rule ids: {', '.join(twice)}"
            raise ValueError(message)
        return self

    @property
    def label(self) -> str:
        """Name version and content in one short text, as events and answers carry it."""
        return f"{self.profile}-{self.version}+{self.digest[:12]}"


class BadPackError(ValueError):
    """The text is not a pack; the message says where."""


def parse(text: str, tests: str | None = None) -> Pack:
    """Read a pack from YAML, and its tests where they stand apart; raise ``BadPackError`` when it is not wholly understood."""
    try:
        raw = strict_yaml.read(text)
        if tests is not None:
            raw = {**raw, "tests": written_beside(strict_yaml.read(tests))}
        return named(Pack.model_validate(raw))
    except (ValueError, TypeError) as error:
        raise BadPackError(str(error)) from error


def canonical(pack: Pack) -> bytes:
    """Write a pack's content in its one form, of which the digest is the SHA-256."""
    return orjson.dumps(pack.model_dump(mode="json", exclude={"digest"}), option=orjson.OPT_SORT_KEYS)


def named(pack: Pack) -> Pack:
    """Give the pack with the digest of its content."""
    return pack.model_copy(update={"digest": hashlib.sha256(canonical(pack)).hexdigest()})


SHIPPED: Final = ("default", "strict")
"""Names of the packs that ship with the service."""


@cache
def shipped() -> Mapping[tuple[str, str], str]:
    """Give the digests of the packs that ship, by profile and number."""
    return {(pack.profile, pack.version): pack.digest for pack in map(load, SHIPPED)}


def texts(name: str) -> tuple[str, str]:
    """Give the texts of a pack that ships with the service, ``default`` or ``strict``: its rules and its tests."""
    folder = files("app.permissions") / "packs"
    rules, tests = ((folder / each).read_text(encoding="utf-8") for each in (f"{name}.yaml", f"{name}.tests.yaml"))
    return rules, tests


@cache
def load(name: str = "default") -> Pack:
    """Read a pack that ships with the service, once in a process."""
    return parse(*texts(name))


def load_file(path: Path) -> Pack:
    """Read a pack of the operator's own, with its tests: a member ``tests``, or a file of them beside it (``NAME.tests.yaml``)."""
    beside = path.with_suffix(".tests.yaml")
    return parse(path.read_text(encoding="utf-8"), beside.read_text(encoding="utf-8") if beside.is_file() else None)
