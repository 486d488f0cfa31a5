"""Using sensitive fields of a customer whom one is assigned to, reported before and given back after: ``customer.sensitive_use``.

Administration is told before anything is shown (报备), and the use is given back (归还) by the day that was said. Whoever does not carries
the mark ``overdue_return`` from then on, which lowers everything they see of others, until they do. Each request has its own mark, so
giving back one of two does not settle the other.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.effects.granting import Granting, classes_of, owner_of, purpose_of
from app.effects.sharing import until_of
from app.effects.unfit import BeneficiaryGone, CannotBeAsked, Why
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.errors import MarkNotFound
from app.permissions.exceptions import GrantScope
from app.permissions.marks import MarkKind, MarkReason, MarkRepository
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.standing import Viewer

_LONGEST: Final = timedelta(days=31)
_PURPOSES: Final = frozenset({Purpose.SALES_FOLLOW_UP, Purpose.CUSTOMER_TICKET, Purpose.ORDER_DELIVERY})
_SENSITIVE: Final = frozenset({FieldClass.C4, FieldClass.C5})
_EXTERNAL: Final = "external"


class SensitiveUse:
    """Grants it, and marks who does not give it back."""

    def __init__(self, granting: Granting, marks: MarkRepository) -> None:
        """Take what gives exceptions, and the marks."""
        self._granting, self._marks = granting, marks

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell whose customer it is. Raises ``NotFound``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        purpose = purpose_of(asked.form)
        if purpose not in _PURPOSES:
            raise CannotBeAsked("/form/purpose", Why.PURPOSE)
        if asked.requester != asked.beneficiary:
            raise CannotBeAsked("/beneficiary", Why.FOR_ONESELF)
        holder = await self._granting.holder(source, asked.beneficiary)
        record = await self._granting.known(viewer or holder, asked.subject, purpose)
        if record.cohort.kind != _EXTERNAL:
            raise NotFound
        now = self._granting.clock.now()
        assigned = any(
            each.contact_id == record.subject and (each.until is None or now < each.until)
            for each in holder.standing.engagements
        )
        if not assigned:
            raise CannotBeAsked("/subject", Why.NOT_ASSIGNED)
        wanted = classes_of(record.cohort.kind, asked.form["fields"])
        before = (viewer or holder).plan(purpose).cohort(record.cohort, record.subject)
        after = self._granting.after(holder, record, wanted, purpose)
        outcomes = {name: after.shown(name, each) for name, each in wanted.items()}
        for at, (name, each) in enumerate(wanted.items() if viewer is not None else ()):
            if each not in _SENSITIVE or (each is FieldClass.C5 and before.requests.get(each) != asked.kind):
                raise CannotBeAsked("/form/fields", Why.OTHER_CLASS, at)
            if before.shown(name, each) is Outcome.CLEAR:
                raise CannotBeAsked("/form/fields", Why.FIELD_CLEAR, at)
            if outcomes[name] <= before.shown(name, each):
                raise CannotBeAsked("/form/fields", Why.BEYOND_REACH, at)
        owner = owner_of(record)
        facts = {
            "assigned": "yes",
            "secrecy": record.cohort.secrecy,
            "status": record.cohort.status,
            "owner_department": str(owner or ""),
            "outcome": ",".join(f"{name}:{outcomes[name].name.lower()}" for name in sorted(outcomes)),
        }
        until = until_of(asked.form["return_by"], self._granting.clock, _LONGEST, "/form/return_by")
        return Examined(form=asked.form, facts=facts, owner=owner, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Grant the fields until they are to be given back, and as long as the customer is the holder's."""
        scope = GrantScope("assigned", str(approved.asked.subject.uuid))
        return await self._granting.give(unit, author, approved, scope, approved.asked.form["fields"])

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take the grant back; at its end mark whoever has not given it back, at any other take the mark off."""
        await self._granting.take_back(unit, author, approved, result, cause.value)
        try:
            account = await self._granting.any_account(unit.session, approved.asked.beneficiary)
        except BeneficiaryGone:
            return
        now, kind = self._granting.clock.now(), MarkKind.OVERDUE_RETURN
        if cause is Cause.EXPIRED:
            if await self._marks.of_request(unit.session, account.id, approved.id, now) is not None:
                return
            mark = await self._marks.add(
                unit.session, account.id, kind, MarkReason.NOT_RETURNED, at=now, request_id=approved.id
            )
            action, marks = "account.mark", [mark]
        else:
            try:
                marks = await self._marks.end(unit.session, account.id, kind, at=now, request_id=approved.id)
            except MarkNotFound:
                return
            action = "account.unmark"
        told = {"mark": kind.value, "request": str(approved.id), "ids": [str(each) for each in marks]}
        await add_intent(unit.session, written(author, action, now, contacts=[approved.asked.beneficiary], query=told))
