"""HTTP face of standing: roles, tiers, and the grants that requests made."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from app.api.standing_desk import StandingDesk
from app.api.standing_views import GrantPage, GrantsQuery, HolderPage, HoldersQuery, RoleList, TierList
from app.auth.roles import Role
from app.auth.scopes import Scope
from app.contacts.access import LOOK_PROBLEMS
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import Unit
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

StandingRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
StandingEnd = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _desk(request: Request) -> StandingDesk:
    desk: StandingDesk = request.app.state.application.standing
    return desk


Desk = Annotated[StandingDesk, Depends(_desk)]

router = GuardedRouter(prefix="/v1", tags=["standing"])


@router.get(
    "/roles",
    summary="List roles and who holds them",
    response_model=None,
    responses={**disclosed_response(RoleList, "Every role"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_roles(viewer: StandingRead, desk: Desk) -> Disclosed[RoleList]:
    """Tell every role in both languages and who holds it, as far as the caller may know of them. On record as one look."""
    return await desk.roles.roles(viewer)


@router.get(
    "/roles/{role}/holders",
    summary="List who holds a role",
    response_model=None,
    responses={**disclosed_response(HolderPage, "A page of holders"), **responses(*LOOK_PROBLEMS, Invalid, BadCursor)},
)
async def list_holders(
    viewer: StandingRead,
    desk: Desk,
    role: Annotated[Role, Path(examples=["hr"])],
    query: Annotated[HoldersQuery, Query()],
) -> Disclosed[HolderPage]:
    """List who holds one role. A page may be short: people whom the caller may not know are left out."""
    return await desk.roles.holders(viewer, role, query)


@router.get(
    "/tiers",
    summary="List tiers",
    response_model=None,
    responses={**disclosed_response(TierList, "Every tier"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_tiers(viewer: StandingRead, desk: Desk) -> Disclosed[TierList]:
    """Tell every tier in both languages, and which is the caller's."""
    return await desk.roles.tiers(viewer)


@router.get(
    "/grants",
    summary="List grants",
    response_model=None,
    responses={
        **disclosed_response(GrantPage, "A page of grants, newest first"),
        **responses(*LOOK_PROBLEMS, NotPermitted, Invalid, BadCursor),
    },
)
async def list_grants(viewer: StandingRead, desk: Desk, query: Annotated[GrantsQuery, Query()]) -> Disclosed[GrantPage]:
    """List the caller's own grants; to tier T5, auditors and system administrators everybody's. Made by approved requests alone."""
    return await desk.grants.page(viewer, query)


@router.delete(
    "/grants/{id}",
    summary="End a grant",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Not in force any more"}, **responses(*LOOK_PROBLEMS, NotFound, Invalid)},
)
async def end_grant(
    viewer: StandingEnd, desk: Desk, unit: Unit, identity: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Give back a grant of one's own, or take one away (security, directory steward); at once, also for looks that are under way."""
    await desk.ender.end(viewer, unit, identity)
    return Response(status_code=204)
