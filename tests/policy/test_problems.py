"""Every refusal has one shape, whoever made it: our rules, validation, or the framework; in the caller's language, with the caller's id."""

import re
from typing import Final

import pytest

import app.main  # noqa: F401 — loads every domain, and with it every problem
from app.kit.errors import Problem
from app.kit.problems import every_problem
from tests.support.application import World
from tests.support.problems import faults, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

FRAMEWORK: Final = [
    ("GET", "/v2/contacts", 404, "not_found"),
    ("GET", "/v1/contacts/", 404, "not_found"),
    ("GET", "/v1", 404, "not_found"),
    ("GET", "/v1/contacts/%2e%2e/%2e%2e/etc/passwd", 404, "not_found"),
    ("GET", "/docs/assets/secrets.yaml", 404, "not_found"),
    ("PUT", "/v1/contacts", 405, "method_not_allowed"),
    ("DELETE", "/v1/contacts", 405, "method_not_allowed"),
    ("OPTIONS", "/v1/contacts", 405, "method_not_allowed"),
    ("HEAD", "/v1/contacts", 405, "method_not_allowed"),
    ("TRACE", "/v1/contacts", 405, "method_not_allowed"),
    ("POST", "/v1/access-events", 405, "method_not_allowed"),
    ("GET", "/v1/contacts/not-an-id", 422, "invalid_request"),
    ("GET", "/v1/contacts?limit=many", 422, "invalid_request"),
    ("POST", "/v1/contacts", 422, "invalid_request"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), FRAMEWORK)
async def test_what_the_framework_refuses_has_our_shape(
    shared: World, method: str, path: str, status: int, code: str
) -> None:
    answer = await (await shared.as_("hr")).request(method, path)
    if method == "HEAD":
        assert answer.status_code == status
        return
    problem(answer, status, code)
    if status == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh;q=0.6", "zh"),
        ("zh;q=0.1, en", "en"),
        ("fr, de", "en"),
        ("", "en"),
        ("zh;q=much", "en"),
        ("ZH-Hant", "zh"),
    ],
)
async def test_details_speak_the_callers_language(shared: World, header: str, language: str) -> None:
    answer = await (await shared.as_("hr")).post(
        "/v1/contacts", json={"name": "甲", "mobile": "1"}, headers={"Accept-Language": header}
    )
    document = problem(answer, 422, "invalid_request")
    assert answer.headers["Content-Language"] == language
    chinese = re.compile("[\u4e00-\u9fff]")
    told = [document["title"], document["detail"], document["errors"][0]["detail"]]
    assert [bool(chinese.search(text)) for text in told] == [language == "zh"] * 3


async def test_every_problem_has_a_code_of_its_own_and_words_in_both_languages() -> None:
    codes: dict[str, type[Problem]] = {}
    for kind in every_problem():
        assert re.fullmatch(r"[a-z][a-z0-9_]{2,40}", kind.code), kind
        assert 400 <= kind.status <= 599, kind
        assert kind.title
        assert re.search("[\u4e00-\u9fff]", kind.title_zh), kind
        known = codes.setdefault(kind.code, kind)
        assert issubclass(kind, known), f"{kind} and {known} share {kind.code}"


@pytest.mark.parametrize("query", ["verbose=1", "fields=mobile", "access_token=x", "limit=5&limit=6&x"])
async def test_unknown_query_parameters_are_refused_on_every_operation(shared: World, query: str) -> None:
    hr, identity = await shared.as_("hr"), shared.people["bare"]
    before = (await hr.get(f"/v1/contacts/{identity}")).headers["ETag"]
    body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "long enough"}
    for method, path, content in (
        ("POST", f"/v1/contacts?{query}", {"name": "x"}),
        ("PATCH", f"/v1/contacts/{identity}?{query}", {"title": "x"}),
        ("DELETE", f"/v1/contacts/{identity}?{query}", None),
        ("POST", f"/v1/contacts/{identity}/reveals?{query}", body),
        ("POST", f"/v1/contacts/{identity}/photo?{query}", None),
        ("DELETE", f"/v1/contacts/{identity}/photo?{query}", None),
        ("GET", f"/v1/fields?{query}", None),
        ("POST", f"/v1/tags?{query}", {"name": "x"}),
        ("DELETE", f"/v1/tags/x?{query}", None),
    ):
        answer = await hr.request(method, path, json=content, headers={"If-Match": "*"})
        problem(answer, 422, "invalid_request")
        assert {code for _, code in faults(answer)} == {"unknown_member"}
    assert (await hr.get(f"/v1/contacts/{identity}")).headers["ETag"] == before
