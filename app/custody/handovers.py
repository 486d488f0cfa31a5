"""Service accounts whose owner has left: handed to the next head in the leaver's own transaction, and over if nobody takes them on.

Whoever leaves may know the secret, so whoever answers from then on has to have another made: that call is the taking over. What nobody
takes over by the day that was named is disabled. A service account that somebody's leaving missed, by whatever path, is found by the sweep.
"""

from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import String, bindparam, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.resolving import Organisation, Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.repository import Client
from app.auth.roles import Role
from app.calendar.joints import Calendar
from app.custody.rows import CustodyRows, Handover, Outcome
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import Id, new_id
from app.kit.query import Query
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller

SWEEPER: Final = Author(type="system", id="clients")
_LOST: Final = "owner_gone"
_TOLD: Final = ("infosec", "it")
_CLIENTS: Final = table("client", column("client_id", String()), column("owner_id", Id()), column("state", String()))
_ACTIVE: Final = select(_CLIENTS.c.client_id, _CLIENTS.c.owner_id).where(_CLIENTS.c.state == "active")
OWNED_BY: Final = Query(
    _ACTIVE.where(_CLIENTS.c.owner_id == bindparam("owner", type_=Id())).order_by(_CLIENTS.c.client_id)
)
OWNED: Final = Query(_ACTIVE.where(_CLIENTS.c.owner_id.is_not(None)).order_by(_CLIENTS.c.client_id))

"""Every active service account that somebody answers for, by id and owner; rows that are not believed yet."""


class ClientHandovers:
    """Hands service accounts over."""

    def __init__(
        self,
        *,
        rows: CustodyRows,
        accounts: UserAccounts,
        clients: Clients,
        organisation: Organisation,
        persons: Persons,
        calendar: Calendar,
        teller: Teller,
        database: Database,
        clock: Clock,
        days: int,
    ) -> None:
        """Take the rows, accounts, clients, positions, natural persons, working days, who tells, store, clock, and the time given."""
        self._rows, self._accounts, self._clients = rows, accounts, clients
        self._organisation, self._persons = organisation, persons
        self._calendar, self._teller, self._database, self._clock, self._days = calendar, teller, database, clock, days

    async def end_all(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str, to: UUID | None = None
    ) -> int:
        """Hand over every service account that somebody answers for, to the next head or to whom is named; give how many they were.

        Their tokens of before end with it.
        """
        owned = await OWNED_BY.rows(unit.session, owner=contact_id)
        return sum([await self._hand_over(unit, author, str(row[0]), contact_id, cause, to) for row in owned])

    async def taken_over(self, unit: UnitOfWork, author: Author, client: Client) -> bool:
        """Say that whoever acts had another secret made and answers for it from now on; ``False`` where nothing was open."""
        if not await self._rows.settle(unit.session, client.client_id, Outcome.TAKEN_OVER, self._clock.now()):
            return False
        await self._tell(unit, author, "taken_over", client.client_id, client.owner)
        return True

    async def sweep(self) -> int:
        """Hand over what a leaving missed and disable what nobody took over in time; each in a transaction of its own; give how many."""
        done = 0
        for client_id, owner in await OWNED.rows(self._database.reader):
            if await self._is_gone(owner):
                async with self._database.unit_of_work() as unit:
                    done += await self._hand_over(unit, SWEEPER, client_id, owner, _LOST)
        for client_id in await self._rows.due(self._database.reader, self._clock.now()):
            async with self._database.unit_of_work() as unit:
                done += await self._disable(unit, client_id)
        return done

    async def _hand_over(
        self, unit: UnitOfWork, author: Author, client_id: str, owner: UUID, cause: str, to: UUID | None = None
    ) -> bool:
        client, now = await self._client(unit.session, client_id), self._clock.now()
        if client is None or client.state != "active" or client.owner != owner:
            return False
        before = await self._rows.handover_of(unit.session, client_id)
        await self._rows.settle(unit.session, client_id, Outcome.PASSED_ON, now)
        acting = to or await self._successor(unit.session, owner)
        days = await self._calendar.current(unit.session)
        handover = Handover(
            id=new_id(),
            client_id=client_id,
            former_id=owner,
            acting_id=acting,
            cause=cause,
            began_at=now,
            due_at=days.due(now, self._days).at if before is None else before.due_at,
        )
        await self._clients.hand_to(unit.session, client_id, acting)
        await self._rows.begin(unit.session, handover)
        await self._tell(unit, author, "handed_over", client_id, acting, former=owner, due=handover.due_at, cause=cause)
        return True

    async def _disable(self, unit: UnitOfWork, client_id: str) -> bool:
        if not await self._rows.settle(unit.session, client_id, Outcome.DISABLED, self._clock.now()):
            return False
        client = await self._client(unit.session, client_id)
        if client is None or client.state != "active":
            return False
        await self._clients.disable(unit.session, client_id)
        await self._tell(unit, SWEEPER, "disabled", client_id, client.owner, cause="not_taken_over")
        return True

    async def _successor(self, session: AsyncSession, owner: UUID) -> UUID | None:
        """Give who answers next: the nearest head above who is there and somebody else, else administration, else IT, else nobody."""
        tree = await self._organisation.tree(session)
        facts = await self._organisation.facts(session, [owner])
        department = facts[owner].department if owner in facts else None
        nodes = () if department is None else reversed(tree.ancestry(department))
        wanted = [node.head_id for node in nodes if node.head_id is not None]
        for role in (Role.ADMINISTRATION, Role.IT):
            wanted += await self._organisation.holders(session, role)
        persons = await self._persons.of(session, [owner, *wanted])
        able = await self._organisation.facts(session, wanted)
        return next(
            (each for each in wanted if persons[each] != persons[owner] and each in able and able[each].in_office),
            None,
        )

    async def _is_gone(self, person: UUID) -> bool:
        """Tell whether nobody can be asked any more: every way of leaving ends the account; a pause, or a suspension, does not."""
        try:
            account = await self._accounts.by_contact(self._database.reader, person)
        except AccountRefused:
            return False
        return account is None or account.state == "disabled"

    async def _client(self, session: AsyncSession, client_id: str) -> Client | None:
        """Find a client whose row can be believed; of another nobody gets a token anyway."""
        with suppress(AccountRefused):
            return await self._clients.by_client_id(session, client_id)
        return None

    async def _tell(
        self,
        unit: UnitOfWork,
        author: Author,
        what: str,
        client_id: str,
        owner: UUID | None,
        *,
        former: UUID | None = None,
        due: datetime | None = None,
        cause: str | None = None,
    ) -> None:
        now, people = self._clock.now(), tuple(each for each in (owner, former) if each is not None)
        told = {
            "client_id": client_id,
            **({"cause": cause} if cause else {}),
            **({"due_at": due.isoformat()} if due else {}),
        }
        action = {"handed_over": "client.hand_over", "taken_over": "client.take_over", "disabled": "client.disable"}[
            what
        ]
        event = written(author, action, now, contacts=people, query=told)
        await add_intent(unit.session, event)
        body = {
            "client": {"event": event.id},
            **({"due_at": due} if due else {}),
            **({"cause": cause} if cause else {}),
        }
        audience = Audience(people=() if owner is None else (owner,), roles=_TOLD)
        await self._teller.tell(
            unit, Notice(id=new_id(), type=f"client.{what}", occurred_at=now, body=body, audience=audience)
        )
