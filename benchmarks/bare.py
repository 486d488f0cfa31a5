"""The yardstick: the smallest FastAPI application with a response model, answering as a constant what the service answered.

The response model is made of typed dictionaries, the quickest that Pydantic has and the only one that leaves absent members out
without being told to; with the service's own documented model
FastAPI takes four times as long for a page, and every ratio would flatter us.
"""

import os
from pathlib import Path
from typing import Any, NotRequired

import orjson
from fastapi import FastAPI
from typing_extensions import TypedDict

BODIES: str = "DUANHAO_BENCHMARK_BODIES"
"""Environment variable: a folder with ``card.json``, ``page.json`` and ``inbox.json``, as the service answered them; what is asked for."""


class Seen(TypedDict):
    """A protected field."""

    state: str
    value: NotRequired[str]
    next: NotRequired[str]


class Department(TypedDict):
    """A department."""

    id: str
    code: str
    name: str
    path: str


class Note(TypedDict):
    """The note on a look."""

    event_id: str
    purpose: str
    policy_version: str
    obligations: list[str]
    watermark: str


class Item(TypedDict):
    """A card of a page."""

    id: str
    kind: str
    name: str | None
    name_en: str | None
    alias: str | None
    employee_no: str | None
    user_name: str | None
    worker_kind: str | None
    status: str
    department: Department | None
    title: str | None
    memberships: list[str]
    manager: str | None
    dotted_manager: str | None
    short_numbers: list[str]
    extension: str | None
    location: str | None
    duties: str | None
    work_area: str | None
    organisation: str | None
    relation: str | None
    contract_ref: str | None
    contract_until: str | None
    review_due: str | None
    tags: list[str]
    category: str | None
    away_until: str | None
    backup_contact: str | None
    office_phone: Seen
    fax: Seen
    email: Seen
    mobile: Seen
    wecom_id: Seen
    personal_mobile: Seen
    personal_email: Seen
    wechat: Seen
    qq: Seen
    plate: Seen
    home_address: Seen
    birth_date: Seen
    id_number: Seen
    private_notes: Seen
    version: str


class Card(Item):
    """A card."""

    disclosure: Note


class Page(TypedDict):
    """A page."""

    items: list[Item]
    next: str | None
    disclosure: Note


class PersonTold(TypedDict):
    """Somebody in a request."""

    id: str
    name: str | None
    title: str | None
    department: Department | None


class Waiting(TypedDict):
    """A request in a list."""

    id: str
    kind: str
    title: dict[str, str]
    state: str
    version: str
    requester: PersonTold
    beneficiary: PersonTold
    subject: dict[str, str | None]
    step: str | None
    due_at: str | None
    awaits_me: bool
    filed_at: str
    updated_at: str
    ends_at: str | None


class Inbox(TypedDict):
    """A page of requests."""

    items: list[Waiting]
    next: str | None
    waiting: int | None
    disclosure: Note


class Holder(TypedDict):
    """Who is to hold a number."""

    type: str
    id: str


class Wanted(TypedDict):
    """The body of an allocation."""

    holder: Holder
    count: int


class Given(TypedDict):
    """A number that was given out."""

    digits: str
    state: str
    assignment_id: str
    until: str | None


class Allocation(TypedDict):
    """The answer to an allocation."""

    numbers: list[Given]


ALLOCATION: Allocation = {
    "numbers": [
        {
            "digits": "7800001",
            "state": "assigned",
            "assignment_id": "019a0000-0000-7000-8000-000000000001",
            "until": None,
        }
    ]
}


def _constant(name: str) -> Any:  # noqa: ANN401 — any JSON
    found = Path(os.environ[BODIES]) / name
    return orjson.loads(found.read_bytes()) if found.exists() else None


def application() -> FastAPI:
    """Build it."""
    app = FastAPI()
    card, page, inbox = map(_constant, ("card.json", "page.json", "inbox.json"))

    @app.get("/card", response_model=Card)
    async def read() -> Any:  # noqa: ANN401 — the response model says it
        return card

    @app.get("/page", response_model=Page)
    async def read_page() -> Any:  # noqa: ANN401 — the response model says it
        return page

    @app.get("/inbox", response_model=Inbox)
    async def read_inbox() -> Any:  # noqa: ANN401 — the response model says it
        return inbox

    @app.post("/allocations", response_model=Allocation, status_code=201)
    async def allocate(body: Wanted) -> Any:  # noqa: ANN401 — the response model says it
        del body
        return ALLOCATION

    return app
