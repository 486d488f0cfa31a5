"""Who provisions: a service account whose token carries the scope ``scim``, and nobody else."""

from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from app.auth.errors import insufficient_scope
from app.auth.scopes import Scope
from app.permissions.guard import LookGuard, ViewerGuard
from app.permissions.standing import Viewer
from app.scim.desk import ScimDesk


class ProvisioningGuard(LookGuard):
    """Lets in a provisioning client, with the rights of now; its answers disclose, and leave under a permit alone."""

    fresh = True

    def __init__(self) -> None:
        """Ask for the scope."""
        super().__init__(Scope.SCIM)

    async def __call__(self, request: Request) -> Viewer:
        """Give the viewer; raise as every guard does, and ``InsufficientScope`` for a person, whatever their token says."""
        return _a_service(await super().__call__(request))


class DescriptionGuard(ViewerGuard):
    """Lets the same clients read what the service is: that is nobody's data."""

    discloses = False

    def __init__(self) -> None:
        """Ask for the scope."""
        super().__init__(Scope.SCIM)

    async def __call__(self, request: Request) -> Viewer:
        """Give the viewer; raise as ``ProvisioningGuard`` does."""
        return _a_service(await super().__call__(request))


def _a_service(viewer: Viewer) -> Viewer:
    if viewer.standing.kind != "service":
        raise insufficient_scope({Scope.SCIM})
    return viewer


class ScimQuery(BaseModel):
    """Query parameters, which the protocol reads itself; others are let pass, since clients put flags of their own into their address."""

    filter: str | None = None
    attributes: str | None = None
    excluded_attributes: str | None = Field(None, alias="excludedAttributes")
    sort_by: str | None = Field(None, alias="sortBy")
    sort_order: str | None = Field(None, alias="sortOrder")
    start_index: str | None = Field(None, alias="startIndex")
    count: str | None = None


async def _desk(request: Request) -> ScimDesk:
    state = request.app.state
    desk = getattr(state, "scim", None)
    if not isinstance(desk, ScimDesk):
        desk = state.scim = ScimDesk(state.application)
    return desk


Provisions = Annotated[Viewer, Depends(ProvisioningGuard())]
ReadsDescription = Annotated[Viewer, Depends(DescriptionGuard())]
Desk = Annotated[ScimDesk, Depends(_desk)]
