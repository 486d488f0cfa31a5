"""The protocol, by ``scim2-server``: read the request in the standard's form, serve it with a storage of its caller, write the answer.

Four things differ from the library: a PATCH is answered with the resource (both are the standard's; some clients know one), a page holds
what is returned on request alone when it is asked for, members of a group are compared as sets, and bodies are brought to the standard's
form before they are read. Imported when
the first request comes.
"""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import orjson
from pydantic_core import from_json
from scim2_models import (
    Context,
    PatchOp,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimProvider,
    SearchRequest,
)
from scim2_server.conditions import Conditions
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService
from scim2_server.storage import SearchPage

from app.scim.bounds import refuse_long_bulk, refuse_long_patch, refuse_long_search
from app.scim.bulk import Handler, RecordRefusal
from app.scim.membership import patched
from app.scim.resources import Group, described
from app.scim.shims import standard_bulk, standard_patch, standard_user
from app.scim.storage import Storage

_READ: Final = frozenset(
    {Operation.create, Operation.replace, Operation.patch, Operation.bulk, Operation.search_with_body}
)
"""What has a body that is looked into before the library reads it."""
_LARGEST: Final = 2**53
"""Largest number that every reader of JSON reads exactly."""
MakeStorage = Callable[[ScimProvider], Storage]


class Protocol(ScimService):
    """The library's service, with what differs here."""

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """Answer a PATCH with what the resource is now."""
        published = self.publish(base_url, resource)
        return self.resource_response(published, Context.RESOURCE_REPLACEMENT_RESPONSE, response_parameters)

    def apply_patch(
        self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any] | None:
        """Apply a PATCH; to a group without comparing each member with each."""
        if not isinstance(current, Group):
            return super().apply_patch(current, patch_op, conditions)
        self.check_preconditions(current, "PATCH", conditions)
        return current if patched(current, patch_op) else None

    def search_response(
        self,
        base_url: str,
        resource_types: list[ResourceType],
        page: SearchPage,
        search_request: SearchRequest[Any],
    ) -> ScimResponse:
        """Answer a search; the library writes the page a second time, and forgets by then which attributes were asked for."""
        found = [
            self.publish(base_url, each).model_dump(
                scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search_request
            )
            for each in page.resources
        ]
        answer = super().search_response(base_url, resource_types, replace(page, resources=[]), search_request)
        told = {"startIndex": min(search_request.start_index or 1, _LARGEST), "itemsPerPage": len(found)}
        return replace(answer, body={**(answer.body or {}), **told, "Resources": found})


class Endpoint:
    """Serves requests."""

    def __init__(self, most_bytes: int) -> None:
        """Build the models, once in a process; ``most_bytes`` is what the service takes as a body."""
        self.provider = described(most_bytes)
        self._service = Protocol(self.provider)

    async def answer(self, request: ScimRequest, storage: MakeStorage, record: RecordRefusal) -> ScimResponse:
        """Answer one request, also one that the standard refuses; problems of ours go to whoever writes problems.

        But within a bulk request, where what was refused is told beside what was done; ``record`` puts it on record.
        """
        handler = Handler(self._service, storage(self.provider), record)
        try:
            request.body = self._standard(request)
            return await handler.handle(request)
        except SCIMException as refused:
            return self._service.error_response(refused)

    def _standard(self, request: ScimRequest) -> bytes:
        """Give the body in the standard's form; what is no JSON, or nests too deep, is left to the protocol to refuse."""
        refuse_long_search(request.query)
        target = self._service.match(request)
        kind = None if target.endpoint is None else self._service.get_resource_type_by_endpoint(target.endpoint)
        if target.operation not in _READ or not request.body:
            return request.body
        try:
            body = from_json(request.body, allow_inf_nan=False)
        except ValueError:
            return request.body
        match target.operation:
            case Operation.search_with_body:
                refuse_long_search(body)
                return request.body
            case Operation.patch:
                refuse_long_patch(body)
                body = standard_patch(body)
            case Operation.bulk:
                refuse_long_bulk(body)
                body = standard_bulk(body)
            case _:
                body = standard_user(body) if _is_user(kind) else body
        try:
            return orjson.dumps(body)
        except orjson.JSONEncodeError:
            return request.body


def _is_user(kind: ResourceType | None) -> bool:
    return kind is not None and kind.id == "User"


def head_of(response: ScimResponse) -> tuple[int, dict[str, str]]:
    """Give status and headers; nothing that was shown is kept by anybody in between."""
    headers = {**response.headers, "Cache-Control": "no-store", "Vary": "Authorization"}
    return HTTPStatus(response.status).value, headers
