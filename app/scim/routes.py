"""HTTP face of provisioning: one route for everything that discloses, and those of the service's own description.

Not in OpenAPI: SCIM describes itself at ``/Schemas``, ``/ResourceTypes`` and ``/ServiceProviderConfig``.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import Query, Request, Response

from app.disclosure.refusals import recorder
from app.kit.routing import GuardedRouter
from app.permissions.standing import Viewer
from app.scim.access import Desk, Provisions, ReadsDescription, ScimQuery
from app.scim.desk import ScimDesk

PREFIX: Final = "/scim/v2"
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]

router = GuardedRouter(prefix=PREFIX, tags=["scim"], include_in_schema=False)


@router.get("/ServiceProviderConfig", summary="Say what the service supports")
@router.get("/ResourceTypes", summary="List the types of resources")
@router.get("/ResourceTypes/{name}", summary="Describe a type of resources")
@router.get("/Schemas", summary="List the schemas")
@router.get("/Schemas/{name}", summary="Describe a schema")
async def describe(
    viewer: ReadsDescription, desk: Desk, request: Request, query: Annotated[ScimQuery, Query()]
) -> Response:
    """Say what this service is: nobody's data, and no look."""
    del query
    return await _answered(viewer, desk, request)


@router.api_route("", methods=_METHODS, summary="Search everything")
@router.api_route("/{path:path}", methods=_METHODS, summary="Provision users and groups")
async def provision(viewer: Provisions, desk: Desk, request: Request, query: Annotated[ScimQuery, Query()]) -> Response:
    """Serve the protocol (RFC 7644) to a provisioning client: every read is a look, on record before it leaves."""
    del query
    return await _answered(viewer, desk, request)


async def _answered(viewer: Viewer, desk: ScimDesk, request: Request) -> Response:
    from scim2_server.requests import ScimRequest  # noqa: PLC0415 — the library, when the first request comes

    from app.scim.service import head_of  # noqa: PLC0415 — with the library

    asked = ScimRequest(
        method=request.method,
        base_url=f"{request.url.scheme}://{request.url.netloc}{PREFIX}",
        path=request.url.path.removeprefix(PREFIX).removesuffix(".scim"),
        query=dict(request.query_params),
        headers=list(request.headers.items()),
        body=await request.body(),
    )
    record = recorder(request.app)
    answer = await _endpoint(request, desk).answer(asked, lambda provider: desk.storage(viewer, provider), record)
    status, headers = head_of(answer)
    body = b"" if answer.body is None else orjson.dumps(answer.body)
    return Response(body, status_code=status, headers=headers)


def _endpoint(request: Request, desk: ScimDesk) -> Any:  # noqa: ANN401 — an Endpoint, which comes with the library
    from app.scim.service import Endpoint  # noqa: PLC0415 — with the library

    state = request.app.state
    endpoint = getattr(state, "scim_endpoint", None)
    if endpoint is None:
        endpoint = state.scim_endpoint = Endpoint(desk.most_bytes)
    return endpoint
