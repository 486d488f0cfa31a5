"""What a campaign asks about: every live right that shows anything, or every card and every department that has any.

A grant over nobody, one whose holder can use nothing any more, and an empty department are left out: nobody is asked about nothing. The
tree, accounts, grants and holders are read behind their MACs, so nobody chooses a reviewer by hand.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.loans import Loan, StandingLoans
from app.auth.repository import Account
from app.auth.roles import Role, held
from app.campaigns import hints
from app.campaigns.joints import Holdings
from app.campaigns.rules import CARD, GRANT, LIST, ROLE, TIER, Candidate, Kind
from app.campaigns.staff import Staff
from app.contacts.confirming import ASKED
from app.contacts.repository import ContactRepository
from app.departments.tree import Tree
from app.kit.db import Reader
from app.permissions.grants import Grant, Wanted
from app.permissions.outcomes import FieldClass, Tier
from app.permissions.parts import ViewerFacts
from app.permissions.repository import GrantRepository

PRESENT: Final = frozenset({"active", "frozen", "leaving"})
_PAGE: Final = 200
_PEOPLE: Final = 500
_HIGH: Final = frozenset({FieldClass.C4, FieldClass.C5})
_HIGH_TIERS: Final = frozenset({Tier.T4, Tier.T5})
_GUARDED: Final = frozenset({"executive", "protected"})
_POWER: Final = frozenset(
    {
        Role.HR,
        Role.DIRECTORY_STEWARD,
        Role.INFOSEC,
        Role.AUDITOR,
        Role.ADMINISTRATION,
        Role.IT,
        Role.COMMITTEE,
        Role.SYSTEM_ADMIN,
    }
)


class Gatherer:
    """Goes through everything."""

    def __init__(
        self,
        *,
        grants: GrantRepository,
        accounts: UserAccounts,
        contacts: ContactRepository,
        classes: Mapping[str, FieldClass],
        loans: StandingLoans,
        holdings: Sequence[Holdings],
        reader: Reader,
    ) -> None:
        """Take where rights and people are read, the class of every field, what is lent, and further things that people hold."""
        self._grants, self._accounts, self._contacts = grants, accounts, contacts
        self._classes, self._loans, self._holdings, self._reader = classes, loans, tuple(holdings), reader

    async def candidates(self, kind: Kind, tree: Tree, now: datetime) -> list[Candidate]:
        """List what a campaign of a kind asks about now, always in one order."""
        if kind is Kind.RIGHTS:
            found = [*await self._of_grants(tree, now), *await self._of_accounts(now), *await self._of_holdings(now)]
        else:
            found = await self._of_cards(tree)
        return sorted(found, key=lambda each: each.key)

    async def staff(self, tree: Tree) -> Staff:
        """Give who answers for what, as it is now."""
        apart = [each for each in await self._accounts.set_apart(self._reader) if each.contact_id is not None]
        heads = {node.head_id for node in tree.nodes.values() if node.head_id is not None}
        offices = {
            role: [each.contact_id for each in apart if role in each.roles and each.contact_id is not None]
            for role in (Role.INFOSEC, Role.ADMINISTRATION)
        }
        people = heads.union(*offices.values())
        able = frozenset([each for each in sorted(people) if await self.is_able(each)])
        ordered = {
            role: tuple(sorted(able.intersection(each), key=lambda person: (person not in heads, person)))
            for role, each in offices.items()
        }
        return Staff(tree, able, ordered[Role.INFOSEC], ordered[Role.ADMINISTRATION])

    async def is_able(self, person: UUID) -> bool:
        """Tell whether somebody can answer at all: in service, with an account that is active."""
        with suppress(AccountRefused):
            account = await self._accounts.by_contact(self._reader, person)
            if account is not None and account.state == "active":
                return await self.facts(person) is not None
        return False

    async def facts(self, person: UUID) -> ViewerFacts | None:
        """Give what is known of somebody in service; ``None`` for who is not, and for a row that does not verify."""
        found = await self._contacts.viewer_facts(self._reader, person)
        return found if found is not None and found.status in PRESENT else None

    async def _of_grants(self, tree: Tree, now: datetime) -> list[Candidate]:
        found, before = list[Candidate](), None
        while True:
            page, before = await self._grants.page(self._reader, Wanted(now=now, live=True, before=before), limit=_PAGE)
            for grant in page:
                candidate = await self._of_grant(grant, tree)
                if candidate is not None:
                    found.append(candidate)
            if before is None:
                return found

    async def _of_grant(self, grant: Grant, tree: Tree) -> Candidate | None:
        account = await self._account(grant.account_id)
        if account is None or account.contact_id is None or not grant.fields:
            return None
        facts, flags = await self.facts(account.contact_id), await self._scope_flags(grant, tree)
        if facts is None or flags is None:
            return None
        if not _HIGH.isdisjoint(self._classes[name] for name in grant.fields if name in self._classes):
            flags.append(hints.HIGH_CLASS)
        detail: dict[str, Any] = {
            "scope": {"kind": grant.scope.kind, "value": grant.scope.value},
            "fields": sorted(grant.fields),
            "outcome": grant.outcome.name.lower(),
            "purpose": grant.purpose.value,
            "request": str(grant.request_id),
            "ends_at": grant.ends_at.isoformat(),
        }
        return Candidate(
            kind=GRANT,
            reference=str(grant.id),
            holder_id=account.contact_id,
            account_id=account.id,
            department=facts.department_id,
            detail=detail,
            held_since=grant.starts_at,
            until=grant.ends_at,
            flags=flags,
        )

    async def _scope_flags(self, grant: Grant, tree: Tree) -> list[str] | None:
        """Say what is special about whom a grant is for; ``None`` when that is nobody."""
        match grant.scope.kind, grant.scope.value:
            case "contact", value:
                record = await self._contacts.by_id(UUID(value), tree)
                if record is None or record.cohort.status not in PRESENT:
                    return None
                return [hints.EXECUTIVE] if record.cohort.secrecy in _GUARDED else []
            case "company", _:
                return [hints.WIDE]
            case kind, value:
                return [] if _has_somebody(kind, value, tree) else None

    async def _of_accounts(self, now: datetime) -> list[Candidate]:
        """List roles and tiers, each with the requests that lend it: when it began, when it ends, what is left without them."""
        found = []
        for account in await self._accounts.set_apart(self._reader):
            facts = None if account.contact_id is None else await self.facts(account.contact_id)
            if facts is None:
                continue
            loans = await self._loans.live(self._reader, account, now)
            given = [role for role in map(Role, account.roles) if held(role) == "given"]
            for role in given:
                flags = [hints.POWERFUL] if role in _POWER else [hints.EXECUTIVE] if role is Role.EXECUTIVE else []
                lent = [each for each in loans if role.value in each.roles]
                found.append(_of_account(ROLE, role.value, account, facts, flags, lent))
            tier = Tier(account.tier)
            if tier > Tier.T1:
                flags = [hints.HIGH_CLASS] if tier in _HIGH_TIERS else []
                lent = [each for each in loans if each.tier == tier.value]
                found.append(_of_account(TIER, tier.value, account, facts, flags, lent))
        return found

    async def _of_holdings(self, now: datetime) -> list[Candidate]:
        found = []
        for kept in self._holdings:
            for each in await kept.held(self._reader, now):
                facts = await self.facts(each.holder_id)
                if facts is not None:
                    found.append(
                        Candidate(
                            kind=kept.kind,
                            reference=each.reference,
                            holder_id=each.holder_id,
                            department=facts.department_id,
                            detail=each.detail,
                            held_since=each.since,
                            until=each.until,
                            flags=each.flags,
                        )
                    )
        return found

    async def _of_cards(self, tree: Tree) -> list[Candidate]:
        cards, listed, after = list[Candidate](), Counter[UUID](), UUID(int=0)
        while records := await self._contacts.walk(after, tree, limit=_PEOPLE):
            after = records[-1].subject
            for record in records:
                if record.cohort.kind not in ASKED or record.cohort.status not in PRESENT:
                    continue
                department = next(iter(record.cohort.departments), None)
                if department is not None:
                    listed[department] += 1
                cards.append(
                    Candidate(kind=CARD, reference=str(record.subject), holder_id=record.subject, department=department)
                )
        lists = [
            Candidate(kind=LIST, reference=str(each), holder_id=None, department=each, detail={"cards": listed[each]})
            for each in listed
            if each in tree.nodes
        ]
        return [*cards, *lists]

    async def _account(self, identity: UUID) -> Account | None:
        with suppress(AccountRefused):
            return await self._accounts.by_id(self._reader, identity)
        return None


def _has_somebody(kind: str, value: str, tree: Tree) -> bool:
    """Tell whether the tree has what a scope names; a kind or tag of contacts may have somebody any day."""
    match kind:
        case "department" | "subtree":
            return UUID(value) in tree.nodes
        case "legal_entity":
            return value in tree.by_legal_entity
        case "region":
            return value in tree.by_region
        case _:
            return True


def _of_account(
    kind: str, reference: str, account: Account, facts: ViewerFacts, flags: list[str], lent: Sequence[Loan]
) -> Candidate:
    ends = [each.until for each in lent]
    until = max((each for each in ends if each is not None), default=None) if None not in ends else None
    return Candidate(
        kind=kind,
        reference=reference,
        holder_id=account.contact_id,
        account_id=account.id,
        department=facts.department_id,
        detail={"lent_by": [str(each.request_id) for each in lent], "ends_at": until and until.isoformat()}
        if lent
        else {},
        held_since=min((each.starts_at for each in lent), default=None),
        until=until,
        flags=[*flags, *([hints.PASSING] if until is not None else [])],
    )
