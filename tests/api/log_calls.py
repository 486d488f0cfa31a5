"""Asking the access log over HTTP, and putting events of a test's own on record."""

from typing import Any, Final
from uuid import UUID

import httpx

from app.audit.events import CohortEntry, EventDraft
from app.disclosure.log_views import EventPage, EventSummary
from app.kit.models import new_id
from tests.support.application import World
from tests.support.company import SECRETS

EVENTS: Final = "/v1/access-events"


async def ask(world: World, name: str = "infosec", /, **query: object) -> dict[str, Any]:
    """Search the log; fails unless the answer is 200, fits its declared shape and holds nothing protected."""
    answer = await (await world.as_(name)).get(EVENTS, params=written(query))
    assert answer.status_code == 200, answer.text
    EventPage.model_validate_json(answer.content)
    assert [secret for secret in SECRETS if secret in answer.text] == []
    found: dict[str, Any] = answer.json()
    return found


async def every(world: World, name: str = "infosec", /, **query: object) -> list[dict[str, Any]]:
    """Page to the end; give all events."""
    found: list[dict[str, Any]] = []
    page = await ask(world, name, **query)
    while True:
        found += page["items"]
        if page["next"] is None:
            return found
        page = await ask(world, name, **query, cursor=page["next"])


async def summary(world: World, name: str = "infosec", /, **query: object) -> dict[str, Any]:
    """Ask for a summary; fails likewise."""
    answer = await (await world.as_(name)).get(f"{EVENTS}/summary", params=written(query))
    assert answer.status_code == 200, answer.text
    EventSummary.model_validate_json(answer.content)
    assert [secret for secret in SECRETS if secret in answer.text] == []
    found: dict[str, Any] = answer.json()
    return found


async def export(world: World, name: str = "infosec", /, **body: object) -> httpx.Response:
    """Ask for an export."""
    return await (await world.as_(name)).post(f"{EVENTS}/exports", json=written(body))


async def log(world: World, *contacts: UUID, **members: Any) -> EventDraft:  # noqa: ANN401 — members of a draft
    """Put an event of the test's own on record: by default a job's look at these contacts."""
    draft = made(world, *contacts, **members)
    await world.application.log.record(draft)
    return draft


def made(world: World, *contacts: UUID, **members: Any) -> EventDraft:  # noqa: ANN401 — as above
    """Draft an event of the test's own."""
    cohorts = (CohortEntry({"mobile": "masked"}, contacts),) if contacts else ()
    given: dict[str, Any] = {
        "id": new_id(),
        "at": world.application.clock.now(),
        "actor_type": "system",
        "actor_id": "job:test",
        "action": "test.made",
        "decision": "allowed",
        "cohorts": cohorts,
        **members,
    }
    return EventDraft(**given)


def written(query: dict[str, object]) -> dict[str, str]:
    """Write what is asked as text; ``from`` may be written ``from_``."""
    return {name.rstrip("_"): str(value) for name, value in query.items()}
