"""The second proof of identity: which words for it count, for how long, and the challenge where nothing but it is missing (RFC 9470).

Pure. The words are those of our own sign-in and those that issuers outside use for more than one factor (an issuer may be given others in
its settings). The challenge follows from the policy alone: it is made where the plan with a second proof would allow what the plan without
one does not, whatever is stored.
"""

from typing import Final

from app.auth.errors import FreshSignInRequired
from app.auth.subject import SECOND_PROOF

MAX_AGE_SECONDS: Final = 600
"""How long a second proof counts, from the sign-in that it was part of."""


def proves(acr: str | None, auth_time: int | None, *, now: float) -> bool:
    """Tell whether a token's ``acr`` and ``auth_time`` are a second proof that counts at ``now``, all in seconds since 1970."""
    return acr in SECOND_PROOF and auth_time is not None and 0 <= now - auth_time <= MAX_AGE_SECONDS


def challenge() -> FreshSignInRequired:
    """Make the 401 that tells a front end how its person has to sign in for this."""
    return FreshSignInRequired(acr=" ".join(SECOND_PROOF), max_age=MAX_AGE_SECONDS)
