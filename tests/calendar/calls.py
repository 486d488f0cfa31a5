"""Calls that tests of the calendar make, as a caller."""

from typing import Any, Final

import httpx

from tests.support.application import World

NOTICE: Final[dict[str, Any]] = {
    "source": "国务院办公厅关于2027年部分节假日安排的通知",
    "year": {
        "year": 2027,
        "off_days": [
            {"from": "2027-01-01", "to": "2027-01-03", "name_zh": "元旦", "name_en": "New Year's Day"},
            {"from": "2027-02-05", "to": "2027-02-11", "name_zh": "春节", "name_en": "Spring Festival"},
            {"from": "2027-04-05", "name_zh": "清明节"},
            {"from": "2027-05-01", "to": "2027-05-05"},
            {"from": "2027-10-01", "to": "2027-10-07"},
        ],
        "working_days": ["2027-01-30", "2027-02-20"],
    },
}
"""Invented: the notice for 2027 is not out."""


async def post(world: World, name: str, body: object, **headers: str) -> httpx.Response:
    return await (await world.as_(name)).post("/v1/calendar/revisions", json=body, headers=headers)


async def revise(world: World, name: str, body: object) -> dict[str, Any]:
    """Revise, and give the receipt; fails unless it is one."""
    answer = await post(world, name, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def day(world: World, text: str, reader: str = "staff") -> dict[str, Any]:
    """Ask about one day."""
    answer = await (await world.as_(reader)).get("/v1/calendar", params={"from": text, "to": text})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["days"]
    assert isinstance(found, dict)
    return found


async def due(world: World, begins: str, days: int, reader: str = "staff") -> dict[str, Any]:
    """Ask when something is due."""
    query = {"from": begins, "days": str(days)}
    answer = await (await world.as_(reader)).get("/v1/calendar/due-dates", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def epoch(world: World) -> int:
    """Read the number of the last revision."""
    return await world.application.calendar.calendars.epoch(world.application.database.reader)


async def actions(world: World) -> list[dict[str, Any]]:
    """List the events about the calendar, oldest first."""
    await world.settle()
    query = {"action": "calendar.*", "sort": "at", "limit": "200"}
    answer = await (await world.as_("infosec")).get("/v1/access-events", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found
