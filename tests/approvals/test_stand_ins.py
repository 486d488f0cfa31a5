"""Deciding for somebody else, from the delegation to the effect: what was pending, both names, the end of it, and nobody his own by it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.approvals.kinds import Office
from tests.support.application import OPERATOR
from tests.support.problems import problem


async def give(office: Office, who: str, to: str, *, days: float = 7, **members: object) -> str:
    """Give decisions away from now on; give where the delegation stands."""
    until = (office.clock.now() + timedelta(days=days)).isoformat()
    answer = await (await office.world.as_(who)).post(
        "/v1/delegations", json={"to": office.id(to), "until": until, **members}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def inbox(office: Office, who: str) -> list[str]:
    """List what waits for somebody."""
    answer = await (await office.world.as_(who)).get("/v1/requests", params={"inbox": "true"})
    assert answer.status_code == 200, answer.text
    return [f"/v1/requests/{each['id']}" for each in answer.json()["items"]]


async def one_person(office: Office, *names: str) -> None:
    """Say that cards are one person, as an operator does."""
    first, *others = (UUID(office.id(name)) for name in names)
    for each in others:
        async with office.world.application.database.unit_of_work() as unit:
            await office.delegations.persons.join(unit, OPERATOR, first, each)


def refused(answer: httpx.Response) -> dict[str, Any]:
    return problem(answer, 403, "separation_of_duties")


async def test_what_was_pending_is_decided_by_the_stand_in_under_both_names(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    problem(await office.say("colleague", path), 404, "not_found")
    await give(office, "head", "colleague")
    assert await inbox(office, "colleague") == [path]
    assert (await office.say("colleague", path)).json()["step"] == "hr"
    (step, _) = (await office.read("staff", path))["steps"]
    (person,) = step["people"]
    assert (person["person"]["id"], person["decided_by"]["id"]) == (office.id("head"), office.id("colleague"))
    assert (await office.say("hr", path)).json()["state"] == "active"


async def test_what_was_not_decided_is_the_principals_again(office: Office) -> None:
    first, second = await office.filed("staff", "test.two"), await office.filed("bare", "test.two")
    await give(office, "head", "colleague", days=1)
    assert (await office.say("colleague", first)).json()["step"] == "hr"
    office.clock.advance(days=1)
    assert await inbox(office, "colleague") == []
    assert (await office.say("colleague", second)).status_code in {403, 404}
    assert await inbox(office, "head") == [second]
    assert (await office.say("head", second)).json()["step"] == "hr"


async def test_who_gave_decisions_away_can_still_decide(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await give(office, "head", "colleague")
    assert (await office.say("head", path)).json()["step"] == "hr"
    problem(await office.say("colleague", path), 403, "not_asked")


async def test_only_the_kinds_that_were_given(office: Office) -> None:
    await give(office, "head", "colleague", kinds=["test.head"])
    path = await office.filed("staff", "test.two")
    assert (await office.say("colleague", path)).status_code in {403, 404}
    assert await inbox(office, "colleague") == []


async def test_41_a_stand_in_does_not_decide_what_he_asks_for_or_gains_by(office: Office) -> None:
    await give(office, "head", "colleague")
    own = await office.filed("colleague", "test.two", about="staff")
    refused(await office.say("colleague", own))
    assert (await office.say("head", own)).json()["step"] == "hr"


async def test_35_nor_what_his_other_card_asks_for(office: Office) -> None:
    await give(office, "head", "colleague")
    path = await office.filed("bare", "test.two", about="staff")
    await one_person(office, "bare", "colleague")
    refused(await office.say("colleague", path))
    assert office.effect.applied == []


async def test_35_a_second_account_is_nobody_to_be_asked(office: Office) -> None:
    await one_person(office, "staff", "hr")
    path = await office.filed("staff", "test.any", about="colleague")
    read = await office.read("staff", path)
    assert office.id("hr") not in [each["person"]["id"] for each in read["steps"][0]["people"]]
    assert (await office.say("hr", path)).status_code in {403, 404}
    assert office.effect.applied == []


async def test_54_a_stand_in_who_is_gone_decides_nothing(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await give(office, "head", "colleague")
    await office.read("colleague", path)
    async with office.world.application.database.unit_of_work() as unit:
        await office.world.application.accounts.suspend(unit.session, "colleague")
    answer = await office.say("colleague", path)
    assert answer.status_code in {401, 403}
    assert (await office.say("head", path)).json()["step"] == "hr"


async def test_two_hands(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await give(office, "head", "colleague")
    await give(office, "colleague", "bare")
    assert (await office.say("bare", path)).json()["step"] == "hr"
