"""Who decides for whom, as a caller is shown it: one's own on either side, everything to security and audit. Each answer is a look.

Somebody else's delegation and one that is not there are the same 404. People are named only to those who may know of them.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals.delegation_repository import DelegationRepository, Wanted
from app.approvals.delegation_rules import Delegated
from app.approvals.delegation_schemas import DelegationPage, DelegationQuery, DelegationRead, DelegationReadQuery
from app.approvals.delegation_views import view
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.log_access import name_action
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.errors import NoContact, NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

OVERSEERS: Final = frozenset({"infosec", "auditor"})
"""Roles to which everybody's delegations are told."""


class DelegationPages:
    """Shows delegations."""

    def __init__(self, *, rows: DelegationRepository, people: Acquaintances, showing: Showing) -> None:
        """Take the rows, whom viewers may know, and what shows them."""
        self._rows, self._people = rows, people
        self._gate, self._rights, self._cursors = showing.gate, CurrentRights(showing.standings), showing.cursors
        self._reader, self._clock = showing.reader, showing.clock

    async def page(self, viewer: Viewer, query: DelegationQuery) -> Disclosed[DelegationPage]:
        """List delegations. Raises ``NotPermitted`` for who asks after another's and is no overseer, ``NoContact``, ``BadCursor``."""
        name_action("delegation.list")
        person_of(viewer)
        shape = query.shape()
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[DelegationPage]:
            whose = _whose(viewer, query)
            wanted = Wanted(
                now=self._clock.now(),
                principal_id=whose if query.side == "given" else None,
                delegate_id=whose if query.side == "received" else None,
                party=whose if query.side is None else None,
                live=query.live,
                before=before,
            )
            found, last = await self._rows.page(self._reader, wanted, limit=query.limit)
            items, note = await self._told(viewer, "delegation.list", query.purpose, found, shape)
            following = None if last is None else self._cursors.seal(viewer.caller, shape, str(last))
            body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID, query: DelegationReadQuery) -> Disclosed[DelegationRead]:
        """Show one. Raises ``NotFound``, alike for one that is not there and one that is others'."""
        name_action("delegation.read")
        person_of(viewer)

        async def attempt(viewer: Viewer) -> Disclosed[DelegationRead]:
            found = await self._rows.one(self._reader, identity)
            mine = found is not None and person_of(viewer) in {found.principal_id, found.delegate_id, found.filed_by}
            if found is None or not (mine or oversees(viewer)):
                raise NotFound
            asked = {"delegation": str(identity)}
            (item,), note = await self._told(viewer, "delegation.read", query.purpose, [found], asked)
            return Disclosed(orjson.dumps({**item, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _told(
        self, viewer: Viewer, action: str, purpose: Purpose, found: Sequence[Delegated], asked: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], bytes]:
        people = {who for each in found for who in (each.principal_id, each.delegate_id, each.filed_by)}
        known = await self._people.known(viewer, sorted(people))
        items = [view(each, self._clock.now(), known) for each in found]
        look = Look(action=action, purpose=purpose, query=asked or None)
        return items, await self._gate.disclose_plain(viewer, look, count=len(items), contacts=sorted(known))


def person_of(viewer: Viewer) -> UUID:
    """Give the contact that the caller is; raise ``NoContact`` for a service account, which decides nothing and stands in for nobody."""
    if viewer.standing.contact_id is None:
        raise NoContact
    return viewer.standing.contact_id


def oversees(viewer: Viewer) -> bool:
    """Tell whether everybody's delegations are told to the viewer."""
    return not viewer.standing.roles.isdisjoint(OVERSEERS)


def _whose(viewer: Viewer, query: DelegationQuery) -> UUID | None:
    """Give whose delegations are listed; ``None`` for everybody's."""
    own = person_of(viewer)
    if query.person is not None and query.person != own and not oversees(viewer):
        raise NotPermitted
    if query.person is not None or query.side is not None or not oversees(viewer):
        return query.person or own
    return None
