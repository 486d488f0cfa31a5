"""The guard of personnel events: a service account with its token or, instead, a source with its signature.

Either way it gives the same viewer. Whoever sends neither, or both, is told the same as everywhere, and a body is read only once the
headers of a signature are whole and its time is now; what is wrong with a signature, the security log alone is told.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol

import structlog
from fastapi import Request

from app.auth.subject import Bearer, Caller
from app.hr import signatures
from app.hr.source_errors import SignatureRefused
from app.hr.sources import Sources
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Database
from app.kit.errors import Problem
from app.permissions.guard import Admits, WriteGuard

SECURITY: Final[Mapping[str, Any]] = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks: `webhook-id`, `webhook-timestamp` (seconds, within five minutes) and `webhook-signature`"
        " (`v1,` signatures of the raw body, one per secret, with a space between) of a source that an operator has registered.",
    }
}
_log = structlog.get_logger("duanhao.security")


class _Desk(Protocol):
    sources: Sources


class _Counts(Protocol):
    def count(self, subject: Bearer) -> None:
        """Count a call, or refuse it."""
        ...


class _Admits(Admits, Protocol):
    hr: _Desk
    clock: Clock
    database: Database
    authenticator: Any


class IntakeGuard(WriteGuard):
    """Lets in a token or a signature."""

    problems: ClassVar[tuple[type[Problem], ...]] = (SignatureRefused,)
    schemes: ClassVar[tuple[str, ...]] = tuple(SECURITY)

    async def subject(self, request: Request, application: Admits) -> Caller:
        """Give who sends; raise 401 ``signature_refused`` beside what every guard raises."""
        headers = request.scope["headers"]
        if not signatures.is_signed(headers):
            return await super().subject(request, application)
        return await _signed(request, application)  # type: ignore[arg-type]  # the application has all that is asked of it


async def _signed(request: Request, application: _Admits) -> Caller:
    headers = request.scope["headers"]
    try:
        attempt = signatures.read(headers, application.clock.now())
        sender = await application.hr.sources.signer(application.database.reader, attempt, await request.body())
    except SignatureRefused as refused:
        context = current_request()
        _log.warning(
            "signature_refused",
            reason=refused.reason,
            address=None if context is None else context.address,
            request_id=None if context is None else context.request_id,
        )
        raise
    counts: _Counts = application.authenticator
    counts.count(sender)
    return sender
