"""The interactive documentation, with no internet: the page's script and style come from a package, the page itself is ours.

The script that starts the page is served as a file of its own, so that the policy of the page allows no inline script.
"""

from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, Response

from app.hr.signed import SECURITY
from app.kit.errors import BodyTooLarge, NotFound, UnsupportedMediaType
from app.kit.problems import ProblemDocument, responses
from app.kit.routing import GuardedRouter, public

_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)
_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Duanhao \xe7\x9f\xad\xe5\x8f\xb7 \xc2\xb7 API</title>
<link rel="icon" href="/docs/assets/favicon.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
"""
_START: Final = (
    b'SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, docExpansion: "none", '
    b"presets: [SwaggerUIBundle.presets.apis], validatorUrl: null});"
)

router = GuardedRouter(include_in_schema=False)


@router.get("/docs")
@public("the documentation says what every client must know")
async def page() -> Response:
    """Serve the page."""
    return Response(
        _PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    )


@router.get("/docs/assets/{name}")
@public("scripts and styles of the documentation")
async def asset(name: str) -> Response:
    """Serve one file of the page; raise ``NotFound`` for any other name."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600"}
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=headers)
    if name not in _ASSETS:
        raise NotFound
    content = (files("fastapi_offline") / "static" / name).read_bytes()
    return Response(content, media_type=_ASSETS[name], headers=headers)


def install(app: FastAPI) -> None:
    """Complete the OpenAPI document of ``app``: the problem document, how to authenticate, no framework error shapes."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        shape = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(shape.pop("$defs", {}))
        schemas["ProblemDocument"] = shape
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            **SECURITY,
        }
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _complete(path, operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the hook that FastAPI documents


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    framework = answers.get("422", {}).get("content", {}).get("application/json")
    if framework is not None:
        content = answers["422"]["content"]
        del content["application/json"]
        content.setdefault("application/problem+json", {"schema": {"$ref": "#/components/schemas/ProblemDocument"}})
        answers["422"]["description"] = answers["422"].get("description") or "`invalid_request`"
    if "requestBody" in operation:
        unread = (BodyTooLarge, UnsupportedMediaType) if path.startswith("/v1") else (BodyTooLarge,)
        for status, answer in responses(*unread).items():
            answers.setdefault(str(status), answer)
    if path.startswith("/v1"):
        operation.setdefault("security", [{"bearer": []}])
