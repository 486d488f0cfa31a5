"""Grants as they are listed: one's own to everybody, all to who oversees standing. Each list is a look, on record before it leaves."""

from typing import Any, Final, Protocol
from uuid import UUID

import orjson

from app.api.standing_views import GrantPage, GrantsQuery, outcome_name
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.contacts.rights import CurrentRights, seek
from app.disclosure.acquaintances import Acquaintances, oversees
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.grants import Grant, Wanted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_NOBODY: Final = UUID(int=0)
_OF_DEPARTMENTS: Final = frozenset({"department", "subtree"})


class GrantRows(Protocol):
    """Where grants are kept."""

    async def page(self, source: Reader, wanted: Wanted, *, limit: int) -> tuple[list[Grant], UUID | None]:
        """List grants, newest first, and give where the next page begins."""
        ...


class GrantReader:
    """Shows grants."""

    def __init__(
        self,
        *,
        grants: GrantRows,
        accounts: UserAccounts,
        reader: Reader,
        people: Acquaintances,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        clock: Clock,
    ) -> None:
        """Take the rows, whom viewers may know, the gate, the rights of now, the key of cursors and the clock."""
        self._grants, self._accounts, self._reader, self._people = grants, accounts, reader, people
        self._gate, self._rights, self._cursors, self._clock = gate, rights, cursors, clock

    async def page(self, viewer: Viewer, query: GrantsQuery) -> Disclosed[GrantPage]:
        """List grants: one's own, or all to overseers. Raises ``NotPermitted`` for who asks after another's without being one."""
        seek("grant.list", Purpose.WORK_CONTACT)
        shape = query.shape()
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[GrantPage]:
            now = self._clock.now()
            wanted = Wanted(
                now=now,
                account_id=await self._of_whom(viewer, query.holder),
                kind=query.kind,
                value=query.scope,
                live=query.live,
                before=before,
            )
            grants, last = await self._grants.page(self._reader, wanted, limit=query.limit)
            holders = {each: await self._holder(each) for each in {grant.account_id for grant in grants}}
            about = [UUID(grant.scope.value) for grant in grants if _names_contact(grant)]
            known = await self._people.known(viewer, (*filter(None, holders.values()), *about))
            items = [
                {
                    "id": grant.id,
                    "holder": known.get(holders[grant.account_id] or _NOBODY),
                    "scope": {"kind": grant.scope.kind, "value": grant.scope.value or None},
                    "about": _about(viewer, grant, known),
                    "fields": sorted(grant.fields),
                    "outcome": outcome_name(grant.outcome),
                    "purpose": grant.purpose.value,
                    "request_id": grant.request_id,
                    "starts_at": grant.starts_at,
                    "ends_at": grant.ends_at,
                    "ended_at": grant.revoked_at,
                    "live": grant.is_live(now),
                }
                for grant in grants
            ]
            following = None if last is None else self._cursors.seal(viewer.caller, shape, str(last))
            look = Look(action="grant.list", purpose=Purpose.WORK_CONTACT, query=shape or None)
            note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=sorted(known))
            body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _of_whom(self, viewer: Viewer, holder: UUID | None) -> UUID | None:
        """Give the account whose grants are listed; ``None`` for everybody's."""
        if not oversees(viewer):
            if holder is not None and holder != viewer.standing.contact_id:
                raise NotPermitted
            return viewer.standing.user_id or _NOBODY
        if holder is None:
            return None
        try:
            account = await self._accounts.by_contact(self._reader, holder)
        except AccountRefused:
            return _NOBODY
        return _NOBODY if account is None else account.id

    async def _holder(self, account_id: UUID) -> UUID | None:
        try:
            account = await self._accounts.by_id(self._reader, account_id)
        except AccountRefused:
            return None
        return None if account is None else account.contact_id


def _names_contact(grant: Grant) -> bool:
    return grant.scope.kind in {"contact", "assigned"} and bool(grant.scope.value)


def _about(viewer: Viewer, grant: Grant, known: dict[UUID, dict[str, Any]]) -> str | None:
    kind, value = grant.scope.kind, grant.scope.value
    if _names_contact(grant):
        return known.get(UUID(value), {}).get("name")
    node = viewer.tree.nodes.get(UUID(value)) if kind in _OF_DEPARTMENTS else None
    return None if node is None else node.name
