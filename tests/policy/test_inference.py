"""Hard tests 14 to 28 as one matrix: what a value that is hidden or masked changes in any answer to somebody who may not see it. Nothing.

Every question is asked, the value is changed by somebody who may, and every question is asked again: by the old value, by the new one, by
pieces of both. Status, body, order, count, size, ETag and cursor must be the same to the byte; what differs by nature (names of requests
and events) is cut out. Each part that adds an operation which filters, sorts, counts, validates or fails adds a line to ``QUESTIONS``.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from tests.support.application import World
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

_BY_NATURE: Final = re.compile(
    r"urn:duanhao:request:[0-9a-f]+|\"(?:event_id|request_id|id)\":\"[0-9a-f-]{36}\"|\"at\":\"[^\"]+\"|\"next\":\"[^\"]+\""
    r"|X-DUANHAO-EVENT:[0-9a-f-]{36}"
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A field with two values that its masks tell alike, and what of it is typed by somebody who guesses."""

    field: str
    before: str
    after: str
    guesses: tuple[str, ...]


SECRETS: Final = (
    Secret(
        "mobile", "13700004411", "13700009922", ("13700004411", "13700009922", "4411", "9922", "137", "+8613700004411")
    ),
    Secret("wechat", "wx_before_1", "wz_after_22", ("wx_before_1", "wz_after_22", "wx_", "before")),
    Secret("personal_mobile", "13600004411", "13600009922", ("13600004411", "13600009922", "4411")),
    Secret(
        "id_number", "11010519491231002X", "110105194912310038", ("11010519491231002X", "110105194912310038", "1949")
    ),
    Secret("home_address", "北京市海淀区甲路 1 号", "上海市徐汇区乙路 2 号", ("海淀", "徐汇", "甲路")),
)

