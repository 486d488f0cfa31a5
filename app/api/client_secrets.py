"""``/v1/clients``: the service accounts that one answers for, and how one gets a secret, once.

A secret is made here and told in the one answer; it is stored as its SHA-256, and neither a request nor a notice nor a receipt ever holds
it. So there is no repeat to be made harmless: whoever lost the answer asks again, and the secret before it is dead.
"""

from typing import Annotated, Final

import orjson
from fastapi import Depends, Path, Request, Response
from pydantic import Field

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.scopes import Scope
from app.contacts.access import LOOK_PROBLEMS
from app.contacts.rights import CurrentRights
from app.custody.handovers import ClientHandovers
from app.custody.reading import ClientReader
from app.custody.schemas import ClientAnswer, ClientList
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.dependencies import Unit
from app.kit.errors import InsufficientScope, Invalid, NotFound, Unauthenticated, Unavailable
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.kit.schemas import Output
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer, author_of

router = GuardedRouter(prefix="/v1", tags=["clients"])

_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, NotFound, Invalid, Unavailable)


class ClientSecret(Output):
    """A service account's new secret, told this once."""

    client_id: str = Field(examples=["canteen-screen"])
    secret: str = Field(description="256 random bits; store it where the system reads it, and nowhere else.")


class ClientOwners:
    """Serves those who answer for service accounts."""

    def __init__(self, clients: Clients, handovers: ClientHandovers, clock: Clock) -> None:
        """Take the clients, what is being handed over, and the clock."""
        self._clients, self._handovers, self._clock = clients, handovers, clock

    async def rotate(self, viewer: Viewer, unit: UnitOfWork, client_id: str) -> ClientSecret:
        """Make a secret; the one before and every token got with it end. Raises ``NotFound`` to everybody but the owner."""
        try:
            client = await self._clients.by_client_id(unit.session, client_id)
        except AccountRefused:
            client = None
        me = viewer.standing.contact_id
        if client is None or me is None or client.owner != me or client.state != "active":
            raise NotFound
        issued = await self._clients.rotate_secret(unit.session, client_id)
        await self._handovers.taken_over(unit, author_of(viewer), client)
        told = {"client_id": client_id}
        await add_intent(
            unit.session, written(author_of(viewer), "client.rotate_secret", self._clock.now(), query=told)
        )
        return ClientSecret(client_id=client_id, secret=issued.secret or "")


async def _owners(request: Request) -> ClientOwners:
    application = request.app.state.application
    return ClientOwners(application.clients, application.custody.handovers, application.clock)


Owner = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]
Owners = Annotated[ClientOwners, Depends(_owners)]
Named = Annotated[
    str, Path(alias="id", min_length=2, max_length=63, description="Client id.", examples=["canteen-screen"])
]


async def _reader(request: Request) -> ClientReader:
    application = request.app.state.application
    return ClientReader(
        clients=application.clients,
        handovers=application.custody.rows,
        people=Acquaintances(application.contact_rows, application.gate),
        gate=application.gate,
        rights=CurrentRights(application.standings),
        reader=application.database.reader,
    )


Looking = Annotated[Viewer, Depends(LookGuard(Scope.APPROVALS_USE))]
Clientele = Annotated[ClientReader, Depends(_reader)]


@router.get(
    "/clients",
    summary="List service accounts and front ends",
    response_model=None,
    responses={**disclosed_response(ClientList, "Clients by id"), **responses(*LOOK_PROBLEMS)},
)
async def list_clients(viewer: Looking, reader: Clientele) -> Disclosed[ClientList]:
    """List what the caller answers for; to security, audit and IT, every client.

    Where its owner has left, `handover` says by when somebody has to take it over.
    """
    return await reader.listed(viewer)


@router.get(
    "/clients/{id}",
    summary="Look at a service account or front end",
    response_model=None,
    responses={**disclosed_response(ClientAnswer, "The client"), **responses(*LOOK_PROBLEMS, NotFound, Invalid)},
)
async def read_client(viewer: Looking, reader: Clientele, named: Named) -> Disclosed[ClientAnswer]:
    """Tell what one may do and who answers for it; 404 to everybody but its owner, security, audit and IT."""
    return await reader.one(viewer, named)


@router.post(
    "/clients/{id}/secrets",
    summary="Get a secret for one's service account",
    status_code=201,
    response_model=ClientSecret,
    responses=responses(*_PROBLEMS),
)
async def create_client_secret(viewer: Owner, owners: Owners, unit: Unit, named: Named) -> Response:
    """Make a secret for a service account that one answers for, and tell it, this once; the one before it is dead.

    A service account comes of a request of kind `client.register`; its beneficiary is its owner. Whoever answers for it because its owner
    has left takes it over by this call, and only by it; until then `GET /v1/clients/{id}` says by when.
    """
    body = (await owners.rotate(viewer, unit, named)).model_dump()
    return Response(orjson.dumps(body), 201, media_type="application/json", headers={"Cache-Control": "no-store"})
