"""Collection forms: which fields a kind of contact may carry, on which legal ground, and for how long. Rules as data, read strictly.

Pure. A form names a field under the ground (PIPL 13) that it is collected on, so that none is collected on no ground. Two grounds are
the person's own to give and to take back: ``consent`` and, for sensitive data, ``separate_consent``; a field on one of them is taken only
while that consent is live. What a form names ``switched_off`` is collected only where the operator's switch names it too. A set of forms
that is not wholly understood is refused, and its canonical JSON is hashed, so that every consent says which forms it was given under.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.contacts.fields import CATALOGUE
from app.kit.strict_yaml import read
from app.permissions.outcomes import FieldClass
from app.permissions.pack import Kind

Consent = tuple[str, str]
"""A field and the ground of a consent that is live."""

ORDINARY: Final = "consent"
SEPARATE: Final = "separate_consent"
CONSENTS: Final = frozenset({ORDINARY, SEPARATE})
KEPT_BY_SERVICE: Final = frozenset(
    {"id", "kind", "status", "short_numbers", "extension", "retain_until", "unconfirmed_since"}
)
"""Members of a card that no form asks for, because no caller says them (or, the status, only to the service)."""

_Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]


class BadFormsError(ValueError):
    """The text is no set of forms; the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Basis(_Part):
    """A ground on which personal data may be collected, and the clauses that give it."""

    clauses: tuple[str, ...] = Field(min_length=1)
    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)


class Retention(_Part):
    """How long a contact of a kind is kept: so many days from what begins the time."""

    begins: Literal["created", "left", "contract_until"]
    days: int = Field(ge=1, le=36_500)


class Form(_Part):
    """What one kind may carry. ``fields`` are named under their ground."""

    kind: Kind
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    required: tuple[_Word, ...] = ()
    retention: Retention | None = None
    fields: Mapping[_Word, tuple[_Word, ...]] = Field(min_length=1)
    switched_off: frozenset[_Word] = frozenset()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        named = [name for names in self.fields.values() for name in names]
        protected = {field.name: field for field in CATALOGUE.declared if self.kind in field.kinds}
        carried = (CATALOGUE.plain(self.kind) - KEPT_BY_SERVICE) | protected.keys()
        sensitive = {name for name in named if name in protected and protected[name].field_class is FieldClass.C5}
        on_consent = {name for ground in CONSENTS for name in self.fields.get(ground, ())}
        faults = {
            "named twice": {name for name in named if named.count(name) > 1},
            "not carried by this kind": set(named) - carried,
            "required or off, but not in the form": {*self.required, *self.switched_off} - set(named),
            "required, so it can neither be off nor rest on a consent": set(self.required)
            & (self.switched_off | on_consent),
            "plain, so it cannot rest on a consent": on_consent - protected.keys(),
            "sensitive, so consent to it is separate": sensitive & set(self.fields.get(ORDINARY, ())),
        }
        for fault, names in faults.items():
            if names:
                message = f"form {self.kind}: {', '.join(sorted(names))}: {fault}"
                raise ValueError(message)
        return self