#            filters, sorts, counts …                                                     {guess} is what somebody types
QUESTIONS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("GET", "/v1/contacts?department={department}", None),
    ("GET", "/v1/contacts?department={department}&total=true&limit=1", None),
    ("GET", "/v1/contacts?department={department}&sort=-name&total=true", None),
    ("GET", "/v1/contacts?department={department}&sort=employee_no", None),
    ("GET", "/v1/contacts?q={guess}&total=true", None),
    ("GET", "/v1/contacts?q={guess}&department={department}&sort=name", None),
    ("GET", "/v1/contacts?sort={field}", None),
    ("GET", "/v1/contacts?{field}={guess}", None),
    ("GET", "/v1/contacts?tag={guess}&total=true", None),
    ("GET", "/v1/contacts?fields={field},{field},*,contact.{field}", None),
    ("GET", "/v1/contacts/{id}", None),
    ("GET", "/v1/contacts/{id}/history?limit=200", None),
    ("GET", "/v1/contacts/{id}?purpose=emergency", None),
    ("GET", "/v1/contacts?department={department}&purpose=emergency&total=true", None),
    ("POST", "/v1/emergency-sessions", {"scenario": "safety", "reason": "who has {guess}", "departments": ["{guess}"]}),
    ("POST", "/v1/emergency-eligibility", {"person": "{id}", "until": "2099-01-01T00:00:00Z"}),
    ("GET", "/v1/provisions?contract={guess}", None),
    ("GET", "/v1/provisions?contact={id}", None),
    (
        "POST",
        "/v1/request-previews",
        {
            "kind": "provide.external",
            "subject": {"type": "contract", "id": "HT-{guess}"},
            "form": {
                "recipient": {"name": "Partner {guess}", "contact": "partner@example.com", "region": "CN"},
                "purpose": "to be delivered to",
                "method": "by telephone alone",
                "until": "2027-06-01T00:00:00Z",
                "contacts": ["{id}"],
                "fields": ["{field}"],
            },
        },
    ),
    ("GET", "/v1/contacts/{id}/photo", None),
    ("GET", "/v1/contacts/{id}/card.vcf", None),
    ("GET", "/v1/vcards?q={guess}", None),
    ("GET", "/v1/vcards?department={department}&sort=name", None),
    ("GET", "/v1/contact-exports/csv?q={guess}", None),
    ("GET", "/v1/contact-exports/csv?department={department}&sort=name&labels=names", None),
    ("GET", "/v1/suggestions?q={guess}", None),
    ("GET", "/v1/tags?q={guess}", None),
    ("GET", "/v1/changes", None),
    ("GET", "/v1/changes?since=0&limit=200", None),
    ("GET", "/v1/changes?since={since}&limit=200", None),
    ("GET", "/v1/departments?department={department}", None),
    ("GET", "/v1/numbers?holder={id}", None),
    ("GET", "/v1/fields", None),
    ("GET", "/v1/contacts?unconfirmed=true&department={department}&total=true", None),
    ("GET", "/v1/campaigns", None),
    ("GET", "/v1/deadlines?department={department}", None),
    ("GET", "/v1/departures?contact={id}", None),
    ("GET", "/v1/hr/reconciliations", None),
    ("GET", "/v1/hr/events?subject={guess}", None),
    ("GET", "/v1/hr/events/{guess}", None),
    ("POST", "/v1/hr/events/{guess}/replays", {"reason": "only asking about it"}),
    ("POST", "/v1/hr/events/{guess}/skips", {"reason": "only asking about it"}),
    ("POST", "/v1/hr/events/batches", {"events": [{"subject": "{guess}", "type": "employee.left"}]}),
    ("GET", "/v1/imports", None),
    ("GET", "/v1/caller-names/{guess}", None),
    ("GET", "/scim/v2/Users/{id}", None),
    ("GET", '/scim/v2/Users?filter=userName%20eq%20"{guess}"', None),
    ("GET", "/v1/history-purges", None),
    ("GET", "/v1/history-purges/{id}", None),
    ("GET", "/v1/campaigns/{id}/items?reviewer={id}", None),
    ("POST", "/v1/campaigns/{id}/decisions", {"keep": "low_risk"}),
    (
        "POST",
        "/v1/contacts/{id}/reveals",
        {"fields": ["{field}"], "purpose": "work_contact", "reason": "only asking about it"},
    ),
    (
        "POST",
        "/v1/contacts/{id}/reveals",
        {"fields": ["{field}"], "purpose": "incident", "reason": "only asking about it", "case": "INC-20260042"},
    ),
    ("POST", "/v1/policy/explanations", {"contact": "{id}", "fields": ["{field}"]}),
    ("PATCH", "/v1/contacts/{id}", {"{field}": "{guess}"}),
    ("POST", "/v1/contacts", {"name": "新", "{field}": "{guess}"}),
    ("GET", "/v1/access-events?q={guess}", None),
    ("GET", "/v1/access-events?case={guess}", None),
    ("GET", "/v1/roles", None),
    ("GET", "/v1/roles/{guess}/holders", None),
    ("GET", "/v1/grants?scope={guess}", None),
    ("GET", "/v1/grants?holder={id}", None),
    ("DELETE", "/v1/grants/{id}", None),
)


def _filled(given: Any, values: dict[str, str]) -> Any:  # noqa: ANN401 — any JSON
    if isinstance(given, str):
        return given.format(**values)
    if isinstance(given, dict):
        return {_filled(name, values): _filled(value, values) for name, value in given.items()}
    return [_filled(each, values) for each in given] if isinstance(given, list) else given


def told(answer: httpx.Response) -> tuple[object, ...]:
    """Give everything that an answer says, but what names the request, the event and the place where a page ends."""
    headers = {
        name: answer.headers.get(name) for name in ("etag", "last-modified", "content-type", "link", "retry-after")
    }
    size = re.sub(r"\"next\":\"[^\"]+\"", "", answer.text)
    return answer.status_code, _BY_NATURE.sub("-", answer.text), len(size) // 4, headers


async def everything(
    client: httpx.AsyncClient, target: Added, department: str, secret: Secret, *, since: str
) -> dict[str, object]:
    """Ask every question with every guess."""
    answers: dict[str, object] = {}
    for method, path, body in QUESTIONS:
        guessing = "{guess}" in path or "{guess}" in str(body)
        for guess in secret.guesses if guessing else ("",):
            values = {
                "id": str(target.id),
                "department": department,
                "field": secret.field,
                "guess": guess,
                "since": since,
            }
            at = path.format(**{**values, "guess": str(httpx.QueryParams({"g": guess}))[2:]})
            answer = await client.request(method, at, json=_filled(body, values), headers={"If-Match": '"guessed"'})
            answers[f"{method} {at} {body and _filled(body, values)}"] = told(answer)
    return answers


