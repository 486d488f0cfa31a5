"""HTTP face of imports."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.imports.access import (
    BODY,
    ONE_PROBLEMS,
    PAGE_PROBLEMS,
    TAKE_PROBLEMS,
    Desk,
    ImportsRead,
    ImportsWrite,
    Named,
)
from app.imports.keeping import IMPORTS, MOST
from app.imports.schemas import (
    ImportAsk,
    ImportPage,
    ImportQuery,
    ImportReceipt,
    ImportRowPage,
    ImportRowsQuery,
    ImportView,
)
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.kit.uploads import read_upload

router = GuardedRouter(prefix=IMPORTS, tags=["numbers"])


@router.post(
    "",
    summary="Hand in a file to be imported",
    status_code=202,
    response_model=None,
    openapi_extra={"requestBody": BODY},
    responses={202: {"model": ImportReceipt, "description": "It is queued"}, **responses(*TAKE_PROBLEMS)},
)
async def create_import(
    viewer: ImportsWrite,
    desk: Desk,
    unit: Unit,
    ask: Annotated[ImportAsk, Query()],
    request: Request,
    idempotency_key: OnceKey = None,
) -> Response:
    """Take in a file, one part `file` of at most 64 MiB, and settle its rows in a job.

    By default nothing changes, and each row tells what would become of it; the same file a second time changes nothing. `number_plan`: with
    `dry_run=false` each number that is free and in a range is assigned as the file says, from now on; one that another holds, that rests,
    or that is kept back stays as it is. Only who keeps the number plan may. `contacts`: people are found by employee number, else by user
    name; who is new is made, of others what differs is changed, as far as the caller might by hand. An empty cell changes nothing,
    `<clear>` removes. Nobody leaves or comes back by a file.
    """
    answer = await desk.keeper.take_in(viewer, unit, idempotency_key, ask, lambda: read_upload(request, "file", MOST))
    return receipt_response(answer, IMPORTS)


@router.get(
    "",
    summary="List imports",
    response_model=None,
    responses={**disclosed_response(ImportPage, "A page of imports"), **responses(*PAGE_PROBLEMS)},
)
async def list_imports(
    viewer: ImportsRead, desk: Desk, query: Annotated[ImportQuery, Query()]
) -> Disclosed[ImportPage]:
    """List imports, newest first; those that ended more than 30 days ago are gone."""
    return await desk.reader.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read an import",
    response_model=None,
    responses={**disclosed_response(ImportView, "The import"), **responses(*ONE_PROBLEMS)},
)
async def read_import(viewer: ImportsRead, desk: Desk, id: Named) -> Disclosed[ImportView]:
    """Show how far an import is, how many rows had which outcome, which ranges its numbers lack, and which columns were not read."""
    return await desk.reader.one(viewer, id)


@router.get(
    "/{id}/rows",
    summary="List what became of an import's rows",
    response_model=None,
    responses={**disclosed_response(ImportRowPage, "A page of rows"), **responses(*PAGE_PROBLEMS, NotFound)},
)
async def list_import_rows(
    viewer: ImportsRead, desk: Desk, id: Named, query: Annotated[ImportRowsQuery, Query()]
) -> Disclosed[ImportRowPage]:
    """List rows that are settled, each with its line, outcome and reason: first what could not be read, then in the order of settling."""
    return await desk.reader.rows(viewer, id, query)
