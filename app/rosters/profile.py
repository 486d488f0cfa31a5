"""How a system writes its people into a sheet: headings, words for values, departments, and by what people are found. Data, read strictly.

A profile is a YAML file; the ones that ship lie in ``profiles/``, an operator's own in a directory of theirs, where one may extend
another. A profile that is not wholly understood is refused, and so is one in which a heading could mean two things.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.contacts.fields import CATALOGUE
from app.contacts.schemas import ContactMembers
from app.exchanges.headings import spelled
from app.kit.strict_yaml import read
from app.permissions.pack import WorkerKind

GENERIC: Final = "generic"
STATE: Final = "state"
"""Not a member of a card: what the sheet says of whether somebody works here, which no import acts on."""
KINDS: Final = ("employee", "temporary", "hotline")
"""Those who have an employee number or a user name to be found by."""
PEOPLE: Final = ("manager", "dotted_manager", "backup_contact")
KEYS: Final = ("employee_no", "user_name")
MEMBERS: Final = frozenset(ContactMembers.model_fields) - {"secrecy", "relations"} | {"kind"}
"""What a sheet may say of a card. How secret somebody is, is no system's to say; relations are no one cell."""
MOST_BYTES: Final = 262_144

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
_Words = tuple[_Word, ...]


class LeftOut(StrEnum):
    """Why a column of a sheet is not read."""

    NOT_COLLECTED = "not_collected"
    BY_NAME_ALONE = "by_name_alone"
    KEPT_BY_SERVICE = "kept_by_service"
    NOT_IMPORTED = "not_imported"
    UNKNOWN = "unknown_column"


class State(StrEnum):
    """What a sheet says of whether somebody works here."""

    IN_SERVICE = "in_service"
    NOT_YET = "not_yet"
    GONE = "gone"


_VALUES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "worker_kind": frozenset(get_args(WorkerKind)),
        "kind": frozenset(KINDS),
        STATE: frozenset(State),
    }
)
"""Members that have a few values only; every profile says them in its own words."""


class BadProfileError(ValueError):
    """The text is no profile; the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Places(_Part):
    """How departments are written: ``separators`` between several, ``path`` between the levels of one.

    ``tells: all`` means that the column names every department somebody belongs to, ``main`` the main one alone. ``company_first``: paths
    begin with the company's name, which is no department here. ``table`` gives codes of ours for the ids that the sheet has.
    """

    separators: Annotated[str, Field(min_length=1, max_length=8)] = ";；"
    path: Annotated[str, Field(min_length=1, max_length=3)] = "/"
    tells: Literal["all", "main"] = "all"
    company_first: bool = False
    table: Mapping[_Word, _Word] = Field(default_factory=dict, max_length=20_000)


class Profile(_Part):
    """How one system writes its people."""

    profile: str = Field(pattern=r"^[a-z][a-z0-9_-]{1,31}$")
    zh: str = Field(min_length=2, max_length=80)
    en: str = Field(min_length=2, max_length=80)
    labels: bool = Field(description="Whether field names and their labels are headings too.")
    matches: Annotated[tuple[Literal["employee_no", "user_name"], ...], Field(min_length=1, max_length=2)]
    kind: Literal["employee", "temporary", "hotline"] = "employee"
    columns: Mapping[str, _Words]
    left_out: Mapping[LeftOut, _Words] = Field(default_factory=dict)
    departments: Places = Places()
    values: Mapping[str, Mapping[str, _Words]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        self._known("columns", self.columns, MEMBERS | {STATE})
        self._known("values", self.values, _VALUES)
        for name, words in self.values.items():
            self._known(f"values.{name}", words, _VALUES[name])
            _once(f"values.{name}", words)
        _once("headings", {**self.columns, **{f"left_out.{why}": words for why, words in self.left_out.items()}})
        if len(set(self.matches)) != len(self.matches):
            message = "matches: named twice"
            raise ValueError(message)
        return self

    @staticmethod
    def _known(where: str, named: Iterable[str], known: Iterable[str]) -> None:
        unknown = sorted(set(named) - set(known))
        if unknown:
            message = f"{where}: {', '.join(unknown)}: not known"
            raise ValueError(message)


def _once(where: str, named: Mapping[str, Iterable[str]]) -> None:
    """Raise for a word that means two things."""
    meant: dict[str, str] = {}
    for name, words in named.items():
        for word in words:
            if meant.setdefault(spelled(word), name) != name:
                message = f"{where}: {word}: means {meant[spelled(word)]} and {name}"
                raise ValueError(message)


class Meanings:
    """What a profile's words mean, ready to be looked up."""

    def __init__(self, profile: Profile) -> None:
        """Take the profile; its own words win over labels of the field table."""
        self.profile = profile
        self.headings: dict[str, str | LeftOut] = dict(_labels()) if profile.labels else {}
        for why, words in profile.left_out.items():
            self.headings.update((spelled(word), why) for word in words)
        for member, words in profile.columns.items():
            self.headings.update((spelled(word), member) for word in words)
        self.values: dict[str, dict[str, str]] = {
            member: {
                **{spelled(value): value for value in values},
                **{spelled(word): value for value, words in profile.values.get(member, {}).items() for word in words},
            }
            for member, values in _VALUES.items()
        }

    def heading(self, word: str) -> str | LeftOut | None:
        """Tell which member a column says, or why it is not read; ``None`` for a heading that the profile does not know."""
        return self.headings.get(spelled(word))

    def value(self, member: str, word: str) -> str | None:
        """Give the value that a word stands for; ``None`` for a word that stands for none."""
        return self.values[member].get(spelled(word))


