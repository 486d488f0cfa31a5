"""HTTP face of provisions."""

from typing import Annotated, Any, Final

from fastapi import Query, Response

from app.audit.errors import QuotaSpent
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import Unit
from app.kit.errors import NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted
from app.provisions import errors
from app.provisions.access import (
    LOOK_PROBLEMS,
    WRITE_PROBLEMS,
    Desk,
    Named,
    PackagesMake,
    ProvisionsRead,
    ProvisionsWrite,
)
from app.provisions.schemas import (
    PackageCreate,
    PackageMade,
    ProvisionPage,
    ProvisionQuery,
    ProvisionRead,
    ProvisionReceipt,
    ReturnConfirmation,
    ReturnCreate,
)

COLLECTION: Final = "/v1/provisions"
router = GuardedRouter(prefix=COLLECTION, tags=["provisions"])
_RECEIPT: Final[dict[str, Any]] = {"model": ProvisionReceipt, "description": "Receipt"}
_REFUSED: Final = (
    errors.ReturnOverdue,
    errors.RecipientKeyUnfit,
    errors.PackageTaken,
    errors.ProvisionEnded,
    errors.NothingReachable,
    errors.ProvisionMoved,
)


@router.get(
    "",
    summary="List provisions",
    response_model=None,
    responses={
        **disclosed_response(ProvisionPage, "A page of provisions"),
        **responses(*LOOK_PROBLEMS, NotPermitted, BadCursor),
    },
)
async def list_provisions(
    viewer: ProvisionsRead, desk: Desk, query: Annotated[ProvisionQuery, Query()]
) -> Disclosed[ProvisionPage]:
    """List what was given outside, newest first: all of it for administration, security and audit.

    Everybody else sees what they asked for or answer for, and what they themselves were provided in.
    """
    return await desk.pages.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a provision",
    response_model=None,
    responses={**disclosed_response(ProvisionRead, "The provision"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_provision(viewer: ProvisionsRead, desk: Desk, id: Named) -> Disclosed[ProvisionRead]:
    """Read a provision with its recipient, its package and what was said of its return; whom it does not concern, it is not there.

    Who was provided is told of themselves alone. Consent is taken back by a revocation of the request.
    """
    return await desk.pages.one(viewer, id)


@router.post(
    "/{id}/packages",
    summary="Make the package of a provision",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": PackageMade, "description": "The sealed package, once"},
        **responses(*LOOK_PROBLEMS, NotFound, NotPermitted, QuotaSpent, *_REFUSED),
    },
)
async def make_package(viewer: PackagesMake, desk: Desk, id: Named, body: PackageCreate) -> Disclosed[PackageMade]:
    """Make the sealed, watermarked package for the recipient: once, within the term, by whoever answers for the provision.

    It holds the fields of those who consented and do still, as far as the policy of now lets them be shown clear; how many were left out is
    said. Nothing of it is kept: who loses it asks anew. `duanhao provisions open` opens it without any service.
    """
    return await desk.packages.make(viewer, id, body)


@router.post(
    "/{id}/returns",
    summary="Declare a return",
    status_code=201,
    response_model=None,
    responses={201: _RECEIPT, **responses(*WRITE_PROBLEMS, errors.NothingOut)},
)
async def declare_return(viewer: ProvisionsWrite, desk: Desk, unit: Unit, id: Named, body: ReturnCreate) -> Response:
    """Say that the recipient returned or destroyed the data: whoever answers for the provision, or asked for it."""
    return receipt_response(await desk.returns.declare(viewer, unit, id, body), COLLECTION)


@router.post(
    "/{id}/return-confirmations",
    summary="Confirm a return",
    response_model=None,
    responses={200: _RECEIPT, **responses(*WRITE_PROBLEMS, NotPermitted, errors.OwnPart, errors.NothingOut)},
)
async def confirm_return(
    viewer: ProvisionsWrite, desk: Desk, unit: Unit, id: Named, body: ReturnConfirmation
) -> Response:
    """Confirm a declared return, or do not believe it: administration, and nobody who has a part in the provision."""
    return receipt_response(await desk.returns.confirm(viewer, unit, id, body), COLLECTION)
