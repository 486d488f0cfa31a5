"""What becomes of rows of people: who is new is made, of others what differs is changed, by the service that a request would go through.

Who hands a file in is told of a row nothing that a request would not tell them: whom they may not keep is ``not_permitted``, whatever else
there is to say. What a row says as it is already is left out before anybody is asked, so that it takes no right and no request.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.auth.subject import user_name_key
from app.contacts.keeping import ContactKeeper
from app.contacts.repository import ContactRepository
from app.contacts.rows import REFERENCES, closed
from app.contacts.schemas import ContactAmend, ContactCreate, Membership
from app.disclosure.records import Record
from app.imports.kinds import Outcome, RowResult
from app.kit.db import UnitOfWork
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from app.kit.problems import from_validation
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.standing import Viewer
from app.rosters.ordering import keys, named
from app.rosters.placing import Placing, Unplaced
from app.rosters.profile import PEOPLE, STATE, Profile, State
from app.rosters.reading import Person
from app.rosters.verdicts import Verdict, outcome

_GONE: Final = frozenset({"left", "archived"})
_REFUSALS: Final = (Conflict, Forbidden, NotFound, PreconditionFailed)
Key = tuple[str, str]


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


class _Refused(Exception):
    """The row is not done; ``member`` is at fault, or all of it."""

    def __init__(self, code: str, member: str | None = None) -> None:
        super().__init__(code)
        self.code, self.member = code, member


@dataclass(frozen=True, slots=True)
class _Found:
    """Somebody who is there already: the row as it is stored, and closed."""

    row: Any
    record: Record


class Settling:
    """Settles rows of one stretch, in one transaction."""

    def __init__(self, contacts: ContactRepository, keeper: ContactKeeper, setting: Setting, unit: UnitOfWork) -> None:
        """Take the rows of contacts, what keeps them, what the stretch is settled with, and the transaction."""
        self._contacts, self._keeper, self._setting, self._unit = contacts, keeper, setting, unit
        self._found: dict[UUID, _Found | None] = {}
        self._made: dict[Key, UUID] = {}

    async def settle(self, people: Sequence[Person], repeated: Sequence[bool]) -> list[RowResult]:
        """Settle rows in this order; whoever is there already is locked first, by id, and before them what somebody who moves leaves."""
        found = {self._setting.known.get(key) for each in people for key in keys(each)}
        identities = sorted(each for each in found if each is not None)
        for identity in identities:
            await self._keeper.hold(self._unit, identity)
        for identity in identities:
            loaded = await self._contacts.for_change(self._unit.session, identity)
            tree = self._setting.placing.tree
            self._found[identity] = None if loaded is None else _Found(loaded[0], closed(*loaded, tree))
        return [await self._result(each, again=again) for each, again in zip(people, repeated, strict=True)]

    async def _result(self, person: Person, *, again: bool) -> RowResult:
        notes: list[str] = []
        column, became = None, None
        code: str = Verdict.TWICE_IN_FILE
        try:
            if not again:
                async with self._unit.session.begin_nested():
                    code = await self._settled(person, person.members(), notes)
        except _Refused as refusal:
            code, column = refusal.code, refusal.member
        except ValidationError as error:
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
            code, column = _first(from_validation(RequestValidationError(faults)))
        except Invalid as fault:
            code, column = _first(fault)
        except _REFUSALS as refusal:
            code, became = refusal.code, Outcome.CONFLICT
        return RowResult(
            line=person.line,
            outcome=became or outcome(code),
            code=code,
            column=None if column is None else self._setting.headings.get(column),
            item=person.item,
            notes=tuple(notes),
        )

    async def _settled(self, person: Person, told: dict[str, Any], notes: list[str]) -> Verdict:
        found = self._somebody(person)
        match told.pop(STATE, None):
            case State.NOT_YET:
                return Verdict.NOT_HERE_YET
            case State.GONE:
                gone = found is None or found.row.status in _GONE
                return Verdict.ALREADY_SO if gone else Verdict.SAYS_GONE
            case _:
                pass
        kind = told.pop("kind", None)
        if found is None:
            return await self._new(person, kind or self._setting.profile.kind, told, notes)
        row = found.row
        if row.status in _GONE:
            raise _Refused(Verdict.HAS_LEFT)
        if kind is not None and kind != row.kind:
            raise _Refused(Verdict.OTHER_KIND, "kind")
        self._same(row, told)
        given = self._given(person, told, row, notes)
        if not given:
            return Verdict.ALREADY_SO
        body = ContactAmend.model_validate(given)
        written = await self._keeper.amend_told(self._setting.viewer, self._unit, found.record, body)
        return Verdict.AMENDED if written.changed else Verdict.ALREADY_SO

    def _somebody(self, person: Person) -> _Found | None:
        """Give whom a row is about, if anybody; raise for two people, and for whom the viewer may not keep."""
        identities = {self._setting.known[key] for key in keys(person) if key in self._setting.known}
        everybody = [self._found.get(each) for each in identities]
        for found in everybody:
            if found is None or not self._keeps(found.record):
                raise NotPermitted
        if len(everybody) > 1:
            raise _Refused(Verdict.NAMES_TWO_PEOPLE)
        return everybody[0] if everybody else None

    def _keeps(self, record: Record) -> bool:
        """Tell whether the viewer may edit the contact, or might if it had not left: of who left, services are told nothing else."""
        key = record.cohort._replace(status="active") if record.cohort.status in _GONE else record.cohort
        plan = self._setting.viewer.plan(Purpose.WORK_CONTACT)
        return FieldClass.C1 in plan.cohort(key, record.subject).edits

    async def _new(self, person: Person, kind: str, told: dict[str, Any], notes: list[str]) -> Verdict:
        given = {name: value for name, value in self._given(person, told, None, notes).items() if value is not None}
        body = ContactCreate.model_validate({**given, "kind": kind})
        written = await self._keeper.make_told(self._setting.viewer, self._unit, body)
        self._made.update((key, written.record.subject) for key in keys(person))
        return Verdict.CREATED

    def _same(self, row: Any, told: dict[str, Any]) -> None:  # noqa: ANN401 — a mapped row
        """Take out the names by which somebody is found where they are so already; raise where the file has others."""
        number = told.pop("employee_no") if told.get("employee_no") and row.employee_no is not None else row.employee_no
        if number != row.employee_no:
            raise _Refused(Verdict.NAMES_TWO_PEOPLE, "employee_no")
        account = (
            told.pop("user_name") if told.get("user_name") and row.user_name_key is not None else row.user_name_key
        )
        if account is not None and user_name_key(account) != row.user_name_key:
            raise _Refused(Verdict.OTHER_USER_NAME, "user_name")

    def _given(self, person: Person, told: dict[str, Any], row: Any | None, notes: list[str]) -> dict[str, Any]:  # noqa: ANN401 — a mapped row
        """Give the members to be written: departments and people as ours, and nothing of C1 that is so already."""
        further = told.pop("memberships", None)
        places = told.pop("department", None)
        named_people = self._people(person, told, notes)
        given = {**told, **self._placed(places, further, row), **named_people}
        for name in PEOPLE:
            if row is not None and name in given and getattr(row, REFERENCES[name]) == given[name]:
                del given[name]
        return given

    def _people(self, person: Person, told: dict[str, Any], notes: list[str]) -> dict[str, Any]:
        """Take out whom a row names, and give them as ours; who is named as their own superior has none."""
        found: dict[str, Any] = {}
        for name in PEOPLE:
            if name not in told:
                continue
            word = told.pop(name)
            if word is not None and not set(named(word)).isdisjoint(keys(person)):
                continue
            identity = None if word is None else self._person(word)
            if word is None or identity is not None:
                found[name] = identity
            elif any(self._setting.follows(person, key) for key in named(word)):
                notes.append(Verdict.COMES_WITH_FILE)
            else:
                raise _Refused("unknown_contact", name)
        return found

    def _person(self, word: str) -> UUID | None:
        """Find whom a word names: somebody whom an earlier row of the stretch made, or whom the viewer may name."""
        for key in named(word):
            if key in self._made:
                return self._made[key]
        identity = next((self._setting.known[key] for key in named(word) if key in self._setting.known), as_id(word))
        return identity if identity is not None and identity in self._setting.nameable else None

    def _placed(self, places: list[str] | None, further: list[str] | None, row: Any | None) -> dict[str, Any]:  # noqa: ANN401 — a mapped row
        """Give department and memberships where the file has others than the card; titles in departments that stay are kept."""
        given: dict[str, Any] = {}
        find = self._setting.placing.find
        nodes = _located(places or (), "department", find)
        rest = None if further is None else _located(further, "memberships", find)
        if self._setting.profile.departments.tells == "all" and places and rest is None:
            rest = []
        now = None if row is None else row.department_id
        main = next((node for node in nodes if node.id == now), nodes[0] if nodes else None)
        if len(nodes) > 1 or rest is not None:
            rest = [*(node for node in nodes if node is not main), *(rest or ())]
        if main is not None and main.id != now:
            given["department"] = main.code
        at = now if main is None else main.id
        before = {} if row is None else {UUID(each["department_id"]): each for each in row.memberships}
        wanted = None if rest is None else dict.fromkeys(node.id for node in rest if node.id != at)
        same = [at] if at is not None and at == now and at in before else []
        if wanted is not None and wanted.keys() != before.keys() - {*same}:
            given["memberships"] = [_membership(each, before.get(each)) for each in (*same, *wanted)]
        return given


def _located(words: Sequence[str], member: str, find: Callable[[str], Any]) -> list[Any]:
    try:
        return [find(each) for each in words]
    except Unplaced as fault:
        raise _Refused(fault.code, member) from None


def _membership(department: UUID, before: Mapping[str, Any] | None) -> Membership:
    kept = {} if before is None else {name: before[name] for name in ("title", "order", "leader")}
    return Membership(department=str(department), **kept)


def _first(fault: Invalid) -> tuple[str, str | None]:
    """Give the code of the first of a problem's faults, and the member that it is about."""
    if not fault.errors:
        return fault.code, None
    parts = fault.errors[0].pointer.split("/")
    return fault.errors[0].code, parts[1] if len(parts) > 1 else None


def as_id(word: str) -> UUID | None:
    """Read a word as the id of a contact; ``None`` when it is none."""
    try:
        return UUID(word)
    except ValueError:
        return None
