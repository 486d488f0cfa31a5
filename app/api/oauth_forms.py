"""How ``/oauth`` is asked and refuses: forms in, the error shape of RFC 6749 out; and how OpenAPI describes both."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from pydantic import Field

from app.auth.oauth import MAX_FORM_BYTES
from app.auth.token_door import Asked
from app.kit.context import current_request
from app.kit.schemas import Output


class OAuthError(Output):
    """A refusal (RFC 6749 section 5.2)."""

    error: str = Field(examples=["invalid_client"])
    error_description: str = Field(examples=["The client is unknown or its secret is wrong"])


async def asked(request: Request) -> Asked:
    """Read a request's form, not further than a form may be long, and who sends it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            break
    context = current_request()
    return Asked(
        body=bytes(body),
        content_type=request.headers.get("content-type", ""),
        authorization=request.headers.getlist("authorization"),
        address=context.address if context is not None else request.client and request.client.host,
    )


def form(properties: Mapping[str, Any], *, required: Sequence[str], example: Mapping[str, str]) -> dict[str, Any]:
    """Describe a form for OpenAPI."""
    schema = {"type": "object", "required": list(required), "properties": dict(properties)}
    described = {"schema": schema, "examples": {"post": {"value": dict(example)}}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": described}}}
