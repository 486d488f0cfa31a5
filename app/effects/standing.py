"""Giving somebody a tier and roles, until a time or until they move: ``tier.grant`` adds, ``tier.change`` says all of it anew.

The head of the beneficiary's department files and signs, for everybody but themselves. What a position brings no request gives. A tier and
roles that reach beyond a department's business (T4, T5, and the roles that keep, oversee or run the directory) are ``elevated``: a longer
chain decides. What was given is lent: it is taken back at its end, when the holder moves, and when the approval is revoked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.loans import Loan, StandingLoans
from app.auth.repository import Account, Source
from app.auth.roles import BUSINESS, Role, held
from app.auth.subject import Tier
from app.effects.granting import Granting, owner_of
from app.effects.sharing import until_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer

_LONGEST: Final = timedelta(days=3 * 366)
_HIGH: Final = frozenset({"T4", "T5"})
_GOES_WITH: Final[Mapping[str, frozenset[str]]] = {
    "T2": frozenset({Role.DEPUTY}),
    "T3": frozenset(BUSINESS),
    "T4": frozenset({Role.HR, Role.DIRECTORY_STEWARD, Role.ADMINISTRATION}),
    "T5": frozenset({Role.INFOSEC, Role.AUDITOR}),
}
"""With which roles a tier goes, one of them at least (reference/policy-approval.md c.1); heads have T2 by their position."""
_ORDINARY: Final = frozenset({*BUSINESS, Role.DEPUTY, Role.OFFICE_READER})
"""Roles within a department's own business, and the one that reads a list which others keep; every other one is elevated."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The standing that a request leads to, and what of it would be new."""

    tier: Tier
    roles: frozenset[str]
    higher: Tier | None
    further: frozenset[str]

    @property
    def power(self) -> str:
        """Tell which chain decides."""
        return "elevated" if self.higher in _HIGH or not self.further <= _ORDINARY else "ordinary"


class StandingChange:
    """Lends it; ``whole`` reads the form as all that the account is to have."""

    def __init__(self, granting: Granting, loans: StandingLoans, clock: Clock, *, whole: bool) -> None:
        """Take who people are, what is lent to them, and the clock."""
        self._granting, self._loans, self._clock = granting, loans, clock
        self._whole = whole

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell how far the new standing reaches. Raises ``NotPermitted``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        del viewer
        if asked.subject.uuid != asked.beneficiary or asked.requester == asked.beneficiary:
            raise CannotBeAsked("/beneficiary", Why.FOR_OTHERS)
        tree, person = await self._granting.person(asked.beneficiary)
        department = owner_of(person)
        if department is None or department not in tree.headed_by(asked.requester):
            raise NotPermitted
        account = await self._granting.account(source, asked.beneficiary)
        wanted = await self._wanted(source, account, asked.form)
        until = None
        if "until" in asked.form:
            until = until_of(asked.form["until"], self._clock, _LONGEST)
        facts = {
            "power": wanted.power,
            "department": str(department),
            "before": _written(account.tier, account.roles),
            "after": _written(wanted.tier, wanted.roles),
        }
        return Examined(form=asked.form, facts=facts, owner=department, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Give it to the account; tokens from before end with that."""
        now, form = self._clock.now(), approved.asked.form
        account = await self._granting.account(unit.session, approved.asked.beneficiary)
        wanted = await self._wanted(unit.session, account, form)
        if self._whole:
            await self._loans.settle(unit.session, account.id, tier=wanted.tier, roles=wanted.roles, at=now)
        lent = wanted.higher is not None or bool(wanted.further)
        if lent:
            loan = Loan(
                request_id=approved.id,
                tier=wanted.higher,
                roles=tuple(sorted(wanted.further)),
                starts_at=approved.begins,
                until=approved.ends,
            )
            await self._loans.lend(unit.session, account.id, loan)
        told = {"request": str(approved.id), "tier": wanted.tier, "roles": ",".join(sorted(wanted.roles))}
        await self._announce(unit, author, approved, "account.set", told)
        result = {"tier": wanted.tier, "roles": sorted(wanted.roles), "lent": sorted(wanted.further)}
        return Applied(result=result, ends=approved.ends, lasting=lent)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take back what was lent; what the holder has lost already, by moving say, stays lost."""
        del result
        if await self._loans.take_back(unit.session, approved.id, at=self._clock.now()):
            told = {"request": str(approved.id), "by": cause.value}
            await self._announce(unit, author, approved, "account.set", told)

    async def _wanted(self, source: Source, account: Account, form: Mapping[str, Any]) -> _Wanted:
        """Read the form against what the account has of its own. Raises ``CannotBeAsked``."""
        asked = frozenset(str(each) for each in form.get("roles", ()))
        for at, role in enumerate(form.get("roles", ())):
            if held(Role(role)) != "given":
                raise CannotBeAsked("/form/roles", Why.ROLE, at)
        own = await self._loans.own(source, account)
        own_tier, own_roles = own.tier, own.roles
        tier = cast("Tier", form.get("tier", own_tier))
        roles = asked if self._whole else asked | own_roles
        if not self._whole:
            tier = max(tier, own_tier)
        wanted = _Wanted(tier, roles, tier if tier > own_tier else None, roles - own_roles)
        there = (account.tier, frozenset(account.roles)) if self._whole else (own_tier, own_roles)
        if (tier, roles) == there:
            raise CannotBeAsked("/form", Why.NO_CHANGE)
        needed = None if wanted.higher is None else _GOES_WITH.get(wanted.higher)
        if needed is not None and needed.isdisjoint(roles):
            raise CannotBeAsked("/form/tier", Why.TIER)
        return wanted

    async def _announce(
        self, unit: UnitOfWork, author: Author, approved: Approved, action: str, told: Mapping[str, Any]
    ) -> None:
        people: list[UUID] = [approved.asked.beneficiary]
        await add_intent(unit.session, written(author, action, self._clock.now(), contacts=people, query=told))


def _written(tier: str, roles: Any) -> str:  # noqa: ANN401 — any iterable of roles
    return " ".join((tier, *sorted(roles)))
