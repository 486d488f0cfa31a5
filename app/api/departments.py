"""HTTP face of departments: the tree is read by everybody who reads contacts, and kept by few."""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Response

from app.api.department_access import DepartmentsRead, DepartmentsWrite, Keeper, Reader
from app.api.department_keeping import COLLECTION
from app.api.department_views import (
    DepartmentListQuery,
    DepartmentPage,
    DepartmentReadQuery,
    DepartmentReceipt,
    DepartmentView,
)
from app.audit.errors import EpochMoved
from app.departments.errors import (
    DepartmentHasNumbers,
    DepartmentLoop,
    DepartmentNotEmpty,
    DepartmentTooDeep,
    DuplicateDepartmentCode,
    UnknownHolder,
    UnknownParent,
)
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.disclosure.errors import ApprovalRequired
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, IfNoneMatch, OnceKey, Unit
from app.kit.errors import (
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
)
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted

_ALWAYS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
_WRITES: Final = (NotPermitted, ApprovalRequired, Invalid, UnknownParent, UnknownHolder, DepartmentTooDeep)
_VERSIONED: Final = (NotFound, PreconditionFailed, PreconditionRequired)
_RECEIPT: Final[dict[str, Any]] = {"model": DepartmentReceipt, "description": "Receipt"}

Named = Annotated[str, Path(alias="id", min_length=1, max_length=36, description="Id or code.", examples=["RD"])]

router = GuardedRouter(prefix="/v1/departments", tags=["departments"])


@router.get(
    "",
    summary="List departments",
    response_model=None,
    responses={
        **disclosed_response(DepartmentPage, "A page of departments"),
        **responses(*_ALWAYS, Invalid, BadCursor),
    },
)
async def list_departments(
    viewer: DepartmentsRead, reader: Reader, query: Annotated[DepartmentListQuery, Query()]
) -> Disclosed[DepartmentPage]:
    """List departments by code, each with its parent's id and its path; or, with `view=tree`, nested."""
    return await reader.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a department",
    response_model=None,
    responses={
        **disclosed_response(DepartmentView, "The department"),
        304: {"description": "Unchanged"},
        **responses(*_ALWAYS, NotFound, Invalid),
    },
)
async def read_department(
    viewer: DepartmentsRead,
    reader: Reader,
    named: Named,
    query: Annotated[DepartmentReadQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Disclosed[DepartmentView]:
    """Show one department, and who heads it."""
    return await reader.read(viewer, named, query.purpose, known=if_none_match)


@router.post(
    "",
    summary="Create a department",
    status_code=201,
    response_model=None,
    responses={
        201: _RECEIPT,
        **responses(*_ALWAYS, *_WRITES, DuplicateDepartmentCode, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def create_department(
    viewer: DepartmentsWrite, keeper: Keeper, unit: Unit, body: DepartmentCreate, idempotency_key: OnceKey = None
) -> Response:
    """Add a department below another one, or at the top."""
    return receipt_response(await keeper.create(viewer, unit, idempotency_key, body), COLLECTION)


@router.patch(
    "/{id}",
    summary="Change a department",
    response_model=None,
    responses={200: _RECEIPT, **responses(*_ALWAYS, *_WRITES, DepartmentLoop, *_VERSIONED)},
)
async def amend_department(
    viewer: DepartmentsWrite, keeper: Keeper, unit: Unit, named: Named, version: IfMatch, body: DepartmentAmend
) -> Response:
    """Change members by JSON Merge Patch; `If-Match` names the department as the caller saw it."""
    return receipt_response(await keeper.amend(viewer, unit, named, version, body), COLLECTION)


@router.delete(
    "/{id}",
    summary="Remove a department",
    status_code=204,
    response_model=None,
    responses={
        204: {"description": "Removed"},
        **responses(*_ALWAYS, NotPermitted, DepartmentNotEmpty, DepartmentHasNumbers, Invalid, *_VERSIONED),
    },
)
async def remove_department(
    viewer: DepartmentsWrite, keeper: Keeper, unit: Unit, named: Named, version: IfMatch
) -> Response:
    """Take a department out of the tree; refused while anything or anybody, a number or a number pool too, belongs to it."""
    await keeper.remove(viewer, unit, named, version)
    return Response(status_code=204)
