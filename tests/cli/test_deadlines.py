"""``duanhao hr deadlines``: the breach report as a table in either language or as JSON, and its exit code."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from app.cli.deadlines import BROKEN, KEPT, NOT_DONE, Language, report
from app.cli.numbering import Service
from app.cli.pushing import Credentials

NOTHING_ASKED: Final[Mapping[str, str]] = {}
RD: Final = {"id": "01936b00-0000-7000-8000-000000000001", "code": "RD", "name": "研发部", "path": "研发部"}


def counted(**numbers: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("met", "late", "open", "overdue", "withdrawn"), 0)
    return {"month": "2026-11", "kind": "joiner", "department": RD, **nothing, **numbers}


def summary(*items: dict[str, Any]) -> dict[str, Any]:
    days = {"joiner": 3, "mover": 3, "leaver": 5}
    return {"from": "2026-01-01", "to": "2026-12-31", "days": days, "items": list(items), "disclosure": {}}


def told(
    answer: httpx.Response,
    language: Language = "en",
    *,
    as_json: bool = False,
    query: Mapping[str, str] = NOTHING_ASKED,
) -> int:
    def handle(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, dict(request.url.params)) == ("/v1/deadlines/summary", dict(query))
        return answer

    def connect(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, transport=httpx.MockTransport(handle))

    service = Service(url="http://x.test", credentials=Credentials(token="t"), connect=connect, sleep=lambda _: None)
    return report(service, query, language, as_json=as_json)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({}, KEPT),
        ({"met": 3, "open": 1, "withdrawn": 1}, KEPT),
        ({"met": 3, "late": 1}, BROKEN),
        ({"overdue": 2}, BROKEN),
    ],
    ids=["none", "kept", "late", "overdue"],
)
def test_the_exit_code_says_whether_one_was_broken(numbers: Mapping[str, int], code: int) -> None:
    items = [counted(**numbers)] if numbers else []
    assert told(httpx.Response(200, json=summary(*items)), query={"from": "2026-01-01", "kind": "joiner"}) == code


@pytest.mark.parametrize(("language", "words"), [("en", ("joiner", "in all")), ("zh", ("入职", "合计"))])
def test_the_table(language: Language, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    nobody = {**counted(late=1), "department": None, "kind": "joiner"}
    assert told(httpx.Response(200, json=summary(counted(met=4), nobody)), language) == BROKEN
    output = capsys.readouterr().out
    assert all(word in output for word in (*words, "RD", "2026-11"))


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(httpx.Response(200, json=summary(counted(met=4), counted(late=1))), as_json=True) == BROKEN
    found = json.loads(capsys.readouterr().out)
    assert found["totals"] == {"met": 4, "late": 1, "open": 0, "overdue": 0, "withdrawn": 0}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={"code": "not_permitted", "detail": "No", "errors": []}),
        httpx.Response(200, json={"items": []}),
        httpx.Response(200, json=[]),
        httpx.Response(200, text="hello"),
    ],
    ids=["refused", "half", "a list", "no JSON"],
)
def test_what_is_no_answer(answer: httpx.Response, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(answer) == NOT_DONE
    assert capsys.readouterr().err.startswith("duanhao: ")
