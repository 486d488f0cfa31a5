"""One assertion for every refusal: the document of RFC 9457, its headers, and that it quotes nothing protected."""

from typing import Any, Final

import httpx

from app.kit.problems import MEDIA_TYPE
from tests.support.company import SECRETS

MEMBERS: Final = ("type", "title", "status", "detail", "instance", "code", "errors")
"""Members of every document, in their order; some problems add their own after them."""


def media_type(path: str) -> str:
    """Give the media type of refusals at a path: SCIM has a shape of its own."""
    return "application/scim+json" if path.startswith("/scim/") else MEDIA_TYPE


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Give the document of a refusal; fail unless it is ``code`` with ``status`` in the one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = answer.json()
    assert tuple(document)[: len(MEMBERS)] == MEMBERS
    assert (document["status"], document["code"]) == (status, code), document
    assert document["type"] == f"urn:duanhao:problem:{code}"
    assert document["instance"] == f"urn:duanhao:request:{answer.headers['X-Request-ID']}"
    assert document["title"]
    assert document["detail"]
    for fault in document["errors"]:
        assert tuple(fault) == ("pointer", "code", "detail")
        assert fault["detail"]
    assert quoted(answer) == []
    return document


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """Give pointer and code of every fault that a refusal names."""
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


def quoted(answer: httpx.Response) -> list[str]:
    """Name the protected values of the company that an answer holds, body and headers."""
    told = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return [secret for secret in SECRETS if secret in told]
