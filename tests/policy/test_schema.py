"""What the OpenAPI document says is what happens: cases drawn from it, asked of the application, answers held against it.

Schemathesis draws the cases, those that fit the document and those that do not, always the same ones; they are sent in process, from a
thread of their own to the loop that the application was opened in. Whoever asks decides what there is to see: a colleague, the personnel
department, a program that reads the log, and one that tells of personnel events.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, CheckFunction, load_all_checks
from schemathesis.core.failures import FailureGroup

from tests.approvals.delegating import gave
from tests.contacts.partners import add_partner
from tests.devices.calls import assign, register
from tests.engagements.calls import pushed
from tests.hr.calls import applied
from tests.hr.events import joined, left
from tests.numbers.calls import TestPool, add_pool, allocate, release
from tests.support.application import World
from tests.support.pictures import picture
from tests.support.problems import problem
from tests.support.shared import add_department, add_person

BASE: Final = "http://duanhao.test"
EXAMPLES: Final = 24
"""Per operation and caller, beside those that are sure to be taken."""
NAMES: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)

EVENT: Final = joined("E9001")
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /v1/contacts": {"name": "新人", "department": "RD", "mobile": "13800009999", "tags": ["a"]},
    "PATCH /v1/contacts/{id}": {"title": "Engineer", "memberships": [{"department": "IT", "leader": True}]},
    "POST /v1/contacts/{id}/reveals": {"fields": ["mobile"], "purpose": "work_contact", "reason": "call back"},
    "POST /v1/contacts/{id}/engagements": {"account": "A-1", "staff": ["E2103"]},
    "PATCH /v1/contacts/{id}/engagements/{engagement}": {"until": "2099-01-01T00:00:00Z"},
    "POST /v1/engagements/batches": {"items": [{"contact": str(UUID(int=1)), "order": "SO-1", "staff": ["E2103"]}]},
    "POST /v1/contacts/{id}/consents": {
        "fields": ["mobile"],
        "basis": "provision",
        "purpose": "work_contact",
        "proof": "paper form",
    },
    "POST /v1/contacts/{id}/consents/withdrawals": {"fields": ["mobile"], "basis": "provision", "proof": "by phone"},
    "POST /v1/privacy-notices": {
        "title_zh": "告知书",
        "title_en": "Notice",
        "text_zh": "我们为人力资源管理之目的处理您的信息。",
        "text_en": "To manage staff.",
    },
    "POST /v1/confidentiality-undertakings": {
        "title_zh": "保密承诺书",
        "title_en": "Undertaking",
        "text_zh": "本人承诺不泄露任何联系方式。",
        "text_en": "I pass nothing on.",
    },
    "POST /v1/tags": {"name": "消防安全员"},
    "POST /v1/departments": {"code": "NEW", "name": "New"},
    "PATCH /v1/departments/{id}": {"name": "Renamed"},
    "POST /v1/hr/events": EVENT,
    "POST /v1/hr/events/batches": {"events": [EVENT]},
    "POST /v1/hr/events/{id}/replays": {"reason": "人事核实"},
    "POST /v1/hr/events/{id}/skips": {"reason": "人事核实"},
    "POST /v1/number-domains": {"code": "plant", "name": "厂"},
    "PATCH /v1/number-domains/{id}": {"name": "公司", "access_codes": ["0"]},
    "POST /v1/reserved-numbers": {"digits": "87657", "name_zh": "服务", "name_en": "Service"},
    "POST /v1/number-validations": {"numbers": ["78001", "110", "x"]},
    "POST /v1/number-pools": {"code": "drawn", "name": "池", "class": "internal"},
    "PATCH /v1/number-pools/{id}": {"low_water": 3},
    "POST /v1/number-pools/{id}/ranges": {"start": "61000", "end": "61099"},
    "POST /v1/number-pools/{id}/allocations": {"holder": {"type": "department", "id": "RD"}, "count": 3},
    "POST /v1/numbers/{digits}/releases": {"reason": "moved"},
    "POST /v1/numbers/{digits}/transfers": {"to": {"type": "room", "id": "B2-301"}},
    "POST /v1/numbers/{digits}/restorations": {},
    "POST /v1/numbers/{digits}/blocks": {"reason": "harassed"},
    "POST /v1/numbers/{digits}/reservations": {"purpose": "总机"},
    "PATCH /v1/number-holds/{id}": {"minutes": 60},
    "POST /v1/devices": {"kind": "desk_phone", "vendor": "yealink", "model": "T54W"},
    "PATCH /v1/devices/{id}": {"label": "前台"},
    "POST /v1/devices/{id}/secrets": {"overlap_hours": 1},
    "POST /v1/devices/{id}/assignments": {"holder": {"type": "department", "id": "RD"}},
    "POST /v1/access-events/exports": {"format": "ndjson", "action": "contact.*"},
    "POST /v1/calendar/revisions": {"source": "行政部通知", "days": [{"date": "2026-09-11", "kind": "off"}]},
}
"""What is taken as it stands, beside what is drawn: a body drawn by chance hardly ever is."""

QUERIES: Final[dict[str, dict[str, str]]] = {
    "GET /v1/hr/events/{id}": {"source": EVENT["source"]},
    "GET /v1/calendar": {"from": "2026-02-09", "to": "2026-02-28"},
    "GET /v1/calendar/due-dates": {"from": "2026-02-13T10:00:00Z", "days": "3"},
}
"""The same, of questions that cannot be asked without."""

PHOTO: Final = "POST /v1/contacts/{id}/photo"
"""The one operation that takes no JSON."""

_CHANGES: Final = (("POST", ""), ("PATCH", "/{id}"), ("DELETE", "/{id}"))
_LOOKS: Final = {
    "GET /v1/contacts",
    "GET /v1/contacts/{id}",
    "GET /v1/contacts/{id}/history",
    "GET /v1/contacts/{id}/photo",
    "GET /v1/vcards",
    "GET /v1/contact-exports/{format}",
    "POST /v1/contacts/{id}/reveals",
    "GET /v1/contacts/{id}/engagements",
    "GET /v1/engagements",
    "GET /v1/delegations",
    "GET /v1/delegations/{id}",
    "DELETE /v1/delegations/{id}",
    "GET /v1/me",
    "GET /v1/me/viewed-by",
    "GET /v1/fields",
    "GET /v1/collection-forms",
    "GET /v1/privacy-notices",
    "GET /v1/departures",
    "GET /v1/confidentiality-undertakings",
    "GET /v1/calendar",
    "GET /v1/calendar/due-dates",
    "GET /v1/calendar/revisions",
    "GET /v1/calendar/revisions/{id}",
    "GET /v1/changes",
    "GET /v1/tags",
    "GET /v1/departments",
    "GET /v1/departments/{id}",
}
ANSWERED: Final = {
    "staff": _LOOKS,
    "hr": _LOOKS
    | {"GET /v1/contacts/{id}/card.vcf", "GET /v1/imports"}
    | {f"{method} /v1/{things}{rest}" for things in ("contacts", "departments") for method, rest in _CHANGES}
    | {"POST /v1/contacts/{id}/photo", "DELETE /v1/contacts/{id}/photo", "POST /v1/tags"}
    | {f"{method} /v1/contacts/{{id}}/engagements/{{engagement}}" for method in ("GET", "PATCH", "DELETE")}
    | {"POST /v1/contacts/{id}/engagements", "POST /v1/engagements/batches"}
    | {"POST /v1/privacy-notices", "POST /v1/calendar/revisions", "GET /v1/hr/reconciliations"}
    | {"POST /v1/confidentiality-undertakings", "GET /v1/departures/{id}"}
    | {f"{method} /v1/contacts/{{id}}/consents" for method in ("GET", "POST")}
    | {"POST /v1/contacts/{id}/consents/withdrawals", "GET /v1/privacy-notices/{id}/acknowledgements"}
    | {"GET /v1/deadlines", "GET /v1/deadlines/summary"},
    "siem": {
        "GET /v1/access-events",
        "GET /v1/access-events/{id}",
        "GET /v1/access-events/summary",
        "POST /v1/access-events/exports",
        "GET /v1/access-log/checkpoint",
    },
    "hr-system": {
        "POST /v1/hr/events",
        "POST /v1/hr/events/batches",
        "GET /v1/hr/events",
        "GET /v1/hr/events/{id}",
        "GET /v1/hr/reconciliations",
    },
    "it-scripts": {
        *(f"{method} /v1/number-{things}" for method in ("GET", "POST") for things in ("domains", "pools")),
        *(f"GET /v1/number-pools/{{id}}{part}" for part in ("", "/ranges", "/available", "/utilisation", "/forecast")),
        "GET /v1/number-domains/{id}",
        "GET /v1/imports",
        "PATCH /v1/number-domains/{id}",
        "GET /v1/reserved-numbers",
        "POST /v1/reserved-numbers",
        "POST /v1/number-validations",
        "PATCH /v1/number-pools/{id}",
        "POST /v1/number-pools/{id}/ranges",
        "POST /v1/number-pools/{id}/allocations",
        "GET /v1/numbers",
        "GET /v1/number-holds",
        "GET /v1/number-holds/{id}",
        "GET /v1/numbers/{digits}",
        "GET /v1/numbers/{digits}/history",
        "POST /v1/numbers/{digits}/releases",
        *(
            f"POST /v1/numbers/{{digits}}/{part}"
            for part in ("transfers", "restorations", "blocks", "reservations", "retirements")
        ),
        *(f"{method} /v1/devices{rest}" for method, rest in (("GET", ""), ("GET", "/{id}"), *_CHANGES)),
        *(f"POST /v1/devices/{{id}}/{part}" for part in ("secrets", "assignments", "returns", "losses")),
        "PATCH /v1/number-holds/{id}",
        "DELETE /v1/number-holds/{id}",
    },
}
"""What each caller must have got a 2xx from, or the cases prove little."""

Send = Callable[[requests.PreparedRequest], httpx.Response]


def checks() -> list[CheckFunction]:
    load_all_checks()
    found: list[Any] = CHECKS.get_by_names(list(NAMES))
    assert len(found) == len(NAMES)
    return found


def sender(client: httpx.AsyncClient, token: str, loop: asyncio.AbstractEventLoop) -> Send:
    """Give a function that sends a request from another thread as it would go over a wire, with ``token`` and not a drawn one."""

    def send(prepared: requests.PreparedRequest) -> httpx.Response:
        method, url, content = prepared.method, prepared.url, prepared.body
        assert isinstance(method, str)
        assert isinstance(url, str)
        assert content is None or isinstance(content, str | bytes)
        headers = dict(prepared.headers)
        if "/oauth/" not in url:
            headers["Authorization"] = f"Bearer {token}"
        raw = [
            (name.encode("latin-1"), value if isinstance(value, bytes) else value.encode("latin-1"))
            for name, value in headers.items()
        ]
        asked = client.request(method, url, headers=raw, content=content)
        return asyncio.run_coroutine_threadsafe(asked, loop).result(30)

    return send


async def add_photo(world: World, identity: UUID) -> None:
    """Give somebody a photo, so that there is one to be read."""
    headers = {"Content-Type": "image/png", "If-Match": "*"}
    hr = await world.as_("hr")
    given = await hr.post(f"/v1/contacts/{identity}/photo", content=picture("PNG", (8, 8)), headers=headers)
    assert given.status_code == 200, given.text


async def held(world: World, pool: TestPool, at: int) -> str:
    """Hold a number of a pool; give the id of the hold."""
    body = {"pool": pool.code, "digits": pool.digits(at), "purpose": "热线"}
    made = await (await world.as_("it-scripts")).post("/v1/number-holds", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def known(world: World) -> dict[str, list[str]]:
    """Give ids of what exists, by the first part of the path; the last of each is there to be deleted."""
    events = (await (await world.as_("siem")).get("/v1/access-events")).json()["items"]
    empty = world.departments[await add_department(world)]
    pool = await add_pool(world)
    await add_photo(world, world.people["colleague"])
    await allocate(world, pool, world.people["bare"], 2)
    for at in (10, 11):
        await allocate(world, pool, world.people["bare"], digits=pool.digits(at))
    await release(world, pool.digits(11))
    partner = await add_partner(world)
    fact = await pushed(world, partner, world.people["outsider"])
    revisions = await (await world.as_("hr")).get("/v1/calendar/revisions?limit=1")
    delegation = await gave(world, "staff", world.people["hr"])
    notice = await (await world.as_("hr")).post("/v1/privacy-notices", json=BODIES["POST /v1/privacy-notices"])
    text = BODIES["POST /v1/confidentiality-undertakings"]
    undertaking = await (await world.as_("hr")).post("/v1/confidentiality-undertakings", json=text)
    await applied(world, left(f"N{(await add_person(world)).number}"))
    departures = await (await world.as_("hr")).get("/v1/departures")
    phones = [(await register(world))["id"] for _ in range(5)]
    for each in phones[2:4]:
        await assign(world, each, "RD", "department")
    return {
        "devices": [phones[0], phones[4]],
        "devices/secrets": [phones[1]],
        "devices/assignments": [phones[1]],
        "devices/returns": [phones[2]],
        "devices/losses": [phones[3]],
        "engagements": [str(partner.id)],
        "engagement": [str(fact.id)],
        "delegations": [str(delegation)],
        "contacts": [str(world.people[name]) for name in ("bare", "colleague", "intern")],
        "departments": [str(world.departments[code]) for code in ("IT", "RD")] + [str(empty)],
        "access-events": [each["id"] for each in events[:2]],
        "hr": [EVENT["id"]],
        "calendar": [revisions.json()["items"][0]["id"]],
        "privacy-notices": [notice.json()["id"]],
        "departures": [departures.json()["items"][0]["id"]],
        "confidentiality-undertakings": [undertaking.json()["id"]],
        "number-pools": [pool.code],
        "number-domains": ["main"],
        "reserved-numbers": ["110", "119"],
        "numbers": [pool.digits(at) for at in range(4)],
        "numbers/transfers": [pool.digits(10)],
        "numbers/restorations": [pool.digits(11)],
        "numbers/blocks": [pool.digits(12)],
        "numbers/reservations": [pool.digits(13)],
        "numbers/retirements": [pool.digits(14)],
        "number-holds": [await held(world, pool, 15), await held(world, pool, 16)],
    }


def cases(operation: Any, ids: dict[str, list[str]]) -> list[tuple[st.SearchStrategy[Case[Any]], int]]:  # noqa: ANN401 — its class is no public name
    """Give what to draw of an operation, and how often: first what is sure to be taken, then what its description admits or does not."""
    member = "digits" if "{digits}" in operation.path else "id"
    there = []
    if f"{{{member}}}" in operation.path:
        first, last = operation.path.split("/")[2], operation.path.rsplit("/", 1)[-1]
        there = ids.get("engagements" if "/engagements" in operation.path else first, [])
        there = ids.get(f"{first}/{last}", there)
    further = {"engagement": ids["engagement"][0]} if "{engagement}" in operation.path else {}
    sure: dict[str, Any] = {}
    if operation.label in BODIES:
        sure["body"] = BODIES[operation.label]
    if operation.label == PHOTO:
        sure |= {"body": picture("PNG", (8, 8)), "media_type": "image/png"}
    if operation.method.upper() in {"PATCH", "DELETE"} or operation.label == PHOTO:
        sure["headers"] = {"If-Match": "*"}
    if operation.label in QUERIES:
        sure["query"] = QUERIES[operation.label]
    named = [{"path_parameters": {member: each, **further}} for each in there]
    if operation.method.upper() == "DELETE":
        named = named[:1] if operation.path.endswith("/photo") else named[-1:]
    modes = [{"generation_mode": mode} for mode in GenerationMode]
    every: list[st.SearchStrategy[Case[Any]]] = [
        operation.as_strategy(**mode, **name) for mode in modes for name in [{}, *named]
    ]
    drawn = st.one_of(*every)
    return [*((operation.as_strategy(**sure, **name), 2) for name in (named or [{}])), (drawn, EXAMPLES)]


def fault(operation: Any, drawn: st.SearchStrategy[Case[Any]], most: int, send: Send, seen: set[int]) -> str | None:  # noqa: ANN401 — as above
    """Ask what was drawn; tell the first answer that is not as the document says, or ``None``."""

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn)
    def ask(case: Case[Any]) -> None:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
        answer = send(prepared)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=checks())

    try:
        ask()
    except FailureGroup as group:
        return f"{operation.label}: {group.exceptions}\n{group}"
    return None


@pytest.mark.slow
@pytest.mark.parametrize("caller", ANSWERED)
async def test_every_answer_is_as_the_document_says(sqlite_world: World, caller: str) -> None:
    ids, token = await known(sqlite_world), await sqlite_world.token(caller)
    send = sender(await sqlite_world.as_(None), token, asyncio.get_running_loop())
    schema = schemathesis.openapi.from_dict(sqlite_world.app.openapi())
    seen: dict[str, set[int]] = {}

    def ask_all() -> list[str]:
        operations: list[Any] = [each.ok() for each in cast("Any", schema.get_all_operations())]
        found = [
            fault(each, drawn, most, send, seen.setdefault(each.label, set()))
            for each in operations
            for drawn, most in cases(each, ids)
        ]
        return [each for each in found if each is not None]

    faults = await asyncio.to_thread(ask_all)
    assert not faults, "\n\n".join(faults)
    assert ANSWERED[caller] <= {label for label, statuses in seen.items() if min(statuses) < 300}


@pytest.mark.parametrize(
    ("status", "code", "media_type", "content"),
    [
        (422, "invalid_request", "application/json", b"[" * 100_000),
        (413, "body_too_large", "application/json", b" " * 1_048_577),
        (415, "unsupported_media_type", "text/plain", b"hello"),
    ],
)
async def test_bodies_that_are_not_read_are_in_the_document(
    sqlite_world: World, status: int, code: str, media_type: str, content: bytes
) -> None:
    hr, asked = await sqlite_world.as_("hr"), 0
    for path, operations in sqlite_world.app.openapi()["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation or not path.startswith(("/v1/contacts", "/v1/departments")):
                continue
            answer = await hr.request(
                method,
                path.replace("{id}", str(sqlite_world.people["bare"])).replace("{engagement}", str(UUID(int=1))),
                content=content,
                headers={"Content-Type": media_type, "If-Match": "*"},
            )
            takes_json = "application/json" in operation["requestBody"]["content"]
            expected = (status, code) if takes_json or status == 413 else (415, "unsupported_media_type")
            problem(answer, *expected)
            assert expected[1] in operation["responses"][str(expected[0])]["description"]
            asked += 1
    assert asked == 10
