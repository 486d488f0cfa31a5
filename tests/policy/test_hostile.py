"""A hostile colleague: what somebody learns of whom they may not know, operation by operation. The answer must be nothing.

Hidden and absent are asked for in turn; the answers are equal but for what names the request. Time is compared as a distribution, of
processor time and against the noise of absent with absent, so that a slow machine changes nothing.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.kit.models import new_id
from tests.numbers.calls import add_pool
from tests.policy.test_whole_app import MATRIX
from tests.support.application import World
from tests.support.problems import media_type
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON: Final = (datetime.now(UTC) + timedelta(days=30)).isoformat()
GUARDED: Final = [each for each in MATRIX if each[3][0] == 401]
PROVIDE: Final = {
    "kind": "provide.external",
    "subject": {"type": "contract", "id": "HT-1"},
    "form": {
        "recipient": {"name": "Partner", "contact": "partner@example.com", "region": "CN"},
        "purpose": "to be delivered to",
        "method": "by telephone alone",
        "until": SOON,
        "contacts": ["{id}"],
        "fields": ["mobile"],
    },
}
OF_A_CONTACT: Final[list[tuple[str, str, object]]] = [
    ("GET", "/v1/contacts/{id}", None),
    ("GET", "/v1/contacts/{id}/history", None),
    ("GET", "/v1/contacts/{id}/photo", None),
    ("GET", "/v1/contacts/{id}/card.vcf", None),
    (
        "POST",
        "/v1/contacts/{id}/reveals",
        {"fields": ["email"], "purpose": "work_contact", "reason": "a reason that is long enough"},
    ),
    ("GET", "/v1/contacts/{id}/consents", None),
    ("POST", "/v1/contacts/{id}/consents", {"fields": ["mobile"], "basis": "provision", "purpose": "work_contact"}),
    ("POST", "/v1/contacts/{id}/consents/withdrawals", {"fields": ["mobile"], "basis": "provision"}),
    ("GET", "/v1/contacts?ids={id}", None),
    ("GET", "/v1/contacts?ids={id}&total=true", None),
    ("GET", "/v1/numbers?holder={id}", None),
    ("GET", "/v1/devices?holder={id}", None),
    ("GET", "/v1/contacts/{id}/engagements", None),
    ("POST", "/v1/contacts/{id}/engagements", {"account": "A-1", "staff": ["E2101"]}),
    ("POST", "/v1/emergency-eligibility", {"person": "{id}", "until": "2099-01-01T00:00:00Z"}),
    ("PATCH", "/v1/contacts/{id}", {"title": "x"}),
    ("DELETE", "/v1/contacts/{id}", None),
    ("POST", "/v1/policy/explanations", {"contact": "{id}"}),
    ("GET", "/v1/contacts/{id}/access-report", None),
    ("GET", "/v1/provisions?contact={id}", None),
    ("GET", "/v1/provisions?responsible={id}", None),
    ("POST", "/v1/requests", PROVIDE),
    ("POST", "/v1/request-previews", PROVIDE),
    ("GET", "/v1/delegations?person={id}", None),
    ("GET", "/v1/departures?contact={id}", None),
    ("POST", "/v1/delegations", {"to": "{id}", "until": SOON}),
    ("POST", "/v1/delegations", {"to": "{id}", "on_behalf_of": "{id}", "until": SOON}),
]
_REQUEST: Final = re.compile(r"urn:duanhao:request:[0-9a-f]+|\"event_id\":\"[0-9a-f-]+\"")
_ROUNDS: Final = 150


async def leaver(shared: World) -> httpx.AsyncClient:
    """Give a client whose token was good until its person left."""
    someone = await add_person(shared)
    client = await shared.as_(someone.name)
    assert (await client.get("/v1/me")).status_code == 200
    gone = await (await shared.as_("hr")).delete(someone.path, headers={"If-Match": "*"})
    assert gone.status_code == 204
    return client


@pytest.mark.parametrize(
    ("method", "path", "body"), [each[:3] for each in GUARDED], ids=[f"{each[0]} {each[1]}" for each in GUARDED]
)
async def test_a_leavers_live_token_opens_nothing(shared: World, method: str, path: str, body: object) -> None:
    client, at = await leaver(shared), path.format(core=shared.people["core"], nobody=new_id())
    answer = await client.request(method, at, json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, media_type(path))


def told(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Give everything that an answer says but the names of request and event."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    return answer.status_code, _REQUEST.sub("-", answer.text), headers


def about(body: Any, identity: UUID) -> Any:  # noqa: ANN401 — any JSON
    """Put an id where a body names one."""
    if isinstance(body, dict):
        return {name: about(value, identity) for name, value in body.items()}
    if isinstance(body, list):
        return [about(each, identity) for each in body]
    return str(identity) if body == "{id}" else body


@pytest.mark.parametrize(
    ("method", "path", "body"), OF_A_CONTACT, ids=[f"{each[0]} {each[1]}" for each in OF_A_CONTACT]
)
@pytest.mark.parametrize("caller", ["staff", "head", "intern", "infosec", "it-scripts", "crm"])
async def test_hidden_and_absent_are_one_answer(
    shared: World, caller: str, method: str, path: str, body: object
) -> None:
    secret = await add_person(shared, status="prehire")
    client = await shared.as_(caller)
    absent, hidden = [
        told(await client.request(method, path.format(id=each), json=about(body, each), headers={"If-Match": "*"}))
        for each in (new_id(), secret.id)
    ]
    assert absent == hidden


@pytest.mark.parametrize(
    ("method", "path", "body"), OF_A_CONTACT[:11], ids=[f"{each[0]} {each[1]}" for each in OF_A_CONTACT[:11]]
)
@pytest.mark.slow
async def test_hidden_and_absent_take_the_same_time(
    shared: World,
    method: str,
    path: str,
    body: Any,  # noqa: ANN401 — any JSON
) -> None:
    secret, client = await add_person(shared, status="prehire"), await shared.as_("staff")
    asked = {"hidden": secret.id, "absent": new_id(), "absent too": new_id()}
    used: dict[str, list[float]] = {kind: [] for kind in asked}
    for round_ in range(_ROUNDS):
        order = sorted(used, key=lambda kind: hash((kind, round_)))
        for kind in order:
            at = path.format(id=asked[kind])
            began = time.process_time()
            await client.request(method, at, json=body)
            used[kind].append(time.process_time() - began)
    quick = {kind: median(sorted(each)[: _ROUNDS // 2]) for kind, each in used.items()}
    noise = abs(quick["absent"] - quick["absent too"])
    baseline = (quick["absent"] + quick["absent too"]) / 2
    assert abs(quick["hidden"] - baseline) <= 3 * noise + 0.15 * baseline, quick


async def test_a_hidden_holders_number_and_a_free_one_tell_nobody_who_has_it(shared: World) -> None:
    pool, secret = await add_pool(shared), await add_person(shared, status="prehire")
    staff = await shared.as_("staff")
    for path in ("/v1/numbers?holder={id}", "/v1/numbers?holder={id}&state=assigned"):
        hidden, absent = [told(await staff.get(path.format(id=each))) for each in (secret.id, new_id())]
        assert hidden == absent
    assert str(secret.id) not in (await staff.get("/v1/numbers", params={"pool": pool.code})).text
