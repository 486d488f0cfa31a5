"""What happened at a sign-in, as the access log keeps it: events of the person whose account it was.

Where no account is known there is no person, and the security log alone is told. An account that is bound to no contact is named by a keyed
hash of its user name.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.events import EventDraft
from app.audit.intents import add_intent
from app.auth.repository import Account
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.models import new_id

SIGNED_IN: Final = "sign_in.complete"
FAILED: Final = "sign_in.fail"
LOCKED: Final = "sign_in.lock"
PASSWORD_CHANGED: Final = "password.change"  # noqa: S105 — the name of an action
TOTP_BEGUN: Final = "totp.begin"
TOTP_ENROLLED: Final = "totp.enrol"
TOTP_REMOVED: Final = "totp.remove"
CODE_REUSED: Final = "authorization_code.reuse"
REFRESH_REUSED: Final = "refresh_token.reuse"

_log = structlog.get_logger("duanhao.security")


class Masks(Protocol):
    """What hashes a name for the log."""

    def masked(self, term: str) -> str:
        """Hash it under a key."""
        ...


class SignInEvents:
    """Puts events beside what they tell of, in its transaction."""

    def __init__(self, masks: Masks, clock: Clock) -> None:
        """Take what hashes names, and the time."""
        self._masks, self._clock = masks, clock

    async def put(
        self,
        session: AsyncSession,
        action: str,
        account: Account,
        *,
        client_id: str | None,
        refused: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Put ``action`` of ``account`` on record; ``refused`` is the code of what was refused."""
        context = current_request()
        bound = account.contact_id is not None
        query = {**(detail or {}), **({} if bound else {"subject": self._masks.masked(account.user_name)})}
        draft = EventDraft(
            id=new_id(),
            at=self._clock.now(),
            actor_type="person",
            actor_id=str(account.contact_id) if bound else None,
            tier=account.tier,
            client_id=client_id,
            action=action,
            decision="allowed" if refused is None else "refused",
            code=refused,
            query=query or None,
            address=context.address if context else None,
            request_id=context.request_id if context else None,
        )
        await add_intent(session, draft)

    def report(self, event: str, **members: str | int | None) -> None:
        """Tell the security log, with where it came from."""
        context = current_request()
        _log.warning(
            event,
            address=context.address if context else None,
            request_id=context.request_id if context else None,
            **members,
        )
