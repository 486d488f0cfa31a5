"""HTTP face of the policy: the pack in force, versions, and entries into force."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import Unit
from app.kit.errors import NotFound, UnsupportedMediaType
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.policy.access import (
    LOOK_PROBLEMS,
    RULES_PROBLEMS,
    UPLOAD_PROBLEMS,
    Desk,
    GovernanceRead,
    PolicyWrite,
    RulesRead,
)
from app.policy.keeping import VERSIONS
from app.policy.schemas import (
    ActivationPage,
    PageQuery,
    PolicyView,
    VersionPage,
    VersionReceipt,
    VersionView,
)

_TEXTS: Final = ("application/yaml", "application/json")
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {kind: {"schema": {"type": "string", "description": "A pack, at most 1 MiB."}} for kind in _TEXTS},
}

router = GuardedRouter(prefix="/v1/policy", tags=["policy"])


@router.get(
    "",
    summary="Read the policy in force",
    response_model=None,
    responses={200: {"model": PolicyView, "description": "The pack in force"}, **responses(*RULES_PROBLEMS)},
)
async def read_policy(viewer: RulesRead, desk: Desk) -> Response:
    """Show the rules that everybody's looks are decided by, each with the clauses that it comes from, in Chinese and English."""
    del viewer
    return Response(await desk.reader.in_force(), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/versions",
    summary="List policy versions",
    response_model=None,
    responses={**disclosed_response(VersionPage, "One page, newest first"), **responses(*LOOK_PROBLEMS)},
)
async def list_versions(
    viewer: GovernanceRead, desk: Desk, query: Annotated[PageQuery, Query()]
) -> Disclosed[VersionPage]:
    """List what was uploaded, by whom, and what of it is or was in force."""
    return await desk.reader.versions(viewer, query)


@router.post(
    "/versions",
    summary="Upload a policy version",
    status_code=201,
    response_model=None,
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {"model": VersionReceipt, "description": "This very pack is stored already"},
        201: {"model": VersionReceipt, "description": "Receipt"},
        **responses(*UPLOAD_PROBLEMS),
    },
)
async def upload_version(viewer: PolicyWrite, desk: Desk, unit: Unit, request: Request) -> Response:
    """Store a pack, YAML or JSON, as a candidate: schema-checked, nothing in it that reads otherwise than it looks.

    A candidate changes nothing. The receipt tells what can never matter in it; its tests must hold before it can be in force.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TEXTS:
        raise UnsupportedMediaType
    text = (await request.body()).decode("utf-8", "replace")
    return receipt_response(await desk.keeper.propose(viewer, unit, text), VERSIONS)


@router.get(
    "/versions/{id}",
    summary="Read a policy version",
    response_model=None,
    responses={**disclosed_response(VersionView, "The version"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_version(viewer: GovernanceRead, desk: Desk, id: UUID) -> Disclosed[VersionView]:
    """Show one version with its rules, its author's text and what can never matter in it."""
    return await desk.reader.version(viewer, id)


@router.get(
    "/activations",
    summary="List policy activations",
    response_model=None,
    responses={**disclosed_response(ActivationPage, "One page, newest first"), **responses(*LOOK_PROBLEMS)},
)
async def list_activations(
    viewer: GovernanceRead, desk: Desk, query: Annotated[PageQuery, Query()]
) -> Disclosed[ActivationPage]:
    """List which version was in force from when, by whom and on which approved request.

    A version enters into force, or again into force, as the effect of a request of kind `policy.change`; no process is restarted.
    """
    return await desk.reader.activations(viewer, query)
