"""People in sheets as a kind of import: a directory as another system tells it, row by row, into this one.

An import does what its operator might do by hand, through the same service, and nothing else: nobody leaves or comes back by it, no account
is renamed, how secret somebody is stays as it is, and nobody is found by name.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.auth.scopes import Scope
from app.contacts import named_staff
from app.contacts.forms import Forms
from app.contacts.keeping import ContactKeeper
from app.contacts.naming import Naming
from app.contacts.repository import ContactRepository
from app.imports.errors import NothingKeptBack, UnknownProfile
from app.imports.kinds import Asked, Import, Outcome, RowResult, Settle
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.kit.query import Source
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer
from app.rosters.ordering import keys, named, repeated, settled_in
from app.rosters.placing import Placing
from app.rosters.profile import KINDS, Meanings, Profile
from app.rosters.reading import Person, Roster, read
from app.rosters.settling import Settling
from app.rosters.unchanged import Unchanged
from app.rosters.verdicts import COLUMNS, Verdict, explain
from app.rosters.weighing import Key, Setting, as_id

CONTACTS: Final = "contacts"
ANYBODY: Final = CohortKey("employee", None, "active", "normal", ())
"""Who may not keep the card of an employee wherever they work, hands in no file of people."""
_SCOPES: Final = frozenset({Scope.CONTACTS_WRITE.value, Scope.HR_WRITE.value})
_MOST_COLUMNS_TOLD: Final = 64


class RosterImport:
    """Implements ``imports.kinds.ImportKind``."""

    formats = frozenset({"csv", "xlsx"})
    placed: Final = "profile"

    def __init__(
        self,
        *,
        keeper: ContactKeeper,
        naming: Naming,
        contacts: ContactRepository,
        forms: Forms,
        profiles: Mapping[str, Meanings],
        region: str,
        database: Database,
    ) -> None:
        """Take what keeps contacts, who may be named, the rows, the forms, the profiles, the home region of numbers, and the store."""
        self.keeper, self.naming, self.contacts, self.database = keeper, naming, contacts, database
        self._forms, self._profiles, self._region = forms, profiles, region

    def admit(self, viewer: Viewer) -> None:
        """Raise ``NotPermitted`` for whoever may not keep everybody's card."""
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(ANYBODY, new_id())
        if _SCOPES.isdisjoint(viewer.standing.scopes) or FieldClass.C1 not in cohort.edits:
            raise NotPermitted

    async def check(self, source: Source, asked: Asked) -> str:
        """Give the profile that is asked for. Raises ``UnknownProfile`` and ``NothingKeptBack``."""
        del source
        if asked.overrule:
            raise NothingKeptBack
        if asked.profile not in self._profiles:
            raise UnknownProfile
        return asked.profile

    async def read(self, found: Import, content: bytes, *, seconded: bool) -> "RosterSheet":
        """Read a file, away from the loop that serves; raise ``UnknownProfile`` when its profile is not there any more."""
        del seconded
        meanings = self._profiles.get(found.place)
        if meanings is None:
            raise UnknownProfile
        return await asyncio.to_thread(self._sheet, found, content, meanings)

    def explain(self, code: str) -> tuple[str, str]:
        """Say what a code means."""
        return explain(code)

    def _sheet(self, found: Import, content: bytes, meanings: Meanings) -> "RosterSheet":
        roster = read(content, found.format, meanings, collects=self._collects, region=self._region)
        return RosterSheet(self, found, roster, meanings.profile)

    def _collects(self, member: str) -> bool:
        return any(self._forms.collects(kind, member) for kind in KINDS)


