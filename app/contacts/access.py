"""Named guards of contacts, and the services that routes call."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.scopes import Scope
from app.contacts.keeping import ContactKeeper
from app.contacts.service import ContactService
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

ContactsRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
ContactsReveal = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_REVEAL))]
ContactsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.CONTACTS_WRITE))]


async def _service(request: Request) -> ContactService:
    service: ContactService = request.app.state.application.contacts
    return service


async def _keeper(request: Request) -> ContactKeeper:
    keeper: ContactKeeper = request.app.state.application.keeper
    return keeper


Contacts = Annotated[ContactService, Depends(_service)]
Keeper = Annotated[ContactKeeper, Depends(_keeper)]
