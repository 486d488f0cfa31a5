"""HTTP face of what the policy tells of itself: who can see somebody, which clause is alive, how strong masks are, the notice board."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.contacts.access import LOOK_PROBLEMS, ContactsRead
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import Invalid, NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted
from app.permissions.jobs import TooManyJobs
from app.policy.access import RULES_PROBLEMS, WRITE_PROBLEMS, Desk, PolicyAsk, RulesRead
from app.policy.explanation_schemas import AccessReportView, BoardQuery, ClauseList, ReportQuery, StrengthReceipt
from app.policy.strengths import STRENGTHS

router = GuardedRouter(tags=["policy"])


@router.get(
    "/v1/contacts/{id}/access-report",
    summary="Report who can see a contact",
    response_model=None,
    responses={
        **disclosed_response(AccessReportView, "Groups of people who are shown the same by the same rules"),
        **responses(*LOOK_PROBLEMS, NotFound, NotPermitted, Invalid),
    },
)
async def report_access(
    viewer: ContactsRead, desk: Desk, id: UUID, query: Annotated[ReportQuery, Query()]
) -> Disclosed[AccessReportView]:
    """Tell the security team (T5) who can see what of a contact, and by which rules, with the rights of now."""
    return await desk.reports.of_contact(viewer, id, query.purpose)


@router.get(
    "/v1/me/access-report",
    summary="Report who can see me",
    response_model=None,
    responses={
        **disclosed_response(AccessReportView, "Groups of people who are shown the same by the same rules, unnamed"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def report_access_to_me(
    viewer: ContactsRead, desk: Desk, query: Annotated[ReportQuery, Query()]
) -> Disclosed[AccessReportView]:
    """Tell the caller who could see what of them: how many people, in which roles, by which rules."""
    return await desk.reports.of_self(viewer, query.purpose)


@router.get(
    "/v1/policy/clauses",
    summary="List clauses and their rules",
    response_model=None,
    responses={200: {"model": ClauseList, "description": "By clause"}, **responses(*RULES_PROBLEMS)},
)
async def list_clauses(viewer: RulesRead, desk: Desk) -> Response:
    """List which rules carry out each clause, which tests hold them, and when they last decided a look."""
    del viewer
    return Response(await desk.clauses(), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/v1/policy/page",
    summary="Print the rules for the notice board",
    response_model=None,
    responses={
        200: {
            "description": "A page without style or script",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        **responses(*RULES_PROBLEMS),
    },
)
async def print_rules(viewer: RulesRead, desk: Desk, query: Annotated[BoardQuery, Query()]) -> Response:
    """Write the rules in force in plain Chinese or English, each with the clauses that it rests on."""
    del viewer
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
    return Response(await desk.board(query.lang), media_type="text/html", headers=headers)


@router.post(
    "/v1/policy/mask-strengths",
    summary="Measure mask strength",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": StrengthReceipt, "description": "A job works on it"},
        **responses(*WRITE_PROBLEMS, TooManyJobs, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def measure_masks(viewer: PolicyAsk, desk: Desk, unit: Unit, idempotency_key: OnceKey = None) -> Response:
    """Count, for each field and mask, how many contacts share a masked value: a job that keeps counts and no value."""
    return receipt_response(await desk.strengths.ask(viewer, unit, idempotency_key), STRENGTHS)
