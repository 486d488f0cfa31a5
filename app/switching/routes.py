"""HTTP face of what the plan says of itself and of exchanges."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfNoneMatch
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.switching.access import (
    DRIFT,
    DUMP,
    DUMP_PROBLEMS,
    EXPORT,
    EXPORT_PROBLEMS,
    LOOK_PROBLEMS,
    Checks,
    Drifts,
    Exports,
    Format,
    PlanChecked,
    PlanExported,
)
from app.switching.check_schemas import CheckCreate, CheckView
from app.switching.export_schemas import ExportQuery
from app.switching.reconcile_schemas import ReconciliationQuery
from app.switching.reconciling import DriftStream

router = GuardedRouter(prefix="/v1", tags=["number plan"])


@router.post(
    "/number-checks",
    summary="Check the number plan",
    response_model=None,
    responses={**disclosed_response(CheckView, "What was looked at and what was found"), **responses(*LOOK_PROBLEMS)},
)
async def check_numbers(viewer: PlanChecked, checks: Checks, body: CheckCreate) -> Disclosed[CheckView]:
    """Check everything that is always true of numbers, their holders, cards and calling privileges; nothing is changed.

    All rows as of one moment, a page at a time: a plan of a million numbers takes a minute. Of each rule that something broke the
    findings are counted, and the first told.
    """
    return await checks.check(viewer, body)


@router.post(
    "/number-reconciliations",
    summary="Compare the plan with an exchange",
    response_model=None,
    response_class=DriftStream,
    openapi_extra={"requestBody": DUMP},
    responses={**DRIFT, **responses(*DUMP_PROBLEMS)},
)
async def reconcile_numbers(
    viewer: PlanChecked, drifts: Drifts, request: Request, query: Annotated[ReconciliationQuery, Query()]
) -> DriftStream:
    """Tell where an exchange and the directory differ, both ways; nothing is changed.

    The body is the dump as the exchange wrote it, of at most 64 MiB. Told is what is missing on either side, another name, another holder,
    other calling privileges, and numbers that rest, are blocked or retired here and live there. Each page of 200 lines is a
    `number.reconcile` in the log before it leaves.
    """
    return await drifts.compare(viewer, query, await request.body())


@router.get(
    "/number-exports/{format}",
    summary="Export the plan for an exchange",
    response_model=None,
    responses={**EXPORT, **responses(*EXPORT_PROBLEMS)},
)
async def export_numbers(
    viewer: PlanExported,
    exports: Exports,
    format: Format,
    query: Annotated[ExportQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Write the numbers that somebody holds as a file that an exchange includes, in the order of digits; no secret of a line is in it.

    `asterisk` is a `pjsip.conf` of endpoints, `freeswitch` directory XML, `csv` a sheet; `privileges-csv` and `privileges-ndjson` tell what
    lines may do beyond the house, with ends and without names. Holders are named as far as policy lets the caller export them. Each window
    of 200 numbers is a `number.export` in the log before it leaves; with `If-None-Match` what is unchanged is not sent again.
    """
    return await exports.export(viewer, format, query, known=if_none_match)
