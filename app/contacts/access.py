"""Named guards of contacts, the services that routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.contacts.errors import (
    ConsentRequired,
    DuplicateEmployeeNumber,
    DuplicateUserName,
    NamesOneself,
    NotCollected,
    UnknownContact,
    UnknownDepartment,
)
from app.contacts.keeping import ContactKeeper
from app.contacts.service import ContactService
from app.contacts.suggestions import SuggestionService
from app.disclosure.errors import ApprovalRequired
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
WRITE_PROBLEMS: Final = (
    Invalid,
    NotCollected,
    ConsentRequired,
    UnknownDepartment,
    UnknownContact,
    NamesOneself,
    DuplicateEmployeeNumber,
    DuplicateUserName,
    ApprovalRequired,
    NotPermitted,
)

ContactsRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
ContactsReveal = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_REVEAL))]
ContactsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.CONTACTS_WRITE))]


async def _service(request: Request) -> ContactService:
    service: ContactService = request.app.state.application.contacts
    return service


async def _keeper(request: Request) -> ContactKeeper:
    keeper: ContactKeeper = request.app.state.application.keeper
    return keeper


async def _suggestions(request: Request) -> SuggestionService:
    suggestions: SuggestionService = request.app.state.application.suggestions
    return suggestions


Contacts = Annotated[ContactService, Depends(_service)]
Keeper = Annotated[ContactKeeper, Depends(_keeper)]
Suggestions = Annotated[SuggestionService, Depends(_suggestions)]
