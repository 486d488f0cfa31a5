"""The door: one ``Authorization: Bearer`` header in, a subject out.

A token is taken from that header only, never from a query or a form. What is refused here has no known caller, so it
goes to the security log and not to the access log; the token itself goes to neither.
"""

from collections.abc import Collection, Iterable
from typing import Final

import structlog
from starlette.requests import Request

from app.auth.errors import TokenRejected, TokenRequired, insufficient_scope
from app.auth.reasons import Reason
from app.auth.subject import Bearer, Person
from app.auth.verifier import TokenVerifier
from app.kit.context import current_request
from app.kit.limits import Limiter, RateLimited

_SCHEME: Final = b"bearer "
_log = structlog.get_logger("duanhao.security")


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Give the token of a request's raw headers (names in lower case).

    Raises ``TokenRequired`` when none was sent or another scheme was used, ``TokenRejected`` when the header is there
    twice.
    """
    found = None
    for name, value in headers:
        if name == b"authorization":
            if found is not None:
                raise TokenRejected(Reason.AUTHORIZATION_HEADER)
            found = value
    if found is None or found[:7].lower() != _SCHEME:
        raise TokenRequired
    return found[7:].decode("latin-1")


class Authenticator:
    """Turns a request into its caller."""

    def __init__(
        self, verifier: TokenVerifier, *, people: Limiter | None = None, clients: Limiter | None = None
    ) -> None:
        """Take the verifier of this process, and how often a person or a service account may call it."""
        self._verifier = verifier
        self._people, self._clients = people, clients

    async def subject(self, request: Request) -> Bearer:
        """Give the person or service account that calls, and count the call as theirs, whatever token they used.

        Raises ``TokenRequired``, ``TokenRejected``, ``TokenExpired`` (401), ``RateLimited`` (429), ``IssuerUnavailable`` or
        ``Unavailable`` (503).
        """
        try:
            subject = await self._verifier.verify(bearer(request.scope["headers"]))
        except TokenRejected as rejected:
            self._report("token_refused", rejected.reason.value)
            raise
        except TokenRequired:
            self._report("token_missing", None)
            raise
        self.count(subject)
        return subject

    def count(self, subject: Bearer) -> None:
        """Count a call as that of a person or a service account, however they showed who they are. Raises ``RateLimited``."""
        limiter = self._people if isinstance(subject, Person) else self._clients
        if limiter is not None:
            self._count(limiter, subject)

    @staticmethod
    def _count(limiter: Limiter, subject: Bearer) -> None:
        account = subject.user_name if isinstance(subject, Person) else subject.client_id
        wait = limiter.wait(account)
        if not wait:
            return
        if limiter.is_news(account):
            context = current_request()
            _log.warning(
                "account_throttled",
                account=account,
                client_id=subject.client_id,
                address=None if context is None else context.address,
                request_id=None if context is None else context.request_id,
            )
        raise RateLimited(wait)

    def _report(self, event: str, reason: str | None) -> None:
        context = current_request()
        _log.warning(
            event,
            reason=reason,
            address=None if context is None else context.address,
            request_id=None if context is None else context.request_id,
        )


def require(subject: Bearer, scopes: Collection[str]) -> None:
    """Demand every one of ``scopes`` of the caller's token; raise ``InsufficientScope`` that names them."""
    if not subject.scopes.issuperset(scopes):
        raise insufficient_scope(scopes)


def require_any(subject: Bearer, scopes: Collection[str]) -> None:
    """Demand one of ``scopes`` of the caller's token; raise ``InsufficientScope`` that names them."""
    if subject.scopes.isdisjoint(scopes):
        raise insufficient_scope(scopes)
