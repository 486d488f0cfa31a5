"""HTTP face of what the plan says of itself and of exchanges."""

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.switching.access import LOOK_PROBLEMS, Checks, PlanChecked
from app.switching.check_schemas import CheckCreate, CheckView

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
