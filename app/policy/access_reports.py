"""Who can see what of one contact, and why: everybody who may sign in, asked one by one with the rights of now, told in groups.

People who are shown the same by the same rules are one group. The security team is told who they are; the person concerned how many, which
roles and by which rules (PIPL art. 44, 48). An access report is a look at everybody's standing, so it is on record.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import UUID

import orjson

from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository
from app.auth.subject import Person
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.outcomes import CLASSES, FieldClass, Outcome, Purpose
from app.permissions.pack import Rule
from app.permissions.standing import Viewer
from app.policy.explanation_schemas import AccessReportView
from app.policy.explanations import may_see_others_view, rule_view

_ACTION: Final = "policy.access_report"
_PAGE: Final = 500
_MOST_NAMED: Final = 50
_BREATH_SECONDS: Final = 0.02
_FIRST: Final = UUID(int=0)

Seen = tuple[tuple[tuple[FieldClass, Outcome, Outcome], ...], tuple[str, ...]]
"""What a group is shown and may reveal, class by class, and by which rules."""


@dataclass(slots=True)
class Group:
    """Viewers who are shown the same by the same rules: how many, with which roles and tiers, and the first of them by name."""

    people: int = 0
    roles: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    named: list[dict[str, str]] = field(default_factory=list)

    def add(self, viewer: Viewer) -> None:
        """Count one more."""
        standing = viewer.standing
        self.people += 1
        self.roles.update(standing.roles or {"employee"})
        self.tiers[standing.tier.value] += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append({"id": standing.actor_id, "name": standing.name})


class AccessReports:
    """Reports."""

    def __init__(self, showing: Showing, *, contacts: ContactRepository, accounts: AccountRepository) -> None:
        """Take what desks share, the rows, and the accounts of everybody."""
        self._gate, self._standings, self._reader = showing.gate, showing.standings, showing.reader
        self._contacts, self._accounts = contacts, accounts
        self._rights = CurrentRights(showing.standings)

    async def of_contact(self, viewer: Viewer, identity: UUID, purpose: Purpose) -> Disclosed[AccessReportView]:
        """Tell the security team (T5) who can see what of a contact. Raises ``NotPermitted``, ``NotFound``, ``LogUnavailable``."""
        seek(_ACTION, purpose, identity)
        if not may_see_others_view(viewer):
            raise NotPermitted

        async def attempt(viewer: Viewer) -> Disclosed[AccessReportView]:
            return await self._report(viewer, identity, purpose, named=True)

        return await self._rights.of(viewer, attempt)

    async def of_self(self, viewer: Viewer, purpose: Purpose) -> Disclosed[AccessReportView]:
        """Tell a person who could see what of them: how many, which roles, by which rules. Raises ``NoContact``."""
        identity = own_contact(viewer)
        seek(_ACTION, purpose, identity)

        async def attempt(viewer: Viewer) -> Disclosed[AccessReportView]:
            return await self._report(viewer, identity, purpose, named=False)

        return await self._rights.of(viewer, attempt)

    async def _report(
        self, viewer: Viewer, identity: UUID, purpose: Purpose, *, named: bool
    ) -> Disclosed[AccessReportView]:
        record = await self._contacts.by_id(identity, viewer.tree)
        if record is None or self._gate.verdict(viewer.plan(purpose), record) is None:
            raise NotFound
        groups = await self._groups(record, purpose)
        look = Look(action=_ACTION, purpose=purpose)
        note = await self._gate.disclose_plain(viewer, look, count=1, contacts=[identity])
        rules = {rule.id: rule for rule in viewer.pack.rules}
        ranked = sorted(
            groups.items(), key=lambda each: (-sum(each[0][0][at][1] for at in range(len(CLASSES))), each[0])
        )
        body = {
            "contact": identity,
            "purpose": purpose.value,
            "policy_version": viewer.plan(purpose).pack_label,
            "asked": sum(each.people for each in groups.values()),
            "groups": [_group(seen, group, rules, named=named) for seen, group in ranked],
            "disclosure": orjson.Fragment(note),
        }
        return Disclosed(orjson.dumps(body))

    async def _groups(self, record: Record, purpose: Purpose) -> dict[Seen, Group]:
        """Ask for everybody; others run in between."""
        found: dict[Seen, Group] = {}
        breathed, after = monotonic(), _FIRST
        while accounts := await self._accounts.active(self._reader, after=after, limit=_PAGE):
            after = accounts[-1].id
            for account in accounts:
                try:
                    viewer = await self._standings.passing(Person(account.user_name, "", frozenset()))
                except (NoContact, AccountSuspended, AccountRefused):
                    continue
                cohort = viewer.plan(purpose).cohort(record.cohort, record.subject)
                sights = tuple((each, cohort.shows[each], cohort.reveals[each]) for each in CLASSES)
                found.setdefault((sights, cohort.rules), Group()).add(viewer)
                if monotonic() - breathed > _BREATH_SECONDS:
                    await asyncio.sleep(0)
                    breathed = monotonic()
        return found


def _group(seen: Seen, group: Group, rules: Mapping[str, Rule], *, named: bool) -> dict[str, Any]:
    sights, by = seen
    return {
        "people": group.people,
        "sight": {
            each.value: {"shown": shown.name.lower(), "revealed": max(shown, revealed).name.lower()}
            for each, shown, revealed in sights
        },
        "rules": [rule_view(rules[each]) for each in by if each in rules],
        "roles": dict(group.roles.most_common()),
        "tiers": dict(sorted(group.tiers.items())),
        "members": _members(group.named) if named else None,
    }


def _members(named: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return sorted(named, key=lambda each: each["name"])
