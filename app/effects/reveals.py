"""Seeing fields of one contact for a while: ``field.reveal``.

The contact is one of whom the requester may know, and the fields are not theirs to see already. Of an executive, a core or a protected
person the person is asked too, and only then the grant lifts the caps that give way to consent.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.audit.authors import Author
from app.auth.repository import Source
from app.effects.granting import Granting, classes_of, needs_consent, owner_of, purpose_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.db import UnitOfWork
from app.permissions.exceptions import GrantScope
from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.standing import Viewer

CONSENTED: Final = "executive"
"""The variant of the chain in which the person consents."""


class Reveal:
    """Grants it."""

    def __init__(self, granting: Granting) -> None:
        """Take what gives exceptions."""
        self._granting = granting

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell who is asked about whom. Raises ``NotFound``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        purpose = purpose_of(asked.form)
        if asked.requester != asked.beneficiary:
            raise CannotBeAsked("/beneficiary", Why.FOR_ONESELF)
        holder = await self._granting.holder(source, asked.beneficiary)
        record = await self._granting.known(viewer or holder, asked.subject, purpose)
        if record.subject == asked.beneficiary:
            raise CannotBeAsked("/subject", Why.OWN_CARD)
        wanted = classes_of(record.cohort.kind, asked.form["fields"])
        before = (viewer or holder).plan(purpose).cohort(record.cohort, record.subject)
        after = self._granting.after(holder, record, wanted, purpose)
        outcomes = {name: after.shown(name, each) for name, each in wanted.items()}
        if viewer is not None:
            for at, (name, each) in enumerate(wanted.items()):
                shown = before.shown(name, each)
                if shown is Outcome.CLEAR:
                    raise CannotBeAsked("/form/fields", Why.FIELD_CLEAR, at)
                if each is FieldClass.C5 and before.requests.get(each) != asked.kind:
                    raise CannotBeAsked("/form/fields", Why.OTHER_CLASS, at)
                if outcomes[name] <= shown:
                    raise CannotBeAsked("/form/fields", Why.BEYOND_REACH, at)
        shared = not holder.standing.departments.isdisjoint(record.cohort.departments)
        owner, own = owner_of(record), holder.standing.main_department
        facts = {
            "relation": "own_department" if shared else "other_department",
            "secrecy": record.cohort.secrecy,
            "contact_kind": record.cohort.kind,
            "status": record.cohort.status,
            "owner_department": str(owner or ""),
            "own_department": str(own or ""),
            "outcome": ",".join(f"{name}:{outcomes[name].name.lower()}" for name in sorted(outcomes)),
        }
        length = timedelta(minutes=int(asked.form["duration_minutes"]))
        about = (record.subject,) if needs_consent(record) else ()
        return Examined(form=asked.form, facts=facts, about=about, owner=owner, term=Term(length=length))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Grant the fields for as long as was approved."""
        scope, fields = GrantScope("contact", str(approved.asked.subject.uuid)), approved.asked.form["fields"]
        lifts = approved.variant == CONSENTED
        return await self._granting.give(unit, author, approved, scope, fields, lifts=lifts)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take the grant back."""
        await self._granting.take_back(unit, author, approved, result, cause.value)