class RosterSheet:
    """A sheet of people that has been read; implements ``imports.kinds.Sheet``."""

    def __init__(self, kind: RosterImport, found: Import, roster: Roster, profile: Profile) -> None:
        """Take what was read, and put its rows into the order in which they are settled."""
        self._kind, self._roster, self._profile = kind, roster, profile
        self._order, self._repeated = settled_in(roster.people), repeated(roster.people)
        self._settled_at = {key: at for at, place in enumerate(self._order) for key in keys(roster.people[place])}
        self._rehearsed = found.dry_run
        self._makes = bytearray(b"\1") * len(self._order)
        self.problems = [
            RowResult(line=each.line, outcome=Outcome.PROBLEM, code=each.code, column=each.column)
            for each in roster.problems
        ]
        self.total = len(roster.people)

    async def stretch(self, viewer: Viewer, at: int, count: int) -> Settle:
        """Find whom some rows are about, whom they name, and which say nothing new; give what settles the others and tells of all."""
        places = self._order[at : at + count]
        people = [self._roster.people[each] for each in places]
        again = [self._repeated[each] for each in places]
        known = await self._known(people)
        setting = Setting(
            viewer=viewer,
            profile=self._profile,
            placing=Placing(viewer.tree, self._profile.departments),
            headings=self._roster.headings,
            known=known,
            nameable=await self._nameable(viewer, people, known),
            follows=partial(self._follows, at),
        )

        subjects = {known[key] for each in people for key in keys(each) if key in known}
        heads = await self._kind.keeper.heads.known(self._kind.database.reader, sorted(subjects))
        told = await asyncio.to_thread(lambda: Unchanged(self._kind.keeper, setting, heads).results(people, again))
        left = [place for place, each in enumerate(told) if each is None]

        async def settle(unit: UnitOfWork) -> Sequence[RowResult]:
            settling = Settling(self._kind.contacts, self._kind.keeper, setting, unit)
            became = await settling.settle([people[each] for each in left], [again[each] for each in left])
            others = iter(became)
            results = [each or next(others) for each in told]
            self._makes[at : at + len(results)] = bytes(each.code == Verdict.CREATED for each in results)
            return results

        return settle

    async def proposals(self, source: Source) -> Mapping[str, Any]:
        """List the columns that were not read, and why."""
        del source
        told = [
            {"heading": heading, "code": why.value, "message": COLUMNS[why][0], "message_zh": COLUMNS[why][1]}
            for heading, why in self._roster.left_out[:_MOST_COLUMNS_TOLD]
        ]
        return {"columns": told} if told else {}

    def _follows(self, begun: int, person: Person, key: Key) -> bool:
        """Tell whether the file brings somebody later, as in a ring of superiors.

        In a rehearsal those whom an earlier stretch than the one ``begun`` has made come later too, since it was taken back: they and no
        others, so that it tells of whoever names somebody who cannot be made what the import will. Of stretches before a run that took
        over that is not known any more, and everybody there is taken for made.
        """
        at = self._settled_at.get(key)
        if at is None:
            return False
        return at > self._settled_at[keys(person)[0]] or (self._rehearsed and at < begun and bool(self._makes[at]))

    async def _known(self, people: Sequence[Person]) -> dict[Key, UUID]:
        wanted = {key for each in people for key in keys(each)}
        wanted |= {key for each in people for word in each.people for key in named(word)}
        numbers, names = ({value for name, value in wanted if name == which} for which in ("employee_no", "user_name"))
        reader = self._kind.database.reader
        found: dict[Key, UUID] = {}
        for number, identity in (await named_staff.by_employee_no(reader, numbers)).items():
            found["employee_no", number] = identity
        for name, identity in (await named_staff.by_user_name(reader, names)).items():
            found["user_name", name] = identity
        return found

    async def _nameable(self, viewer: Viewer, people: Sequence[Person], known: Mapping[Key, UUID]) -> frozenset[UUID]:
        words = {word for each in people for word in each.people}
        meant = {known.get(key) for word in words for key in named(word)} | {as_id(word) for word in words}
        return frozenset(
            [each for each in meant if each is not None and await self._kind.naming.may_name(viewer, each)]
        )
