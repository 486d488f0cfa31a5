"""Service accounts and front ends for a viewer: their own ones, or every one to who oversees. Each answer is a look, on record."""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import orjson

from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.repository import Client
from app.contacts.rights import CurrentRights, seek
from app.custody.rows import CustodyRows, Handover
from app.custody.schemas import ClientAnswer, ClientList
from app.disclosure.acquaintances import Acquaintances, oversees
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE: Final = Purpose.WORK_CONTACT
_KEEPERS: Final = frozenset({"it"})


class ClientReader:
    """Shows clients."""

    def __init__(
        self,
        *,
        clients: Clients,
        handovers: CustodyRows,
        people: Acquaintances,
        gate: Gate,
        rights: CurrentRights,
        reader: Reader,
    ) -> None:
        """Take the clients, what is being handed over, whom viewers may know, the gate, the rights of now and the store."""
        self._clients, self._handovers, self._people = clients, handovers, people
        self._gate, self._rights, self._reader = gate, rights, reader

    async def listed(self, viewer: Viewer) -> Disclosed[ClientList]:
        """List those that the viewer answers for; to security, audit and IT, every one."""
        seek("client.list", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ClientList]:
            found = [each for each in await self._clients.list(self._reader) if _sees(viewer, each)]
            views, people = await self._views(viewer, found)
            look = Look(action="client.list", purpose=_PURPOSE)
            note = await self._gate.disclose_plain(viewer, look, count=len(found), contacts=people)
            body = {"items": views, "next": None, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, client_id: str) -> Disclosed[ClientAnswer]:
        """Show one. Raises ``NotFound``, alike for one that is not there and one that somebody else answers for."""
        seek("client.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ClientAnswer]:
            client = None
            with suppress(AccountRefused):
                client = await self._clients.by_client_id(self._reader, client_id)
            if client is None or not _sees(viewer, client):
                raise NotFound
            (view,), people = await self._views(viewer, [client])
            look = Look(action="client.read", purpose=_PURPOSE, query={"client_id": client_id})
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=people)
            return Disclosed(orjson.dumps({**view, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _views(self, viewer: Viewer, clients: list[Client]) -> tuple[list[dict[str, Any]], list[UUID]]:
        open_ = await self._handovers.open_handovers(self._reader)
        handed = {each.client_id: open_[each.client_id] for each in clients if each.client_id in open_}
        named = {each.owner for each in clients if each.owner is not None}
        known = await self._people.known(viewer, sorted(named | {each.former_id for each in handed.values()}))
        return [_view(each, handed.get(each.client_id), known) for each in clients], sorted(known)


def _sees(viewer: Viewer, client: Client) -> bool:
    me = viewer.standing.contact_id
    own = me is not None and client.owner == me
    return own or oversees(viewer) or not viewer.standing.roles.isdisjoint(_KEEPERS)


def _view(client: Client, handover: Handover | None, known: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "state": client.state,
        "front_end": client.secret_hash is None,
        "scopes": sorted(client.scopes),
        "ceiling": client.ceiling,
        "exchanges": client.exchanges,
        "owner": None if client.owner is None else known.get(client.owner),
        "handover": None
        if handover is None
        else {
            "since": handover.began_at,
            "due_at": handover.due_at,
            "cause": handover.cause,
            "former_owner": known.get(handover.former_id),
        },
    }
