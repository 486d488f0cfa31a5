"""HTTP face of reconciliations."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.imports.access import BODY
from app.kit.dependencies import OnceKey, Unit
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.kit.uploads import read_upload
from app.reconciliations.access import (
    APPLY_PROBLEMS,
    LOOK_PROBLEMS,
    ONE_PROBLEMS,
    ROWS_PROBLEMS,
    TAKE_PROBLEMS,
    Desk,
    Named,
    ReconciliationsRead,
    ReconciliationsWrite,
)
from app.reconciliations.keeping import MOST, RECONCILIATIONS
from app.reconciliations.schemas import (
    ApplicationAsk,
    ApplicationReceipt,
    DifferencePage,
    DifferencesQuery,
    ReconciliationAsk,
    ReconciliationPage,
    ReconciliationQuery,
    ReconciliationReceipt,
    ReconciliationView,
)

router = GuardedRouter(prefix=RECONCILIATIONS, tags=["hr"])


@router.post(
    "",
    summary="Hand in a head-count",
    status_code=202,
    response_model=None,
    openapi_extra={"requestBody": BODY},
    responses={202: {"model": ReconciliationReceipt, "description": "It is queued"}, **responses(*TAKE_PROBLEMS)},
)
async def create_reconciliation(
    viewer: ReconciliationsWrite,
    desk: Desk,
    unit: Unit,
    ask: Annotated[ReconciliationAsk, Query()],
    request: Request,
    idempotency_key: OnceKey = None,
) -> Response:
    """Take in everybody whom a source employs, one part `file` of at most 64 MiB, and compare it with the directory in a job.

    Nothing changes: what comes of it is a diff. Each row says of a person what `employee.joined` would. A member, or a column, that is not
    there stays as it is, and so does an empty cell. Who is in service and in the scope and is not in the file is a leaver.
    """
    answer = await desk.keeper.take_in(viewer, unit, idempotency_key, ask, lambda: read_upload(request, "file", MOST))
    return receipt_response(answer, RECONCILIATIONS)


@router.get(
    "",
    summary="List reconciliations",
    response_model=None,
    responses={**disclosed_response(ReconciliationPage, "A page of reconciliations"), **responses(*LOOK_PROBLEMS)},
)
async def list_reconciliations(
    viewer: ReconciliationsRead, desk: Desk, query: Annotated[ReconciliationQuery, Query()]
) -> Disclosed[ReconciliationPage]:
    """List reconciliations, newest first: a source its own, people of HR and security all; those that ended 30 days ago are gone."""
    return await desk.reader.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a reconciliation",
    response_model=None,
    responses={**disclosed_response(ReconciliationView, "The reconciliation"), **responses(*ONE_PROBLEMS)},
)
async def read_reconciliation(viewer: ReconciliationsRead, desk: Desk, id: Named) -> Disclosed[ReconciliationView]:
    """Show how far a reconciliation is, how many differences of which kind there are, and whether the fuse lets it be applied."""
    return await desk.reader.one(viewer, id)


@router.get(
    "/{id}/rows",
    summary="List the differences of a reconciliation",
    response_model=None,
    responses={**disclosed_response(DifferencePage, "A page of differences"), **responses(*ROWS_PROBLEMS)},
)
async def list_reconciliation_rows(
    viewer: ReconciliationsRead, desk: Desk, id: Named, query: Annotated[DifferencesQuery, Query()]
) -> Disclosed[DifferencePage]:
    """List joiners, changes, leavers, returns and rows that cannot be read: whom each is about and which members, never their values."""
    return await desk.reader.rows(viewer, id, query)


@router.post(
    "/{id}/applications",
    summary="Apply the diff of a reconciliation",
    status_code=202,
    response_model=None,
    responses={202: {"model": ApplicationReceipt, "description": "It is queued"}, **responses(*APPLY_PROBLEMS)},
)
async def apply_reconciliation(
    viewer: ReconciliationsWrite,
    desk: Desk,
    unit: Unit,
    id: Named,
    ask: ApplicationAsk,
    idempotency_key: OnceKey = None,
) -> Response:
    """Apply exactly this diff, as personnel events of the source `reconcile:<source>`, in a job. Asked again after a stop it goes on.

    Refused for a head-count that is older than one of the source that was applied, and where more people would leave, here and within a
    day, than may without an approved request of kind `hr.mass_leaving` for this very diff.
    """
    answer = await desk.applications.begin(viewer, unit, idempotency_key, id, ask)
    return receipt_response(answer, RECONCILIATIONS)