@cache
def _labels() -> dict[str, str | LeftOut]:
    """Give every field under its name and its two labels: what can be said of a card, and why the rest is not read."""
    found: dict[str, str | LeftOut] = {}
    public = [(field.name, field.zh, field.en) for field in CATALOGUE.public]
    for names in (*public, *((field.name, field.zh, field.en) for field in CATALOGUE.declared)):
        meant = names[0] if names[0] in MEMBERS else LeftOut.KEPT_BY_SERVICE
        found.update((spelled(word), meant) for word in names)
    found.update((spelled(word), LeftOut.NOT_IMPORTED) for word in ("secrecy", "保密级别", "relations"))
    return found


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what a profile says over what it extends: mappings member by member, everything else as it says."""
    both = dict(base)
    for name, value in own.items():
        before = both.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            both[name] = _merged(before, value)
        else:
            both[name] = value
    return both


def parse(text: str, known: Mapping[str, Mapping[str, Any]] = MappingProxyType({})) -> tuple[Profile, dict[str, Any]]:
    """Read a profile from YAML, and give it with what was written; ``known`` are those that it may extend.

    Raises ``BadProfileError`` when it is not wholly understood.
    """
    if len(text.encode()) > MOST_BYTES:
        message = "the profile is too long"
        raise BadProfileError(message)
    try:
        written = read(text)
        if not isinstance(written, dict):
            message = "a profile is a mapping"
            raise BadProfileError(message)
        base = written.pop("extends", None)
        if base is not None:
            if base not in known:
                message = f"extends: {base}: not known"
                raise BadProfileError(message)
            written = _merged(known[base], written)
        return Profile.model_validate(written), written
    except ValueError as error:
        raise BadProfileError(str(error)) from error


@cache
def shipped() -> Mapping[str, tuple[Profile, dict[str, Any]]]:
    """Read the profiles that ship with the service, once in a process."""
    found: dict[str, tuple[Profile, dict[str, Any]]] = {}
    for each in sorted((files("app.rosters") / "profiles").iterdir(), key=lambda file: file.name):
        if each.name.endswith(".yaml"):
            profile, written = parse(each.read_text(encoding="utf-8"))
            found[profile.profile] = profile, written
    return MappingProxyType(found)


def load(folder: Path | None = None) -> Mapping[str, Meanings]:
    """Read all profiles, by name: those that ship, and those of ``folder``, whose names are their own."""
    found = {name: profile for name, (profile, _) in shipped().items()}
    known = {name: written for name, (_, written) in shipped().items()}
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        try:
            profile, _ = parse(path.read_text(encoding="utf-8"), known)
        except (BadProfileError, UnicodeDecodeError) as error:
            message = f"{path}: {error}"
            raise BadProfileError(message) from error
        if profile.profile in found:
            message = f"{path}: {profile.profile}: there is a profile of this name"
            raise BadProfileError(message)
        found[profile.profile] = profile
    return MappingProxyType({name: Meanings(profile) for name, profile in found.items()})
