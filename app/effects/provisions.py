"""Providing data to somebody outside: ``provide.external``.

Whoever gains is whoever answers for it: the package is theirs to hand over and theirs to bring back, so separation of duties keeps them
from approving it. The heads and administration decide first, and only then each person is asked, separately (PIPL 23): who refuses, does
not answer or cannot be asked is not provided. Where a region's or a legal entity's border is crossed, security looks at that before.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.effects.granting import Granting, owner_of
from app.effects.sharing import until_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.permissions.exceptions import GrantScope, LiveGrant
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.standing import Viewer
from app.provisions.rules import Border
from app.provisions.service import NewProvision, Provisions

PURPOSE: Final = Purpose.WORK_CONTACT
_LONGEST: Final = timedelta(days=1096)
_ASKED: Final = frozenset({"employee", "temporary"})
"""Kinds of contact who can be asked here: they have accounts."""
_GIVEN: Final = frozenset({FieldClass.C2, FieldClass.C3, FieldClass.C4})
_REFERENCE: Final = range(2, 65)
"""How long the reference of a contract is."""
_NONE: Final = "none"
_BOTH: Final = "both"


class Provide:
    """Gives provisions."""

    def __init__(self, granting: Granting, provisions: Provisions, contacts: ContactRepository, gate: Gate) -> None:
        """Take who people are, what keeps provisions, the contacts, and who may know of whom."""
        self._granting, self._provisions = granting, provisions
        self._contacts, self._gate = contacts, gate

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell whom is asked and what is crossed. Raises ``CannotBeAsked`` and ``BeneficiaryGone``."""
        holder, form = await self._granting.holder(source, asked.beneficiary), asked.form
        contract = asked.subject.id
        if len(contract) not in _REFERENCE or contract != contract.strip() or not contract.isprintable():
            raise CannotBeAsked("/subject", Why.CONTRACT)
        until = until_of(form["until"], self._granting.clock, _LONGEST)
        people = [UUID(each) for each in form["contacts"]]
        found = await self._contacts.by_ids(people, holder.tree)
        if viewer is not None:
            self._refuse_unknown(viewer, people, found)
        classes = _classes(form["fields"])
        reach = self._reach(holder, list(found.values()), classes)
        for at, name in enumerate(classes):
            if viewer is not None and reach[name] is not Outcome.CLEAR:
                raise CannotBeAsked("/form/fields", Why.BEYOND_REACH, at)
        facts = {
            "crosses": _named(_crossed(holder.tree, found.values(), form["recipient"])),
            "outcome": ",".join(f"{name}:{reach[name].name.lower()}" for name in sorted(reach)),
        }
        return Examined(form=form, facts=facts, about=tuple(people), term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Begin the provision of those who consented. Raises ``NobodyConsented``."""
        if approved.ends is None:
            raise CannotBeAsked("/form/until", Why.TERM)
        asked, form = approved.asked, approved.asked.form
        provision = await self._provisions.begin(
            unit,
            author,
            NewProvision(
                request_id=approved.id,
                requester_id=asked.requester,
                responsible_id=asked.beneficiary,
                contract=asked.subject.id,
                fields=tuple(form["fields"]),
                crosses=_crosses(approved.facts["crosses"]),
                terms={"recipient": form["recipient"], "purpose": form["purpose"], "method": form["method"]},
                people=tuple(each for each in approved.consented_by if str(each) in form["contacts"]),
                asked=len(form["contacts"]),
                starts_at=approved.begins,
                ends_at=approved.ends,
            ),
        )
        return Applied(result={"provision": str(provision.id)}, ends=approved.ends, lasting=True)

    async def withdraw(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], person: UUID
    ) -> None:
        """Take out who does not consent any more."""
        del approved
        await self._provisions.withdraw(unit, author, UUID(str(result["provision"])), person)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """End the provision: no package any more, and what is out is to be returned."""
        del approved
        await self._provisions.end(unit, author, UUID(str(result["provision"])), cause.value)

    def _refuse_unknown(self, viewer: Viewer, people: Sequence[UUID], found: Mapping[UUID, Record]) -> None:
        """Raise ``CannotBeAsked`` for whom the requester may not know of, alike whether they are there, or who cannot consent here."""
        plan = viewer.plan(PURPOSE)
        for at, each in enumerate(people):
            record = found.get(each)
            if record is None or self._gate.verdict(plan, record) is None:
                raise CannotBeAsked("/form/contacts", Why.UNKNOWN_CONTACT, at)
            if record.cohort.kind not in _ASKED:
                raise CannotBeAsked("/form/contacts", Why.NO_CONSENT, at)

    def _reach(
        self, holder: Viewer, records: Sequence[Record], classes: Mapping[str, FieldClass]
    ) -> dict[str, Outcome]:
        """Give for each field how far the policy would let it be shown of somebody who consents, at most."""
        now, identity = self._granting.clock.now(), new_id()
        for record in records:
            holder = holder.with_exception(
                LiveGrant(
                    id=identity,
                    scope=GrantScope("contact", str(record.subject)),
                    fields=classes,
                    outcome=Outcome.CLEAR,
                    purpose=PURPOSE,
                    starts_at=now,
                    ends_at=now + timedelta(days=1),
                    lifts=True,
                )
            )
        plan = holder.plan(PURPOSE)
        cohorts = [plan.cohort(record.cohort, record.subject) for record in records]
        return {
            name: max((each.shown(name, field_class) for each in cohorts if each.visible), default=Outcome.HIDDEN)
            for name, field_class in classes.items()
        }


def _classes(names: Sequence[str]) -> dict[str, FieldClass]:
    """Give the classes of fields that people who work here carry. Raises ``CannotBeAsked``, for sensitive ones too."""
    carried = {each.name: each.field_class for kind in sorted(_ASKED) for each in CATALOGUE.of_kind(kind)}
    for at, name in enumerate(names):
        if name not in carried:
            raise CannotBeAsked("/form/fields", Why.UNKNOWN_FIELD, at)
        if carried[name] not in _GIVEN:
            raise CannotBeAsked("/form/fields", Why.OTHER_CLASS, at)
    return {name: carried[name] for name in names}


def _crossed(tree: Tree, records: Any, recipient: Mapping[str, str]) -> set[Border]:  # noqa: ANN401 — any iterable of records
    """Tell which borders lie between somebody's department and the recipient, where both sides are known."""
    homes = {owner_of(record) for record in records}
    nodes = [tree.nodes[each] for each in homes if each is not None and each in tree.nodes]
    to = {Border.REGION: recipient["region"], Border.LEGAL_ENTITY: recipient.get("legal_entity", "")}
    return {
        border
        for node in nodes
        for border, here in ((Border.REGION, node.region), (Border.LEGAL_ENTITY, node.legal_entity))
        if here and to[border] and here != to[border]
    }


def _named(crossed: set[Border]) -> str:
    if len(crossed) > 1:
        return _BOTH
    return next((each.value for each in crossed), _NONE)


def _crosses(fact: str) -> tuple[str, ...]:
    return tuple(each.value for each in Border if fact in {each.value, _BOTH})