class FormSet(_Part):
    """All forms of a company."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)
    bases: Mapping[_Word, Basis]
    forms: tuple[Form, ...] = Field(min_length=1)
    digest: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        kinds = [form.kind for form in self.forms]
        unknown = {ground for form in self.forms for ground in form.fields} - self.bases.keys()
        if len(set(kinds)) != len(kinds) or unknown:
            message = f"a kind has two forms, or a ground is not explained: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        return self


class Forms:
    """The forms in force: a set of forms, with what the operator switched on."""

    def __init__(self, made: FormSet, *, switched_on: Iterable[str] = ()) -> None:
        """Take the forms and the ``switched_off`` fields that are collected all the same."""
        self.made, on = made, frozenset(switched_on)
        self.by_kind: Mapping[str, Form] = {form.kind: form for form in made.forms}
        self._bases: Mapping[str, Mapping[str, str]] = {
            form.kind: {name: ground for ground, names in form.fields.items() for name in names} for form in made.forms
        }
        self._collected: Mapping[str, frozenset[str]] = {
            form.kind: frozenset(
                name for names in form.fields.values() for name in names if name not in form.switched_off or name in on
            )
            | (CATALOGUE.plain(form.kind) & KEPT_BY_SERVICE)
            for form in made.forms
        }

    @property
    def label(self) -> str:
        """Name version and content in one short text."""
        return f"forms-{self.made.version}+{self.made.digest[:12]}"

    def collects(self, kind: str, name: str) -> bool:
        """Tell whether a contact of ``kind`` may be given ``name``."""
        return name in self._collected.get(kind, frozenset())

    def basis(self, kind: str, name: str) -> str | None:
        """Give the ground on which a kind's field is collected; ``None`` for what its form does not name."""
        return self._bases.get(kind, {}).get(name)

    def consent(self, kind: str, name: str) -> str | None:
        """Give the consent that a kind's field rests on; ``None`` for a field on any other ground."""
        ground = self.basis(kind, name)
        return ground if ground in CONSENTS else None

    def required(self, kind: str) -> tuple[str, ...]:
        """Name what a contact of ``kind`` cannot be without."""
        form = self.by_kind.get(kind)
        return () if form is None else form.required

    def unconsented(self, kind: str, names: Iterable[str], live: Collection[Consent]) -> frozenset[str]:
        """Name those of ``names`` that rest on a consent which is not among the ``live`` ones."""
        needed = ((name, self.consent(kind, name)) for name in names)
        return frozenset(name for name, ground in needed if ground is not None and (name, ground) not in live)

    def closed(self, kind: str, live: Collection[Consent]) -> frozenset[str]:
        """Name every field of ``kind`` that rests on a consent which is not live: what once stood there is nobody's to see."""
        return self.unconsented(kind, self._bases.get(kind, {}), live)

    def retain_until(self, kind: str, at: datetime) -> date | None:
        """Give the last day on which a contact made ``at`` is kept; ``None`` where the time begins with something else."""
        form = self.by_kind.get(kind)
        if form is None or form.retention is None or form.retention.begins != "created":
            return None
        return at.date() + timedelta(days=form.retention.days)

    def kept_until(
        self, kind: str, *, created: date, left: date, contract_until: date | None, retain_until: date | None
    ) -> date | None:
        """Give the last day on which a card in the archive is kept; ``None`` for a kind that is kept without an end.

        A time that begins with a contract begins with the leaving where no end of the contract was ever said.
        """
        form = self.by_kind.get(kind)
        if form is None or form.retention is None:
            return None
        days = timedelta(days=form.retention.days)
        match form.retention.begins:
            case "created":
                return retain_until or created + days
            case "contract_until":
                return (contract_until or left) + days
            case "left":
                return left + days


def parse(text: str) -> FormSet:
    """Read a set of forms from YAML; raise ``BadFormsError`` when it is not wholly understood."""
    try:
        made = FormSet.model_validate(read(text))
    except ValueError as error:
        raise BadFormsError(str(error)) from error
    dumped = made.model_dump(mode="json", exclude={"digest"})
    for form in dumped["forms"]:
        form["switched_off"].sort()
    return made.model_copy(
        update={"digest": hashlib.sha256(orjson.dumps(dumped, option=orjson.OPT_SORT_KEYS)).hexdigest()}
    )


@cache
def load(name: str = "default") -> FormSet:
    """Read a set that ships with the service, ``default`` or ``strict``, once in a process."""
    return parse((files("app.contacts") / "form_sets" / f"{name}.yaml").read_text(encoding="utf-8"))


def load_file(path: Path) -> FormSet:
    """Read a set of the operator's own."""
    return parse(path.read_text(encoding="utf-8"))


def unpack_consents(stored: str | None) -> frozenset[Consent]:
    """Read the consents that are live from the contact's row; words that are none mean nothing."""
    pairs = (word.partition(":") for word in (stored or "").split())
    return frozenset((name, ground) for name, _, ground in pairs if name and ground)


def pack_consents(live: Iterable[Consent]) -> str | None:
    """Write the consents that are live as the contact's row keeps them; ``None`` for none."""
    return " ".join(sorted(f"{name}:{ground}" for name, ground in live)) or None
