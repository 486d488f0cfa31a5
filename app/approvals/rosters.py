"""Who is on call for a role: as the engine asks it, as those concerned read it, and as the role's writer sets it.

A roster chooses among the holders of a role and gives nobody anything: who is put on it and loses the role is not on call, and whoever may
not decide a request does not decide it on call. Whoever holds the role reads its roster, and so do its writer, security and audit.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import orjson

from app.approvals.delegation_reading import person_of
from app.approvals.delegation_rules import CLOCK_DIFFERENCE
from app.approvals.roster_errors import NotAHolder, ShiftOverlaps, UnfitShift, UnfitWindow
from app.approvals.roster_repository import RosterRepository
from app.approvals.roster_rules import (
    LONGEST,
    SHANGHAI,
    SHORTEST,
    SOON,
    WINDOW,
    Shift,
    beginning,
    gaps,
    overlap,
    writer_of,
)
from app.approvals.roster_schemas import RosterQuery, RosterRead, ShiftCreate
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.auth.roles import Role
from app.crypto.rowmac import RowSigner
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.log_access import name_action
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Tier
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/on-call-rosters"
_AHEAD: Final = timedelta(days=14)


class Holders(Protocol):
    """Where it is read who holds a role."""

    async def holders(self, source: Source, role: Role) -> Sequence[UUID]:
        """Give them."""
        ...


class RosterDesk:
    """Keeps rosters."""

    def __init__(
        self,
        showing: Showing,
        *,
        signer: RowSigner,
        holders: Holders,
        people: Acquaintances,
        idempotency: Idempotency,
    ) -> None:
        """Take what every look shares, the signer of the table, who holds roles, whom viewers may know, and what repeats are told."""
        self.rows, self._holders, self._people = RosterRepository(signer), holders, people
        self._gate, self._rights, self._reader = showing.gate, CurrentRights(showing.standings), showing.reader
        self._idempotency, self._clock = idempotency, showing.clock

    async def on_call(self, source: Source, role: Role, now: datetime) -> UUID | None:
        """Give who is on call for a role by its roster; nobody where it says nothing."""
        shift = await self.rows.at(source, role, now)
        return None if shift is None else shift.person_id

    async def read(self, viewer: Viewer, role: Role, query: RosterQuery) -> Disclosed[RosterRead]:
        """Show the roster of a role with what it leaves open. Raises ``NotPermitted`` and ``UnfitWindow``."""
        name_action("roster.read")
        person_of(viewer)

        async def attempt(viewer: Viewer) -> Disclosed[RosterRead]:
            if not _reads(viewer, role):
                raise NotPermitted
            now = self._clock.now()
            since = now if query.since is None else query.since.astimezone(UTC)
            until = since + _AHEAD if query.until is None else query.until.astimezone(UTC)
            if not since < until <= since + WINDOW:
                raise UnfitWindow
            shifts = await self.rows.between(self._reader, role, since, until)
            able = frozenset(await self._holders.holders(self._reader, role))
            known = await self._people.known(viewer, {each.person_id for each in shifts})
            body = {
                "role": role.value,
                "from": since,
                "until": until,
                "on_call": next(
                    (known.get(each.person_id) for each in shifts if each.live(now) and each.person_id in able), None
                ),
                "items": [
                    {**_state(each, now), "person": known.get(each.person_id), "holds_role": each.person_id in able}
                    for each in shifts
                ],
                "gaps": [{"from": begins, "until": ends} for begins, ends in gaps(shifts, since, until, able)],
            }
            asked = {"role": role.value, "from": since.isoformat(), "until": until.isoformat()}
            look = Look(action="roster.read", purpose=query.purpose, query=asked)
            note = await self._gate.disclose_plain(viewer, look, count=len(known), contacts=sorted(known))
            told = {**body, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(told, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def put(self, viewer: Viewer, unit: UnitOfWork, key: str | None, role: Role, body: ShiftCreate) -> Answer:
        """Put a holder of the role on call, once per ``key``.

        Raises ``NotPermitted``, ``UnfitShift``, ``NotAHolder``, ``ShiftOverlaps``.
        """
        name_action("roster.set")
        own = person_of(viewer)

        def allowed() -> None:
            if writer_of(role) not in viewer.standing.roles:
                raise NotPermitted

        async def work() -> Receipt:
            new = self._new(own, role, body)
            holders = await self._holders.holders(unit.session, role)
            if new.person_id not in holders or new.person_id not in await self._people.known(viewer, [new.person_id]):
                raise NotAHolder
            await self.rows.queue(unit.session)
            if overlap(new, await self.rows.between(unit.session, role, new.starts_at, new.ends_at)) is not None:
                raise ShiftOverlaps
            await self.rows.add(unit.session, new)
            await self._record(unit, author_of(viewer), "roster.set", new)
            told: dict[str, Any] = {**_state(new, self._clock.now()), "role": role.value, "person": new.person_id}
            return Receipt(new.id, orjson.loads(orjson.dumps(told, option=orjson.OPT_UTC_Z)), 201)

        call = Call(viewer.caller, "POST", f"{COLLECTION}/{role.value}/shifts", key)
        said = key and body.model_dump(mode="json", by_alias=True)
        return await self._idempotency.run(unit, call, said, allowed=allowed, work=work)

    async def end(self, viewer: Viewer, unit: UnitOfWork, role: Role, identity: UUID) -> None:
        """Take a shift back from now on; twice is once. Raises ``NotPermitted``, and ``NotFound`` for none of this role."""
        name_action("roster.end")
        person_of(viewer)
        if writer_of(role) not in viewer.standing.roles:
            raise NotPermitted
        found, now = await self.rows.locked(unit.session, identity), self._clock.now()
        if found is None or found.role is not role:
            raise NotFound
        if not found.over(now):
            await self.rows.change(unit.session, found.ended(now))
            await self._record(unit, author_of(viewer), "roster.end", found)

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """Take back every shift of somebody who leaves; give how many they were."""
        now = self._clock.now()
        found = await self.rows.coming(unit.session, contact_id, now)
        for each in found:
            await self.rows.change(unit.session, each.ended(now))
            await self._record(unit, author, "roster.end", each)
        return len(found)

    def _new(self, own: UUID, role: Role, body: ShiftCreate) -> Shift:
        now = self._clock.now()
        starts, ends = (each.astimezone(UTC) for each in (body.since or now, body.until))
        today = beginning(now.astimezone(SHANGHAI).date())
        if starts != today and not now - CLOCK_DIFFERENCE <= starts <= now + SOON:
            raise UnfitShift("/from")
        starts = max(starts, now)
        if not starts + SHORTEST <= ends <= starts + LONGEST:
            raise UnfitShift("/until")
        return Shift(
            id=new_id(),
            role=role,
            person_id=body.person,
            starts_at=starts,
            ends_at=ends,
            filed_by=own,
            created_at=now,
        )

    async def _record(self, unit: UnitOfWork, author: Author, action: str, each: Shift) -> None:
        query = {
            "shift": str(each.id),
            "role": each.role.value,
            "from": each.starts_at.isoformat(),
            "until": each.ends_at.isoformat(),
        }
        draft = written(author, action, self._clock.now(), contacts=[each.person_id], query=query)
        await add_intent(unit.session, draft)


def _reads(viewer: Viewer, role: Role) -> bool:
    roles = viewer.standing.roles
    return not roles.isdisjoint({role, writer_of(role), Role.AUDITOR}) or viewer.standing.tier is Tier.T5


def _state(each: Shift, now: datetime) -> dict[str, Any]:
    return {
        "id": each.id,
        "from": each.starts_at,
        "until": each.ends_at,
        "state": "live" if each.live(now) else "ended" if each.over(now) else "planned",
    }
