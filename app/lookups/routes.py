"""HTTP face of lookups."""

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.lookups.access import LOOKUP_PROBLEMS, ContactsLookup, Lookups
from app.lookups.schemas import LookupAnswer, LookupRequest

router = GuardedRouter(prefix="/v1/lookups", tags=["lookups"])


@router.post(
    "",
    summary="Look up whose numbers, addresses or employee numbers these are",
    response_model=None,
    responses={**disclosed_response(LookupAnswer, "One result per term"), **responses(*LOOKUP_PROBLEMS)},
)
async def look_up(viewer: ContactsLookup, lookups: Lookups, body: LookupRequest) -> Disclosed[LookupAnswer]:
    """Tell whose exact values these are, for a purpose and a reason, as C1 cards.

    Nobody, and somebody of whom policy tells the caller nothing, are one answer. Every term counts against the caller's quota of the day;
    429 `quota_spent` says in `Retry-After` when the next day begins. No `Idempotency-Key`: a repetition is a new look.
    """
    return await lookups.look_up(viewer, body)
