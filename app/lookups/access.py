"""The named guard of lookups, what its route calls, and the problems that it can meet.

People look up with the scope that lets them reveal, since both tell of a protected value for a purpose and a reason; a service account
needs a scope of its own. Policy then says whom and by what.
"""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved, QuotaSpent
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.lookups.errors import LookupsNotReady
from app.lookups.service import LookupService
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

LOOKUP_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    EpochMoved,
    Invalid,
    QuotaSpent,
    LogUnavailable,
    LookupsNotReady,
)

ContactsLookup = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_LOOKUP, Scope.CONTACTS_REVEAL))]


async def _service(request: Request) -> LookupService:
    service: LookupService = request.app.state.application.lookups.service
    return service


Lookups = Annotated[LookupService, Depends(_service)]
