"""What becomes of rows of people: who is new is made, of others what differs is changed, by the service that a request would go through.

Who hands a file in is told of a row nothing that a request would not tell them: whom they may not keep is ``not_permitted``, whatever else
there is to say.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.contacts.keeping import ContactKeeper
from app.contacts.record import RowShape
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.schemas import ContactAmend, ContactCreate
from app.disclosure.records import Record
from app.imports.kinds import Outcome, RowResult
from app.kit.db import UnitOfWork
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from app.kit.problems import from_validation
from app.rosters.ordering import keys
from app.rosters.reading import Person
from app.rosters.verdicts import Verdict, outcome
from app.rosters.weighing import Found, Key, Refused, Setting, Weighing

_REFUSALS: Final = (Conflict, Forbidden, NotFound, PreconditionFailed)


class Settling:
    """Settles rows of one stretch, in one transaction."""

    def __init__(self, contacts: ContactRepository, keeper: ContactKeeper, setting: Setting, unit: UnitOfWork) -> None:
        """Take the rows of contacts, what keeps them, what the stretch is settled with, and the transaction."""
        self._contacts, self._keeper, self._setting, self._unit = contacts, keeper, setting, unit
        self._found: dict[UUID, Found | None] = {}
        self._records: dict[UUID, Record] = {}
        self._made: dict[Key, UUID] = {}
        self._weighing = Weighing(setting, self._found, self._made)

    async def settle(self, people: Sequence[Person], repeated: Sequence[bool]) -> list[RowResult]:
        """Settle rows in this order; whoever is there already is locked first, by id, and before them what somebody who moves leaves."""
        found = {self._setting.known.get(key) for each in people for key in keys(each)}
        identities = sorted(each for each in found if each is not None)
        for identity in identities:
            await self._keeper.hold(self._unit, identity)
        for identity in identities:
            loaded = await self._contacts.for_change(self._unit.session, identity)
            self._found[identity] = None
            if loaded is not None:
                record = self._records[identity] = closed(*loaded, self._setting.placing.tree)
                plain = {name: getattr(loaded[0], name) for name in RowShape.PLAIN}
                self._found[identity] = Found(plain, record.cohort, identity)
        return [await self._result(each, again=again) for each, again in zip(people, repeated, strict=True)]

    async def _result(self, person: Person, *, again: bool) -> RowResult:
        notes: list[str] = []
        column, became = None, None
        code: str = Verdict.TWICE_IN_FILE
        try:
            if not again:
                async with self._unit.session.begin_nested():
                    code = await self._settled(person, notes)
        except Refused as refusal:
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

    async def _settled(self, person: Person, notes: list[str]) -> Verdict:
        asked = self._weighing.asked(person, notes)
        if isinstance(asked, Verdict):
            return asked
        viewer = self._setting.viewer
        if asked.found is None:
            given = {name: value for name, value in asked.given.items() if value is not None}
            body = ContactCreate.model_validate({**given, "kind": asked.kind})
            made = await self._keeper.make_told(viewer, self._unit, body)
            self._made.update((key, made.record.subject) for key in keys(person))
            return Verdict.CREATED
        changes = ContactAmend.model_validate(asked.given)
        record = self._records[asked.found.subject]
        written = await self._keeper.amend_told(viewer, self._unit, record, changes)
        return Verdict.AMENDED if written.changed else Verdict.ALREADY_SO


def _first(fault: Invalid) -> tuple[str, str | None]:
    """Give the code of the first of a problem's faults, and the member that it is about."""
    if not fault.errors:
        return fault.code, None
    parts = fault.errors[0].pointer.split("/")
    return fault.errors[0].code, parts[1] if len(parts) > 1 else None