@pytest.fixture(scope="module")
def places() -> dict[int, str]:
    """Keep the departments that were made, one per company."""
    return {}


CASES: Final = [
    *(("outsider", secret) for secret in SECRETS),
    *((caller, SECRETS[0]) for caller in ("intern", "it", "directory-sync")),
    *(pytest.param(caller, secret, marks=pytest.mark.slow) for caller in ("intern", "it") for secret in SECRETS[1:]),
]


@pytest.mark.parametrize(("caller", "secret"), CASES)
async def test_a_value_that_is_not_shown_changes_nothing(
    shared: World, places: dict[int, str], caller: str, secret: Secret
) -> None:
    if id(shared) not in places:
        places[id(shared)] = await add_department(shared)
    department = places[id(shared)]
    value: dict[str, Any] = {secret.field: secret.before}
    target = await add_person(shared, department=department, **value)
    client, keeper = await shared.as_(caller), await shared.as_("hr")
    assert secret.before not in (await client.get(target.path)).text
    since = str((await client.get("/v1/changes")).json()["latest"])
    before = await everything(client, target, department, secret, since=since)
    changed = await keeper.patch(target.path, json={secret.field: secret.after}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    after = await everything(client, target, department, secret, since=since)
    assert len(before) > len(QUESTIONS)
    for question, answer in before.items():
        assert after[question] == answer, question


@pytest.mark.parametrize("secret", [each for each in SECRETS if each.field != "mobile"], ids=lambda each: each.field)
async def test_that_there_is_no_value_changes_nothing_either(
    shared: World, places: dict[int, str], secret: Secret
) -> None:
    """Withheld is withheld, whether there is something or not. A masked field that is emptied is empty: that is shown."""
    if id(shared) not in places:
        places[id(shared)] = await add_department(shared)
    department = places[id(shared)]
    value: dict[str, Any] = {secret.field: secret.before}
    target = await add_person(shared, department=department, **value)
    client, keeper = await shared.as_("outsider"), await shared.as_("hr")
    since = str((await client.get("/v1/changes")).json()["latest"])
    before = await everything(client, target, department, secret, since=since)
    changed = await keeper.patch(target.path, json={secret.field: None}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    assert await everything(client, target, department, secret, since=since) == before


SEARCHES: Final = (
    "/v1/contacts?q={q}&total=true",
    "/v1/contacts?q={q}&total=true&limit=1",
    "/v1/contacts?q={q}&department={department}&limit=2",
    "/v1/contacts?q={q}&sort=name&total=true",
    "/v1/contacts?q={q}&sort=-employee_no&limit=1",
    "/v1/contacts?department={department}&total=true&limit=2",
    "/v1/contacts?department={department}&sort=-name",
    "/v1/suggestions?q={q}",
    "/v1/suggestions?q={q}&limit=1",
    "/v1/vcards?q={q}",
    "/v1/vcards?department={department}&sort=name",
)
"""Every question that finds people by what they are called, ranks, sorts, counts and pages them."""
TYPED: Final = (
    "宗政",
    "宗政安",
    "zongzheng",
    "zongzheng an",
    "zza",
    "zz",
    "宗zheng",
    "992",
    "96649",
    "宗政 财务",
    "財務 宗",
    "师",
)


@pytest.mark.parametrize("caller", ["outsider", "directory-sync"])
async def test_a_person_who_is_hidden_changes_neither_order_nor_count_nor_page(shared: World, caller: str) -> None:
    """Hidden people of the very names, before, between and after those who are shown: every page is to the byte what it was."""
    department = await add_department(shared)
    for name in ("宗政安", "宗政安安", "王宗政"):
        await add_person(shared, department=department, name=name, title="财务师")
    client = await shared.as_(caller)

    async def every() -> dict[str, object]:
        answers: dict[str, object] = {}
        for path in SEARCHES:
            for q in TYPED if "{q}" in path else ("",):
                at = path.format(q=str(httpx.QueryParams({"q": q}))[2:], department=department)
                answers[at] = told(await client.get(at))
        return answers

    before = await every()
    for name in ("宗政", "宗政安", "宗政丙", "宗"):
        for status in ("prehire", "left"):
            await add_person(shared, department=department, name=name, title="财务师", status=status)
    after = await every()
    for question, answer in before.items():
        assert after[question] == answer, question
