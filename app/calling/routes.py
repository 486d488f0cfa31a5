"""HTTP face of calling privileges. They are granted through requests of the kind ``line.privilege`` and in no other way."""

from typing import Annotated

from fastapi import Query, Response

from app.calling.access import LOOK_PROBLEMS, Named, Pages, PrivilegesEnd, PrivilegesRead
from app.calling.schemas import PrivilegePage, PrivilegeQuery, PrivilegeRead
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import Unit
from app.kit.errors import NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1/calling-privileges", tags=["numbers"])


@router.get(
    "",
    summary="List calling privileges",
    response_model=None,
    responses={
        **disclosed_response(PrivilegePage, "A page of calling privileges"),
        **responses(*LOOK_PROBLEMS, BadCursor),
    },
)
async def list_calling_privileges(
    viewer: PrivilegesRead, pages: Pages, query: Annotated[PrivilegeQuery, Query()]
) -> Disclosed[PrivilegePage]:
    """List what lines may do beyond the house: everybody their own, offices and programs that manage numbers those of all."""
    return await pages.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a calling privilege",
    response_model=None,
    responses={
        **disclosed_response(PrivilegeRead, "The privilege"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def read_calling_privilege(viewer: PrivilegesRead, pages: Pages, id: Named) -> Disclosed[PrivilegeRead]:
    """Read one. Whom it is not told, it is not there."""
    return await pages.one(viewer, id)


@router.delete(
    "/{id}",
    summary="End a calling privilege",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Ended"}, **responses(*LOOK_PROBLEMS, NotPermitted, NotFound)},
)
async def end_calling_privilege(viewer: PrivilegesEnd, pages: Pages, unit: Unit, id: Named) -> Response:
    """End one now: its holder, or administration, IT and programs that manage numbers. A new one takes a new request."""
    await pages.end(viewer, unit, id)
    return Response(status_code=204)
