"""Bulk (RFC 7644 section 3.7): operations one after the other, each as a request of its own would be.

Each has the rights of its moment, its own unit of work, its own looks, and its refusal is on record. What one did stays when a later one
fails; what failed is told beside it. Who would end too many people ends none (``ending``). Imported with the library.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
import structlog
from scim2_models import BulkOperation, Error, Resource, ResourceType, SCIMException
from scim2_server.bulk import BulkPlan, BulkStep
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from app.kit.context import RequestContext, current_request
from app.kit.errors import Problem
from app.kit.problems import is_refusal, render
from app.scim.answers import error_of
from app.scim.ending import ended
from app.scim.storage import Storage

ACTION = "scim.bulk"
RecordRefusal = Callable[[RequestContext, Problem], Awaitable[None]]

_log = structlog.get_logger("duanhao.http")


class Handler(AsyncScimHandler):
    """The library's handler, with operations that are refused as requests are."""

    def __init__(self, service: ScimService, storage: Storage, record: RecordRefusal) -> None:
        """Take the protocol, the storage of one caller, and what puts refusals on record."""
        super().__init__(service, storage)
        self._own, self._record = storage, record
        self._is_foreseen = False

    async def bulk(self, request: ScimRequest) -> ScimResponse:
        """Run a bulk request, on record itself: where nothing could be done nobody was looked at either."""
        answer = await super().bulk(request)
        await self._own.note_bulk(len((answer.body or {}).get("Operations", ())))
        return answer

    async def handle(self, request: ScimRequest) -> ScimResponse:
        """Serve a request."""
        self._own.is_conditional = _is_condition(request.header("If-Match"))
        return await super().handle(request)

    async def run_bulk_step(
        self, request: ScimRequest, plan: BulkPlan, step: BulkStep
    ) -> tuple[dict[str, Any], Resource[Any] | None]:
        """Run a step; ahead of the first count whom all of them end."""
        if not self._is_foreseen:
            named = {self._ended(each) for each in plan.operations}
            await self._own.foresee({each for each in named if each is not None})
            self._is_foreseen = True
        return await super().run_bulk_step(request, plan, step)

    def _ended(self, operation: BulkOperation[Resource[Any]]) -> UUID | None:
        try:
            kind = self.service.route_bulk_operation(operation)
        except SCIMException:
            return None
        return ended(operation) if kind is not None and kind.id == "User" else None

    async def apply_bulk_operation(
        self, resource_type: ResourceType, operation: BulkOperation[Resource[Any]]
    ) -> Resource[Any] | None:
        """Do one operation; raise what the library tells of it."""
        context = current_request()
        if context is not None:
            context.sought, context.action = None, ACTION
        try:
            await self._own.renew()
            self._own.is_conditional = _is_condition(operation.version)
            self._own.refuse_ended(self._ended(operation))
            return await super().apply_bulk_operation(resource_type, operation)
        except SCIMException:
            raise
        except Problem as problem:
            raise await self._told(problem, context) from problem
        except Exception as error:
            _log.error("request_failed", code="internal", error=type(error).__name__)
            raise

    async def _told(self, problem: Problem, context: RequestContext | None) -> SCIMException:
        """Give a problem as the library tells it, put on record where it refuses; who cannot be recorded is told that."""
        shown = problem
        if context is not None and is_refusal(problem):
            try:
                await self._record(context, problem)
            except Problem as unrecorded:
                shown = unrecorded
        document = orjson.loads(bytes(render(shown, context).body))
        return SCIMException.from_error(Error.model_validate(error_of(document, shown.status)))


def _is_condition(version: str | None) -> bool:
    return (version or "").strip() not in {"", "*"}
