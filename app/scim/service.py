"""The protocol, by ``scim2-server``: read the request in the standard's form, serve it with a storage of its caller, write the answer.

Two things differ from the library: a PATCH is answered with the resource (both are the standard's; some clients know one), and bodies are
brought to the standard's form before they are read. Imported when the first request comes.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from scim2_models import Context, Resource, ResourceType, ResponseParameters, SCIMException, ScimProvider
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService
from scim2_server.storage import AsyncScimStorage

from app.scim.resources import described
from app.scim.shims import standard_patch, standard_user

MakeStorage = Callable[[ScimProvider], AsyncScimStorage]


class Protocol(ScimService):
    """The library's service, with what differs here."""

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """Answer a PATCH with what the resource is now."""
        published = self.publish(base_url, resource)
        return self.resource_response(published, Context.RESOURCE_REPLACEMENT_RESPONSE, response_parameters)


class Endpoint:
    """Serves requests."""

    def __init__(self) -> None:
        """Build the models, once in a process."""
        self.provider = described()
        self._service = Protocol(self.provider)

    async def answer(self, request: ScimRequest, storage: MakeStorage) -> ScimResponse:
        """Answer one request, also one that the standard refuses; problems of ours go to whoever writes problems."""
        handler = AsyncScimHandler(self._service, storage(self.provider))
        try:
            request.body = self._standard(request)
            return await handler.handle(request)
        except SCIMException as refused:
            return self._service.error_response(refused)

    def _standard(self, request: ScimRequest) -> bytes:
        target = self._service.match(request)
        kind = None if target.endpoint is None else self._service.get_resource_type_by_endpoint(target.endpoint)
        shim = {
            Operation.create: standard_user if _is_user(kind) else None,
            Operation.replace: standard_user if _is_user(kind) else None,
            Operation.patch: standard_patch,
        }.get(target.operation)
        if shim is None or not request.body:
            return request.body
        try:
            return orjson.dumps(shim(orjson.loads(request.body)))
        except orjson.JSONDecodeError:
            return request.body


def _is_user(kind: ResourceType | None) -> bool:
    return kind is not None and kind.id == "User"


def head_of(response: ScimResponse) -> tuple[int, dict[str, str]]:
    """Give status and headers; nothing that was shown is kept by anybody in between."""
    headers = {**response.headers, "Cache-Control": "no-store", "Vary": "Authorization"}
    return HTTPStatus(response.status).value, headers
