"""What a row of a sheet asks for, held against who it is about: what speaks against it, or what is to be written of it. Nothing is awaited.

What a row says as it is already is left out before anybody is asked, so that it takes no right and no request. The same is asked of a row
that is locked and, before any transaction, of one that was loaded closed: most rows of most sheets say nothing new.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.auth.subject import user_name_key
from app.contacts.rows import REFERENCES
from app.contacts.schemas import Membership
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer
from app.rosters.ordering import keys, named
from app.rosters.placing import Placing, Unplaced
from app.rosters.profile import PEOPLE, STATE, Profile, State
from app.rosters.reading import Person
from app.rosters.verdicts import Verdict

Key = tuple[str, str]
_GONE: Final = frozenset({"left", "archived"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a stretch of rows is settled with.

    ``known`` are the contacts of keys that the file has, ``nameable`` those whom the viewer may name as somebody's superior or deputy,
    and ``follows`` tells of a row and a key whether the file brings whom it names, though not before that row.
    """

    viewer: Viewer
    profile: Profile
    placing: Placing
    headings: Mapping[str, str]
    known: Mapping[Key, UUID]
    nameable: Container[UUID]
    follows: Callable[[Person, Key], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who is there already: their plain columns by name, and what policy reads of them."""

    plain: Mapping[str, Any]
    cohort: CohortKey
    subject: UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be written of ``found``, or of somebody new, of this ``kind``."""

    given: dict[str, Any]
    found: Found | None
    kind: str | None


class Refused(Exception):
    """The row is not done; ``member`` is at fault, or all of it."""

    def __init__(self, code: str, member: str | None = None) -> None:
        """Keep the code, and which member it is about."""
        super().__init__(code)
        self.code, self.member = code, member


class Weighing:
    """Weighs rows of one stretch."""

    def __init__(self, setting: Setting, found: Mapping[UUID, Found | None], made: Mapping[Key, UUID]) -> None:
        """Take what the stretch is settled with, who is there (``None``: a row that cannot be read), and whom its rows have made by now."""
        self._setting, self._found, self._made = setting, found, made

    def asked(self, person: Person, notes: list[str]) -> Asked | Verdict:
        """Say what is to be written, or what the row comes to without that, and add ``notes``; raise ``Refused`` and ``NotPermitted``."""
        told = person.members()
        found = self._somebody(person)
        match told.pop(STATE, None):
            case State.NOT_YET:
                return Verdict.NOT_HERE_YET
            case State.GONE:
                gone = found is None or found.plain["status"] in _GONE
                return Verdict.ALREADY_SO if gone else Verdict.SAYS_GONE
            case _:
                pass
        kind = told.pop("kind", None)
        if found is None:
            return Asked(self._given(person, told, None, notes), None, kind or self._setting.profile.kind)
        plain = found.plain
        if plain["status"] in _GONE:
            raise Refused(Verdict.HAS_LEFT)
        if kind is not None and kind != plain["kind"]:
            raise Refused(Verdict.OTHER_KIND, "kind")
        _same(plain, told)
        given = self._given(person, told, plain, notes)
        return Asked(given, found, None) if given else Verdict.ALREADY_SO

    def _somebody(self, person: Person) -> Found | None:
        """Give whom a row is about, if anybody; raise for two people, and for whom the viewer may not keep."""
        identities = {self._setting.known[key] for key in keys(person) if key in self._setting.known}
        everybody = [self._found.get(each) for each in identities]
        for found in everybody:
            if found is None or not self._keeps(found):
                raise NotPermitted
        if len(everybody) > 1:
            raise Refused(Verdict.NAMES_TWO_PEOPLE)
        return everybody[0] if everybody else None

    def _keeps(self, found: Found) -> bool:
        """Tell whether the viewer may edit the contact, or might if it had not left: of who left, services are told nothing else."""
        key = found.cohort._replace(status="active") if found.cohort.status in _GONE else found.cohort
        plan = self._setting.viewer.plan(Purpose.WORK_CONTACT)
        return FieldClass.C1 in plan.cohort(key, found.subject).edits

    def _given(
        self, person: Person, told: dict[str, Any], plain: Mapping[str, Any] | None, notes: list[str]
    ) -> dict[str, Any]:
        """Give the members to be written: departments and people as ours, and nothing of these that is so already."""
        further = told.pop("memberships", None)
        places = told.pop("department", None)
        named_people = self._people(person, told, notes, None if plain is None else plain["id"])
        given = {**told, **self._placed(places, further, plain), **named_people}
        for name in PEOPLE:
            if plain is not None and name in given and plain[REFERENCES[name]] == given[name]:
                del given[name]
        return given

    def _people(self, person: Person, told: dict[str, Any], notes: list[str], oneself: UUID | None) -> dict[str, Any]:
        """Take out whom a row names, and give them as ours; who is named as their own superior has none."""
        found: dict[str, Any] = {}
        for name in PEOPLE:
            if name not in told:
                continue
            word = told.pop(name)
            if word is not None and not set(named(word)).isdisjoint(keys(person)):
                continue
            identity = None if word is None else self._person(word)
            if identity is not None and identity == oneself:
                continue
            if word is None or identity is not None:
                found[name] = identity
            elif any(self._setting.follows(person, key) for key in named(word)):
                notes.append(Verdict.COMES_WITH_FILE)
            else:
                raise Refused("unknown_contact", name)
        return found

    def _person(self, word: str) -> UUID | None:
        """Find whom a word names: somebody whom an earlier row of the stretch made, or whom the viewer may name."""
        for key in named(word):
            if key in self._made:
                return self._made[key]
        identity = next((self._setting.known[key] for key in named(word) if key in self._setting.known), as_id(word))
        return identity if identity is not None and identity in self._setting.nameable else None

    def _placed(
        self, places: list[str] | None, further: list[str] | None, plain: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Give department and memberships where the file has others than the card; titles in departments that stay are kept."""
        given: dict[str, Any] = {}
        find = self._setting.placing.find
        nodes = _located(places or (), "department", find)
        rest = None if further is None else _located(further, "memberships", find)
        if self._setting.profile.departments.tells == "all" and places and rest is None:
            rest = []
        now = None if plain is None else plain["department_id"]
        main = next((node for node in nodes if node.id == now), nodes[0] if nodes else None)
        if len(nodes) > 1 or rest is not None:
            rest = [*(node for node in nodes if node is not main), *(rest or ())]
        if main is not None and main.id != now:
            given["department"] = main.code
        at = now if main is None else main.id
        before = {} if plain is None else {UUID(each["department_id"]): each for each in plain["memberships"]}
        wanted = None if rest is None else dict.fromkeys(node.id for node in rest if node.id != at)
        same = [at] if at is not None and at == now and at in before else []
        if wanted is not None and wanted.keys() != before.keys() - {*same}:
            given["memberships"] = [_membership(each, before.get(each)) for each in (*same, *wanted)]
        return given


def _same(plain: Mapping[str, Any], told: dict[str, Any]) -> None:
    """Take out the names by which somebody is found where they are so already; raise where the file has others."""
    before, key = plain["employee_no"], plain["user_name_key"]
    number = told.pop("employee_no") if told.get("employee_no") and before is not None else before
    if number != before:
        raise Refused(Verdict.NAMES_TWO_PEOPLE, "employee_no")
    account = told.pop("user_name") if told.get("user_name") and key is not None else key
    if account is not None and user_name_key(account) != key:
        raise Refused(Verdict.OTHER_USER_NAME, "user_name")


def _located(words: Sequence[str], member: str, find: Callable[[str], Any]) -> list[Any]:
    try:
        return [find(each) for each in words]
    except Unplaced as fault:
        raise Refused(fault.code, member) from None


def _membership(department: UUID, before: Mapping[str, Any] | None) -> Membership:
    kept = {} if before is None else {name: before[name] for name in ("title", "order", "leader")}
    return Membership(department=str(department), **kept)


def as_id(word: str) -> UUID | None:
    """Read a word as the id of a contact; ``None`` when it is none."""
    try:
        return UUID(word)
    except ValueError:
        return None
