"""What a line may do beyond the house, by request: ``line.privilege``, always with an end, for whoever holds the line and for nobody after.

Which assignment it is about is a fact of the request: if the number is somebody else's by the time that the chain is through, those who
said yes are asked again.
"""

from collections.abc import Mapping
from typing import Any

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.approvals.resolving import Organisation
from app.audit.authors import Author
from app.auth.repository import Source
from app.calling.rules import Function, longest
from app.calling.service import CallingPrivileges, Line
from app.effects.number_moves import moment
from app.effects.unfit import BeneficiaryGone, CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.numbers.repository import Holder, NumberRepository, NumberRow
from app.numbers.service import one_number
from app.permissions.standing import Viewer


class LinePrivilege:
    """Lets the line that is the subject do more until a time."""

    def __init__(self, *, privileges: CallingPrivileges, organisation: Organisation, clock: Clock) -> None:
        """Take what gives, who is in service, and the clock."""
        self._privileges, self._organisation, self._clock = privileges, organisation, clock
        self._numbers = NumberRepository()

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell whose line it is, and the end. Raises ``NotFound``, ``AmbiguousNumber``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        line = await self._line(source, asked)
        if viewer is None and asked.beneficiary not in await self._organisation.facts(source, [asked.beneficiary]):
            raise BeneficiaryGone
        until, now = moment(asked.form["until"]), self._clock.now()
        if until is None or not now < until <= now + longest(_functions(asked)):
            raise CannotBeAsked("/form/until", Why.TERM)
        return Examined(form=asked.form, facts={"line": str(line.assignment_id)}, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Give it. Raises as ``examine`` does; then nothing was given."""
        number = one_number(await self._named(unit.session, approved.asked))
        await self._numbers.locked(unit.session, [number.id])
        line = await self._line(unit.session, approved.asked)
        assert approved.ends is not None, "a privilege has an end"  # noqa: S101 — ``examine`` gave it
        given = await self._privileges.give(
            unit, author, line, _functions(approved.asked), request_id=approved.id, until=approved.ends
        )
        told = {
            "digits": line.digits,
            "domain": line.domain,
            "privileges": [{"id": str(each.id), "function": each.function.value} for each in given],
        }
        return Applied(result=told, ends=approved.ends, lasting=True)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take back what has not ended by itself."""
        del result, cause
        await self._privileges.end_of_request(unit, author, approved.id)

    async def _line(self, source: Source, asked: Asked) -> Line:
        number = one_number(await self._named(source, asked))
        held = await self._numbers.open_of(source, number.id)
        theirs = [each for each in held if each.holder == Holder("contact", asked.beneficiary)]
        if not theirs:
            raise CannotBeAsked("/subject/id", Why.OTHER_HOLDER)
        return Line(
            assignment_id=theirs[0].id,
            contact_id=asked.beneficiary,
            domain=number.domain,
            digits=number.digits,
        )

    async def _named(self, source: Source, asked: Asked) -> list[NumberRow]:
        return await self._numbers.named(source, asked.subject.id, domain=asked.form.get("domain"))


def _functions(asked: Asked) -> frozenset[Function]:
    return frozenset(Function(each) for each in asked.form["functions"])
