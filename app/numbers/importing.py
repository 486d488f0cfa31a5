"""The live number plan as a kind of import: a sheet, Asterisk's ``pjsip.conf`` or FreeSWITCH's directory, line by line into one domain.

A line names its holder by employee number, user name or room code; who may not know of a person is told, as of one who is not there, that
there is no such holder. What a line may do beyond the house is not taken over: that is granted by request, with an end.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from app.auth.scopes import Scope
from app.contacts import named_staff
from app.exchanges import asterisk, freeswitch, sheets
from app.exchanges.line import FAULTS, Fault, HolderKind, HolderReference, Kind, Line, Plan
from app.imports.kinds import Asked, Import, Outcome, RowResult, Settle
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Invalid
from app.kit.query import Source
from app.numbers.adopting import Adopting, NumberAdoption, Wish
from app.numbers.adoption_rules import (
    MOST_RANGES,
    PROBLEMS,
    UNCHANGED,
    VERDICTS,
    Overrule,
    Verdict,
    outside,
    repeated,
)
from app.numbers.device_places import devices_by_serial
from app.numbers.errors import HolderNotFound, UnknownDomain
from app.numbers.holders import HolderNames
from app.numbers.plan_repository import PlanRepository
from app.numbers.pool_repository import PoolRepository
from app.numbers.pools import refuse_others
from app.numbers.repository import Holder
from app.numbers.schemas import HolderRef
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer, author_of

NUMBER_PLAN: Final = "number_plan"
READERS: Final[Mapping[str, Callable[[bytes], Plan]]] = {
    "csv": sheets.read_csv,
    "xlsx": sheets.read_xlsx,
    "asterisk": asterisk.read,
    "freeswitch": freeswitch.read,
}
_SHEETS: Final = frozenset({"csv", "xlsx"})
_ROLES: Final = {Kind.EXTENSION: "extension", Kind.NUMBER: "short"}


class NumberPlanImport:
    """Implements ``imports.kinds.ImportKind``."""

    formats = frozenset(READERS)
    placed: Final = "domain"

    def __init__(
        self,
        *,
        adoption: NumberAdoption,
        names: HolderNames,
        pools: PoolRepository,
        ranges: PlanRepository,
        database: Database,
    ) -> None:
        """Take what adopts, who may be named, the plan, and the store."""
        self.adoption, self.names, self.pools, self.ranges, self.database = adoption, names, pools, ranges, database

    def admit(self, viewer: Viewer) -> None:
        """Raise ``NotPermitted`` for whoever does not keep the number plan."""
        if Scope.NUMBERS_ADMIN.value not in viewer.standing.scopes:
            raise NotPermitted
        refuse_others(viewer)

    async def check(self, source: Source, asked: Asked) -> str:
        """Give the domain that is asked for; raise ``UnknownDomain`` for one that is not there."""
        if asked.domain not in {each.code for each in await self.pools.domains(source)}:
            raise UnknownDomain("?domain")
        return asked.domain

    async def read(self, found: Import, content: bytes, *, seconded: bool) -> "PlanSheet":
        """Read a file, away from the loop that serves."""
        plan = await asyncio.to_thread(READERS[found.format], content)
        overrule = Overrule.NOT_ASKED
        if found.overrules:
            overrule = Overrule.BY_TWO if seconded else Overrule.BY_ONE
        return PlanSheet(self, found, plan, overrule)

    def explain(self, code: str) -> tuple[str, str]:
        """Say what a code means; raise ``ValueError`` for none of ours."""
        try:
            return VERDICTS[Verdict(code)]
        except ValueError:
            return FAULTS[Fault(code)]


class PlanSheet:
    """A plan that has been read; implements ``imports.kinds.Sheet``."""

    def __init__(self, kind: NumberPlanImport, found: Import, plan: Plan, overrule: Overrule) -> None:
        """Take the plan, and what was asked of it."""
        self._kind, self._found, self._lines, self._overrule = kind, found, plan.lines, overrule
        self._repeated = repeated([(each.digits, (each.holder, each.kind)) for each in plan.lines])
        self.problems = [
            RowResult(line=each.line, outcome=Outcome.PROBLEM, code=each.code.value, column=each.column)
            for each in plan.problems
        ]
        self.total = len(plan.lines)

    async def stretch(self, viewer: Viewer, at: int, count: int) -> Settle:
        """Find the holders of some lines; give what adopts their numbers."""
        lines = self._lines[at : at + count]
        again = self._repeated[at : at + count]
        holders = await self._holders(viewer, {each.holder for each in lines if each.holder is not None})
        what = Adopting(
            domain=self._found.place,
            author=author_of(viewer),
            import_id=self._found.id,
            overrule=self._overrule,
        )

        async def settle(unit: UnitOfWork) -> Sequence[RowResult]:
            verdicts = [known or _without_holder(line, holders) for line, known in zip(lines, again, strict=True)]
            open_ones = [place for place, verdict in enumerate(verdicts) if verdict is None]
            wishes = [_wish(lines[place], holders, self._found.format) for place in open_ones]
            for place, verdict in zip(open_ones, await self._kind.adoption.adopt(unit, what, wishes), strict=True):
                verdicts[place] = verdict
            return [_result(line, verdict) for line, verdict in zip(lines, verdicts, strict=True) if verdict]

        return settle

    async def proposals(self, source: Source) -> Mapping[str, Any]:
        """List the stretches of numbers that no range of the domain has."""
        domain = await self._kind.pools.domain(source, self._found.place)
        if domain is None:
            return {}
        ranges = [each.stretch for each in await self._kind.ranges.ranges(source, domain.id)]
        found = await asyncio.to_thread(outside, [each.digits for each in self._lines], ranges)
        told = [{"start": each.start, "end": each.end, "size": each.size} for each in found[:MOST_RANGES]]
        return {"ranges": told, "left_out": len(found) - len(told)} if found else {}

    async def _holders(
        self, viewer: Viewer, references: set[HolderReference]
    ) -> Mapping[HolderReference, Holder | Verdict]:
        staff, names, serials = (
            {each.value for each in references if each.kind is kind}
            for kind in (HolderKind.EMPLOYEE_NO, HolderKind.USER_NAME, HolderKind.DEVICE)
        )
        async with self._kind.database.unit_of_work() as unit:
            by_number = await named_staff.by_employee_no(unit.session, staff)
            by_name = await named_staff.by_user_name(unit.session, names)
            by_serial = await devices_by_serial(unit.session, serials)
        found: dict[HolderReference, Holder | Verdict] = {}
        for each in references:
            named = {HolderKind.USER_NAME: by_name, HolderKind.DEVICE: by_serial}.get(each.kind, by_number)
            found[each] = await self._holder(viewer, each, named.get(each.value))
        return found

    async def _holder(self, viewer: Viewer, reference: HolderReference, identity: UUID | None) -> Holder | Verdict:
        match reference.kind:
            case HolderKind.DEVICE if identity is None:
                return Verdict.UNKNOWN_DEVICE
            case HolderKind.DEVICE:
                named = {"type": "device", "id": str(identity)}
            case HolderKind.ROOM:
                named = {"type": "room", "id": reference.value}
            case _:
                named = {"type": "contact", "id": "" if identity is None else str(identity)}
        try:
            ref = HolderRef.model_validate(named)
            return await self._kind.names.known(viewer, ref, until=None)
        except (ValidationError, HolderNotFound):
            return Verdict.UNKNOWN_HOLDER
        except Invalid:
            return Verdict.NEEDS_END


def _without_holder(line: Line, holders: Mapping[HolderReference, Holder | Verdict]) -> Verdict | None:
    if line.holder is None:
        return Verdict.NO_HOLDER if line.name is None else Verdict.NAMED_ONLY
    holder = holders[line.holder]
    return holder if isinstance(holder, Verdict) else None


def _wish(line: Line, holders: Mapping[HolderReference, Holder | Verdict], form: str) -> Wish:
    """Write a line as a wish. The lines of an exchange are extensions to it, whatever their holders have them as."""
    holder = None if line.holder is None else holders[line.holder]
    assert isinstance(holder, Holder), "only lines with a holder are wished for"  # noqa: S101 — see ``_without_holder``
    told = form in _SHEETS or line.kind is not Kind.EXTENSION
    return Wish(line.digits, holder, _ROLES[line.kind], told)


def _result(line: Line, verdict: Verdict) -> RowResult:
    if verdict is Verdict.ADOPTED:
        outcome = Outcome.ADOPTED
    elif verdict in UNCHANGED:
        outcome = Outcome.UNCHANGED
    else:
        outcome = Outcome.PROBLEM if verdict in PROBLEMS else Outcome.CONFLICT
    return RowResult(
        line=line.source_line,
        outcome=outcome,
        code=verdict.value,
        item=line.digits,
        notes=(Verdict.PRIVILEGES_BY_REQUEST.value,) if line.privileges else (),
    )
