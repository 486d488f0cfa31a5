"""Rows that say nothing new, told apart before any transaction: without a lock, by the digests of closed rows, opening nothing.

Of a sheet that comes again that is nearly every row. What cannot be told here, for any reason, is left to ``Settling``, which says it of
the row as it is then.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import ValidationError

from app.contacts.headcount import Head
from app.contacts.keeping import ContactKeeper
from app.contacts.schemas import ContactAmend
from app.crypto.sealer import SubjectSealer
from app.imports.kinds import RowResult
from app.kit.errors import Problem
from app.rosters.reading import Person
from app.rosters.verdicts import Verdict, outcome
from app.rosters.weighing import Found, Refused, Setting, Weighing


class Unchanged:
    """Tells of the rows of one stretch."""

    def __init__(self, keeper: ContactKeeper, setting: Setting, heads: Mapping[UUID, Head]) -> None:
        """Take what keeps contacts, what the stretch is settled with, and the closed rows of whom it is about."""
        self._keeper, self._setting = keeper, setting
        self._heads: dict[UUID, tuple[Head, SubjectSealer]] = {}
        found: dict[UUID, Found | None] = {}
        for identity, head in heads.items():
            sealer = keeper.heads.sealer(head.shape)
            if sealer is not None:
                self._heads[identity] = head, sealer
                plain = {**head.shape.plain, "memberships": head.shape.memberships}
                found[identity] = Found(plain, head.shape.cohort, identity)
        self._weighing = Weighing(setting, found, {})

    def results(self, people: Sequence[Person], repeated: Sequence[bool]) -> list[RowResult | None]:
        """Tell of rows, as ``result`` does; of one that the file has twice, nothing."""
        return [None if twice else self.result(each) for each, twice in zip(people, repeated, strict=True)]

    def result(self, person: Person) -> RowResult | None:
        """Tell of a row that everything is as it says; ``None`` where that is not so, or cannot be told."""
        notes: list[str] = []
        try:
            so = self._is_so(person, notes)
        except (Refused, ValidationError, Problem):
            return None
        if not so or notes:
            return None
        code = Verdict.ALREADY_SO
        return RowResult(line=person.line, outcome=outcome(code), code=code, item=person.item)

    def _is_so(self, person: Person, notes: list[str]) -> bool:
        asked = self._weighing.asked(person, notes)
        if isinstance(asked, Verdict):
            return asked is Verdict.ALREADY_SO
        if asked.found is None:
            return False
        head, sealer = self._heads[asked.found.subject]
        return self._keeper.is_so(self._setting.viewer, head, sealer, ContactAmend.model_validate(asked.given))
