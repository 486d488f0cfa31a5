"""``employee.joined`` and ``employee.rehired``: a person is in the directory, can be reached by a short number, and can sign in.

Somebody who comes back is the person they were: the same contact, history and, while it waits in quarantine, number. What they could do
before is not theirs again: the account starts at the bottom (tier T1, no roles), grants stay ended, positions stay vacated, and members
that described the former place are emptied (reference/directory-numbers.md, HR event intake, rule 5: never restore grants silently).

A pool that has run dry keeps nobody out: the event is applied and says so.
"""

from typing import Any, Final
from uuid import UUID

from app.contacts.birth import Expected
from app.disclosure.records import Record
from app.hr.data import JoinedData, RehiredData
from app.hr.errors import NameNeeded
from app.hr.numbers import Numbers
from app.hr.ordering import FORMER_PLACE, STATUS
from app.hr.restructuring import Restructuring
from app.hr.subjects import APPLICANT, ARCHIVED, GONE, KIND, Effect, People, Subjects, placed
from app.kit.db import UnitOfWork
from app.numbers.errors import PoolExhausted
from app.permissions.outcomes import FieldClass
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of

_FIRST_TIER: Final = "T1"
APPLICANTS: Final = CohortKey(APPLICANT, None, "active", "normal", ())
"""Who may not write applicants is told so before anybody is looked for."""


class Joining:
    """Lets people in."""

    def __init__(self, *, people: People, subjects: Subjects, numbers: Numbers, structure: Restructuring) -> None:
        """Take where people are written and found, who gives numbers, and who keeps positions."""
        self._people, self._subjects = people, subjects
        self._numbers, self._structure = numbers, structure

    async def join(
        self, viewer: Viewer, unit: UnitOfWork, employee_no: str, data: JoinedData, expected: Expected = None
    ) -> Effect:
        """Make the contact, or an employee of the applicant that the event names; bind its user name, allocate a number.

        ``expected``: the id, and the key, that were made for the card as something was first heard of the person.
        Raises as ``ContactWriter.create`` does, ``NotPermitted`` and ``UnknownApplicant``.
        """
        given = {**data.given(), "employee_no": employee_no}
        key = CohortKey(KIND, data.worker_kind, "active", "normal", placed(viewer.tree, given))
        self._subjects.demand(viewer, key, self._subjects.classes(given))
        given = await self._subjects.with_people(viewer, unit, given)
        if data.applicant is None:
            done = await self._people.writer.create(unit, author_of(viewer), viewer.tree, KIND, given, expected)
        else:
            self._subjects.demand(viewer, APPLICANTS, frozenset({FieldClass.C2}))
            record = await self._subjects.applicant(unit, viewer.tree, data.applicant)
            done = await self._people.writer.employ(unit, author_of(viewer), viewer.tree, record, given)
        return await self._with_number(viewer, unit, done.record)

    async def rehire(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        employee_no: str,
        record: Record,
        data: RehiredData,
        members: frozenset[str],
    ) -> Effect:
        """Take back somebody who left, as far as ``members`` are still the event's to write.

        A return that is heard of after the departure that followed it lets nobody in. Raises as ``join`` does, and ``NameNeeded`` for a
        card in the archive, which nothing opens for an event.
        """
        before, returns = record.cohort, STATUS in members
        if before.status == ARCHIVED and not returns:
            return Effect(record.subject, record.key, superseded=True)
        said: dict[str, Any] = {**dict.fromkeys(FORMER_PLACE), "memberships": [], **data.given(), STATUS: "active"}
        given = {name: value for name, value in said.items() if name in members}
        if before.status == ARCHIVED:
            if data.name is None:
                raise NameNeeded
            given["employee_no"] = employee_no
        key = CohortKey(
            before.kind, data.worker_kind or before.worker_kind, "active", before.secrecy, placed(viewer.tree, said)
        )
        self._subjects.demand(
            viewer, key, self._subjects.classes({name: None for name in said if name != STATUS}), about=record.subject
        )
        if not given:
            return Effect(record.subject, record.key, superseded=True)
        given = await self._subjects.with_people(viewer, unit, given, record.subject)
        done = await self._people.writer.amend(unit, author_of(viewer), viewer.tree, record, given)
        if not returns:
            if before.status == GONE and "user_name" in done.changed:
                await self._shut(unit, record.subject)
            return Effect(record.subject, record.key)
        await self._structure.vacate(unit, author_of(viewer), viewer.tree, record.subject)
        await self._people.parting.returned(unit, record.subject)
        await self._readmit(unit, record.subject)
        return await self._with_number(viewer, unit, done.record)

    async def _shut(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """End the account that a new user name has brought to somebody who left again since."""
        account = await self._subjects.account(unit, contact_id)
        if account is not None:
            await self._people.accounts.disable(unit.session, account.user_name)

    async def _readmit(self, unit: UnitOfWork, contact_id: UUID) -> None:
        account = await self._subjects.account(unit, contact_id)
        if account is None:
            return
        if account.tier != _FIRST_TIER or account.roles:
            account = await self._people.accounts.set_standing(
                unit.session, account.user_name, tier=_FIRST_TIER, roles=()
            )
        if account.state != "active":
            await self._people.accounts.activate(unit.session, account.user_name)

    async def _with_number(self, viewer: Viewer, unit: UnitOfWork, record: Record) -> Effect:
        departments = record.cohort.departments
        try:
            async with unit.session.begin_nested():
                numbers = await self._numbers.number_for_joiner(
                    unit,
                    author_of(viewer),
                    contact_id=record.subject,
                    department_id=departments[0] if departments else None,
                )
        except PoolExhausted as problem:
            return Effect(record.subject, record.key, problem=problem)
        return Effect(record.subject, record.key, tuple(numbers))
