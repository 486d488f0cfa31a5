"""Seeing work contacts of another department for a while: ``share.cross_dept``.

One person gains, named by somebody of the same department; the two heads decide and security is told. Fields are of C3 at most, and of
every contact of the department or of its subtree, under all caps. To another region or legal entity nothing is shared: that is a provision.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.fields import CATALOGUE
from app.departments.tree import Node, Tree
from app.effects.granting import Granting, owner_of, purpose_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.exceptions import GrantScope, ScopeKind
from app.permissions.outcomes import FieldClass
from app.permissions.standing import Viewer

_LONGEST: Final = timedelta(days=366)
_SHARED: Final = frozenset({FieldClass.C2, FieldClass.C3})
_FIELDS: Final = frozenset(
    field.name
    for kind in ("employee", "temporary")
    for field in CATALOGUE.of_kind(kind)
    if field.field_class in _SHARED
)


class Share:
    """Grants it."""

    def __init__(self, granting: Granting) -> None:
        """Take what gives exceptions."""
        self._granting = granting

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell whose department is asked for whom. Raises ``NotFound``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        purpose_of(asked.form)
        tree, person = await self._granting.person(asked.beneficiary)
        if viewer is None:
            await self._granting.account(source, asked.beneficiary)
        owner = tree.find(asked.subject.id)
        if owner is None:
            raise NotFound
        for at, name in enumerate(asked.form["fields"]):
            if name not in _FIELDS:
                raise CannotBeAsked("/form/fields", Why.UNKNOWN_FIELD, at)
        main = owner_of(person)
        own = None if main is None else tree.nodes.get(main)
        if own is None or (viewer is not None and viewer.standing.main_department != own.id):
            raise CannotBeAsked("/beneficiary", Why.OTHER_DEPARTMENT)
        if owner.id in person.cohort.departments:
            raise CannotBeAsked("/subject", Why.OWN_DEPARTMENT)
        if _apart(own, _covered(tree, owner, asked.form["scope"])):
            raise CannotBeAsked("/subject", Why.CROSSES_BORDER)
        facts = {"own_department": str(own.id), "owner_department": str(owner.id), "scope": str(asked.form["scope"])}
        until = until_of(asked.form["until"], self._granting.clock, _LONGEST)
        return Examined(form=asked.form, facts=facts, owner=owner.id, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Grant the fields of the department until the end."""
        kind: ScopeKind = "subtree" if approved.asked.form["scope"] == "subtree" else "department"
        scope = GrantScope(kind, approved.facts["owner_department"])
        return await self._granting.give(unit, author, approved, scope, approved.asked.form["fields"])

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take the grant back."""
        await self._granting.take_back(unit, author, approved, result, cause.value)


def until_of(text: str, clock: Clock, longest: timedelta, pointer: str = "/form/until") -> datetime:
    """Read a moment with its offset, after now and not too far ahead. Raises ``CannotBeAsked``."""
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        raise CannotBeAsked(pointer, Why.TERM) from None
    now = clock.now()
    if until.tzinfo is None or not now < until <= now + longest:
        raise CannotBeAsked(pointer, Why.TERM)
    return until.astimezone(now.tzinfo)


def _covered(tree: Tree, owner: Node, scope: str) -> list[Node]:
    wanted = tree.subtree(owner.id, into_protected=False) if scope == "subtree" else {owner.id}
    return [tree.nodes[each] for each in wanted]


def _apart(own: Node, others: list[Node]) -> bool:
    """Tell whether one of ``others`` is known to be in another region or legal entity than ``own``."""
    return any(
        bool(mine and theirs and mine != theirs)
        for each in others
        for mine, theirs in ((own.region, each.region), (own.legal_entity, each.legal_entity))
    )
