"""Refusals under ``/scim`` in the shape that SCIM has for them (RFC 7644 section 3.12), whoever refused: a guard, the edge, a rule.

ASGI, around everything: a problem document that leaves for a path of SCIM leaves as an Error, with the status as text and what the standard
calls such a refusal. The code of the problem is not told; the request id in the head leads to it.
"""

from collections.abc import Mapping
from typing import Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.problems import MEDIA_TYPE

PATHS: Final = "/scim/"
_TYPE: Final = MEDIA_TYPE.encode()
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_INVALID: Final = 422
_OF_EVENT: Final = "/data"
"""Where an event has what a card has at its top."""
_STATUSES: Final[Mapping[int, int]] = {_INVALID: 400, 428: 412}
"""Statuses that SCIM does not know."""
_TYPES: Final[Mapping[str, str]] = {
    "duplicate_user_name": "uniqueness",
    "duplicate_employee_no": "uniqueness",
    "account_exists": "uniqueness",
    "external_id_taken": "uniqueness",
    "group_exists": "uniqueness",
    "not_writable": "mutability",
    "group_of_another": "mutability",
    "group_too_large": "tooMany",
    "too_many_to_search": "tooMany",
}


def error_of(problem: Mapping[str, object], status: int) -> dict[str, object]:
    """Write a problem as SCIM does; faults inside the request are named behind its sentence.

    Whether the event or the card refused a member is not told: that would tell somebody who is hidden from nobody.
    """
    code, faults = str(problem.get("code")), problem.get("errors")
    told = [str(problem.get("detail"))]
    if isinstance(faults, list):
        told += [f"{each['pointer'].removeprefix(_OF_EVENT)}: {each['detail']}" for each in faults]
    kind = _TYPES.get(code) or ("invalidValue" if status == _INVALID else None)
    return {
        "schemas": [_ERROR],
        "status": str(_STATUSES.get(status, status)),
        **({} if kind is None else {"scimType": kind}),
        "detail": " ".join(told),
    }


class ScimErrors:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but problems of SCIM."""
        if scope["type"] == "http" and scope["path"].startswith(PATHS):
            await self._app(scope, receive, _Rewritten(send).pass_on)
        else:
            await self._app(scope, receive, send)


class _Rewritten:
    """One answer, whose head is held back while it is a problem."""

    __slots__ = ("_body", "_head", "_send")

    def __init__(self, send: Send) -> None:
        self._send, self._body = send, b""
        self._head: Message | None = None

    async def pass_on(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start" and (b"content-type", _TYPE) in message["headers"]:
            self._head = message
        elif self._head is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._rewrite(self._head)

    async def _rewrite(self, head: Message) -> None:
        error = error_of(orjson.loads(self._body), head["status"])
        body = orjson.dumps(error)
        kept = [each for each in head["headers"] if each[0] not in {b"content-type", b"content-length"}]
        length = str(len(body)).encode()
        headers = [*kept, (b"content-type", b"application/scim+json"), (b"content-length", length)]
        await self._send({**head, "status": int(str(error["status"])), "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
