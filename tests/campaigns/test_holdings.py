"""What requests lent, numbers and service accounts in a review: gathered, hinted at, taken, and what silence means for each."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.audit.authors import Author
from app.auth.clients import NewClient
from app.auth.loans import Loan
from app.campaigns.rules import Risk
from app.effects.holdings import ClientHoldings
from app.kit.models import new_id
from app.numbers.holdings import NumberHoldings
from tests.campaigns.reviews import Reviews
from tests.campaigns.test_silence import BEGIN, SUSPENDED
from tests.numbers.calls import add_pool, allocate

pytestmark = pytest.mark.asyncio(loop_scope="session")
SYSTEM: Final = Author(type="system", id="test")


async def lend(reviews: Reviews, who: str, *, days: float | None = 200, **loan: Any) -> UUID:  # noqa: ANN401 — of a loan
    """Lend somebody a tier or roles; give the request."""
    application, now, request = reviews.application, reviews.clock.now(), new_id()
    async with application.database.unit_of_work() as unit:
        account = await application.accounts.by_contact(unit.session, reviews.world.people[who])
        assert account is not None
        until = None if days is None else now + timedelta(days=days)
        lent = Loan(request_id=request, tier=loan.get("tier"), roles=loan.get("roles", ()), starts_at=now, until=until)
        await application.loans.lend(unit.session, account.id, lent)
    return request


async def standing(reviews: Reviews, who: str) -> tuple[str, tuple[str, ...], int]:
    """Give tier and roles of somebody's account, and how many loans live."""
    application = reviews.application
    account = await application.accounts.by_contact(application.database.reader, reviews.world.people[who])
    assert account is not None
    live = await application.loans.live(application.database.reader, account, reviews.clock.now())
    return account.tier, account.roles, len(live)


async def test_a_lent_role_names_its_request_and_is_taken_with_its_loan(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    request = await lend(reviews, "staff", roles=("sales",))
    campaign = await reviews.start()
    item = await reviews.item(campaign, "role", "staff")
    assert item["detail"]["lent_by"] == [str(request)]
    assert item["reviewer"] == str(reviews.world.people["head"])
    assert {each["code"] for each in item["hints"]} >= {"temporary", "long_lived"}
    answer = await (await reviews.as_("head")).post(
        f"{campaign}/items/{item['id']}/decisions", json={"verdict": "revoke"}
    )
    assert answer.status_code == 201, answer.text
    assert await standing(reviews, "staff") == ("T1", (), 0)


async def test_of_a_loan_of_several_rights_the_others_stay(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    await lend(reviews, "staff", tier="T3", roles=("sales", "safety"))
    campaign = await reviews.start()
    sales = await reviews.item(campaign, "role", "staff", "sales")
    path = f"{campaign}/items/{sales['id']}/decisions"
    beyond = (reviews.clock.now() + timedelta(days=300)).isoformat()
    refused = await (await reviews.as_("head")).post(path, json={"verdict": "shorten", "until": beyond})
    assert (refused.status_code, refused.json()["code"]) == (422, "unfit_end")
    assert (await (await reviews.as_("head")).post(path, json={"verdict": "revoke"})).status_code == 201
    assert await standing(reviews, "staff") == ("T3", ("safety",), 1)


async def test_nobody_answers_for_what_they_were_lent_under_another_account(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    people, application = reviews.world.people, reviews.application
    async with application.database.unit_of_work() as unit:
        await application.delegations.persons.join(unit, SYSTEM, people["staff"], people["head"])
    await lend(reviews, "staff", roles=("sales",))
    item = await reviews.item(await reviews.start(), "role", "staff")
    assert item["reviewer"] not in {str(people["staff"]), str(people["head"])}


async def test_numbers_are_asked_about_and_an_ordinary_one_outlives_silence(reviews: Reviews) -> None:
    world = reviews.world
    pool = await add_pool(world)
    await allocate(world, pool, world.people["outsider"])
    await allocate(world, pool, world.people["staff"], 2)
    reviews.clock.move_to(BEGIN)
    reviews.equip(NumberHoldings(reviews.application.numbers.service))
    campaign = await reviews.start()
    items = [each for each in await reviews.items(campaign) if each["kind"] == "number"]
    risks = {(each["holder"]["id"], each["risk"]) for each in items}
    assert risks == {(str(world.people["outsider"]), Risk.LOW), (str(world.people["staff"]), Risk.HIGH)}
    assert all(each["reviewer"] != each["holder"]["id"] for each in items)
    assert {each["code"] for one in items for each in one["hints"]} == {"further_number"}
    reviews.clock.move_to(SUSPENDED)
    for _ in range(2):
        await reviews.sweep()
    after = {each["holder"]["id"]: each["state"] for each in await reviews.items(campaign) if each["kind"] == "number"}
    assert after == {str(world.people["outsider"]): "retained", str(world.people["staff"]): "suspended"}
    left = [await held(reviews, who) for who in ("outsider", "staff")]
    assert left == [1, 0]


async def held(reviews: Reviews, who: str) -> int:
    """Count the numbers that somebody holds."""
    service = NumberHoldings(reviews.application.numbers.service)
    found = await service.held(reviews.application.database.reader, reviews.clock.now())
    return sum(each.holder_id == reviews.world.people[who] for each in found)


async def test_service_accounts_are_asked_about_and_end_with_silence(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    application = reviews.application
    new = NewClient("canteen-screen", "Canteen", scopes=("contacts:read",), owner=reviews.world.people["staff"])
    async with application.database.unit_of_work() as unit:
        await application.clients.add(unit.session, new)
    reviews.equip(ClientHoldings(application.clients, application.custody.rows, application.clock))
    campaign = await reviews.start()
    item = await reviews.item(campaign, "client", "staff")
    assert (item["reference"], item["reviewer"]) == ("canteen-screen", str(reviews.world.people["head"]))
    reviews.clock.move_to(SUSPENDED)
    for _ in range(2):
        await reviews.sweep()
    client = await application.clients.by_client_id(application.database.reader, "canteen-screen")
    assert client is not None
    assert client.state == "disabled"
