"""HTTP face of numbering domains, and of what is reserved in all of them."""

from typing import Annotated, Final

from fastapi import Path, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, IfNoneMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, Domains, NumbersAdmin, NumbersRead, Plan
from app.numbers.domains import DOMAINS, RESERVED
from app.numbers.errors import DuplicateDomainCode
from app.numbers.plan_errors import DomainConflicts, DuplicateReserved, EmergencyStays, ReservedInUse
from app.numbers.plan_schemas import (
    DomainAmend,
    DomainCreate,
    DomainPage,
    DomainReceipt,
    DomainView,
    ReservedCreate,
    ReservedPage,
    ReservedReceipt,
)
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["number plan"])

NamedDomain = Annotated[
    str, Path(alias="id", min_length=1, max_length=36, description="Id or code.", examples=["main"])
]
ReservedPath = Annotated[str, Path(alias="digits", pattern=r"^[0-9]{1,15}$", examples=["12345"])]
_CHANGED: Final = responses(
    *LOOK_PROBLEMS, NotPermitted, Invalid, NotFound, PreconditionFailed, PreconditionRequired, DomainConflicts
)


@router.get(
    "/number-domains",
    summary="List numbering domains",
    response_model=None,
    responses={**disclosed_response(DomainPage, "All domains"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_domains(viewer: NumbersRead, plan: Plan) -> Disclosed[DomainPage]:
    """List the domains inside which digits are unique."""
    return await plan.domains(viewer)


@router.post(
    "/number-domains",
    summary="Create a numbering domain",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": DomainReceipt, "description": "Receipt"},
        **responses(*ONCE_PROBLEMS, DuplicateDomainCode),
    },
)
async def create_domain(
    viewer: NumbersAdmin, domains: Domains, unit: Unit, body: DomainCreate, idempotency_key: OnceKey = None
) -> Response:
    """Add a domain: another site, where the same digits may be somebody else's, or another way of dialling."""
    return receipt_response(await domains.add(viewer, unit, idempotency_key, body), DOMAINS)


@router.get(
    "/number-domains/{id}",
    summary="Read a numbering domain",
    response_model=None,
    responses={
        **disclosed_response(DomainView, "The domain"),
        304: {"description": "Unchanged"},
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_domain(
    viewer: NumbersRead, plan: Plan, named: NamedDomain, if_none_match: IfNoneMatch = None
) -> Disclosed[DomainView]:
    """Show how numbers of one domain are dialled and what they look like."""
    return await plan.domain(viewer, named, known=if_none_match)


@router.patch(
    "/number-domains/{id}",
    summary="Change a numbering domain",
    response_model=None,
    responses={200: {"model": DomainReceipt, "description": "Receipt"}, **_CHANGED},
)
async def amend_domain(
    viewer: NumbersAdmin, domains: Domains, unit: Unit, named: NamedDomain, version: IfMatch, body: DomainAmend
) -> Response:
    """Change members by JSON Merge Patch; what ranges of the domain contradict is refused, and they are named."""
    return receipt_response(await domains.amend(viewer, unit, named, version, body), DOMAINS)


@router.get(
    "/reserved-numbers",
    summary="List reserved numbers",
    response_model=None,
    responses={**disclosed_response(ReservedPage, "The whole table"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_reserved(viewer: NumbersRead, plan: Plan) -> Disclosed[ReservedPage]:
    """List digits that no number may be, begin with, or be the beginning of: emergency and public service numbers."""
    return await plan.reserved(viewer)


@router.post(
    "/reserved-numbers",
    summary="Reserve digits",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ReservedReceipt, "description": "Receipt"},
        **responses(*ONCE_PROBLEMS, DuplicateReserved, ReservedInUse),
    },
)
async def create_reserved(
    viewer: NumbersAdmin, domains: Domains, unit: Unit, body: ReservedCreate, idempotency_key: OnceKey = None
) -> Response:
    """Keep digits out of every domain. While numbers that are there run into them, the answer is 409 and names them."""
    return receipt_response(await domains.reserve(viewer, unit, idempotency_key, body), RESERVED)


@router.delete(
    "/reserved-numbers/{digits}",
    summary="Take digits off the reserved table",
    status_code=204,
    response_model=None,
    responses={
        204: {"description": "Open for ranges again"},
        **responses(*LOOK_PROBLEMS, Invalid, NotPermitted, NotFound, EmergencyStays),
    },
)
async def delete_reserved(viewer: NumbersAdmin, domains: Domains, unit: Unit, digits: ReservedPath) -> Response:
    """Open digits for ranges again; emergency numbers stay."""
    await domains.open(viewer, unit, digits)
    return Response(status_code=204)
