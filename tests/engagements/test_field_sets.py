"""The customer rows of the tier table (reference c.9), over HTTP, with facts that the CRM pushes and ends.

Each row says how far every class is shown. A rule that a pack lacks is named in the failure, so that the list is the work that is left.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from app.config import PolicySettings
from tests.contacts.partners import Partner, add_partner
from tests.engagements.calls import add_business, pushed
from tests.support.application import World, opened_world
from tests.support.shared import Added
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS: Final = {
    "C2": ("name", "name_en", "alias"),
    "C3": ("business_phone", "business_email"),
    "C4": ("delivery_address",),
    "C5": ("private_notes",),
}
NOTES: Final = "信用额度若干"
REASON: Final = "call back about the delivery"
REPORT: Final = "request:customer.sensitive_use"


@dataclass(frozen=True, slots=True)
class Row:
    """Whoever has ``role`` and works on ``fact``, looking for ``purpose``, is shown this much.

    ``clear``: on the card. ``reveal``: finely masked on the card and clear with a reason. ``fine``: finely masked, and a reason does not
    help. ``city``: nothing of an address but where it is. ``report``: not without reporting its use first. ``hidden``: not at all.
    """

    name: str
    role: str
    fact: str | None
    purpose: str
    expected: str
    worker_kind: str | None = None

    @property
    def by_class(self) -> dict[str, str]:
        """What is expected of each class from C2 on."""
        return dict(zip(FIELDS, self.expected.split(), strict=True))


ASSIGNED: Final = (
    Row("sales, assigned", "sales", "account", "sales_follow_up", "clear reveal reveal report"),
    Row("production, order in hand", "production", "order", "order_delivery", "fine hidden city hidden"),
    Row("service, open ticket", "customer_service", "ticket", "customer_ticket", "clear reveal reveal report"),
    Row("sales, intern, assigned", "sales", "account", "sales_follow_up", "fine hidden hidden hidden", "intern"),
)
OTHERS: Final = (
    Row("sales, not assigned", "sales", None, "sales_follow_up", "fine hidden hidden hidden"),
    Row("service, no ticket", "customer_service", None, "customer_ticket", "fine fine hidden hidden"),
    Row("production, no order", "production", None, "order_delivery", "hidden hidden hidden hidden"),
    Row("administration", "administration", None, "work_contact", "fine fine hidden hidden"),
    Row("technicians", "it", None, "work_contact", "hidden hidden hidden hidden"),
)
BY_ANOTHER_FACT: Final = (
    Row("sales, by a ticket of theirs", "sales", "ticket", "sales_follow_up", OTHERS[0].expected),
    Row("service, by an order of theirs", "customer_service", "order", "customer_ticket", OTHERS[1].expected),
    Row("production, by an account of theirs", "production", "account", "order_delivery", OTHERS[2].expected),
)
"""A fact of another business gives nothing beyond the role itself."""


def as_id(row: Row) -> str:
    """Name a row in the report."""
    return row.name


async def faults(world: World, who: str, partner: Partner, row: Row) -> list[str]:
    """List where what somebody is shown differs from the row, in words of the row."""
    client = await world.as_(who)
    answer = await client.get(partner.path, params={"purpose": row.purpose})
    assert answer.status_code == 200, answer.text
    card = answer.json()
    assert card["organisation"] == f"示例{partner.number}公司", "C1 is clear to everybody of the table"
    found = []
    for field_class, names in FIELDS.items():
        wanted = row.by_class[field_class]
        for name in names:
            revealed = await client.post(
                f"{partner.path}/reveals", json={"fields": [name], "purpose": row.purpose, "reason": REASON}
            )
            told = _told(name, card[name], cleared=revealed.status_code == 200)
            if told != wanted:
                found.append(f"{row.name}: {field_class} {name} is {told}, not {wanted}")
    found += [f"{row.name}: the street is told" for _ in range(answer.text.count("收货路"))]
    return found


def _told(name: str, view: dict[str, Any], *, cleared: bool) -> str:
    state, following = view["state"], view.get("next")
    if state == "shown":
        return "clear"
    if cleared:
        return "reveal"
    if following == REPORT:
        return "report"
    if state == "masked":
        return "city" if name == "delivery_address" and view["value"] in {"杭州市", "浙江省杭州市"} else "fine"
    return "hidden"


async def with_fact(world: World, row: Row, **given: Any) -> tuple[Added, Partner]:  # noqa: ANN401 — members of a fact
    """Add a customer with everything on the card, and somebody of the row's role who works on the row's fact."""
    more = {} if row.worker_kind is None else {"worker_kind": row.worker_kind}
    tier = "T4" if row.role == "administration" else "T1" if row.role == "it" else "T3"
    who = await add_business(world, row.role, tier=tier, **more)
    partner = await add_partner(world, private_notes=NOTES)
    if row.fact is not None:
        await pushed(world, partner, who.id, kind=row.fact, **given)
    return who, partner


@pytest.mark.parametrize("row", [*ASSIGNED, *OTHERS, *BY_ANOTHER_FACT], ids=as_id)
async def test_the_table(shared: World, row: Row) -> None:
    who, partner = await with_fact(shared, row)
    found = await faults(shared, who.name, partner, row)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("row", ASSIGNED, ids=as_id)
async def test_at_its_end_nothing_is_left_of_it(shared: World, row: Row) -> None:
    """After ``until`` the very same card says what it says to a colleague of the same role who was never assigned."""
    until = shared.application.clock.now() + timedelta(seconds=1)
    who, partner = await with_fact(shared, row, until=until)
    other = await add_business(shared, row.role, **({"worker_kind": row.worker_kind} if row.worker_kind else {}))
    await asyncio.sleep(1.1)
    cards = []
    for each in (who, other):
        card = (await (await shared.as_(each.name)).get(partner.path, params={"purpose": row.purpose})).json()
        del card["disclosure"]
        cards.append(card)
    assert cards[0] == cards[1]


@pytest.mark.parametrize("row", ASSIGNED, ids=as_id)
async def test_what_one_works_on_says_nothing_of_others(shared: World, row: Row) -> None:
    who, _ = await with_fact(shared, row)
    stranger = await add_partner(shared, private_notes=NOTES)
    bare = next(each for each in OTHERS if each.role == row.role) if row.worker_kind is None else None
    if bare is not None:
        assert await faults(shared, who.name, stranger, bare) == []
        return
    answer = await (await shared.as_(who.name)).get(stranger.path)
    assert [secret for secret in stranger.secrets if secret in answer.text] == []


async def test_assigned_staff_see_the_same_under_the_strict_pack(sqlite_store: SqliteTestStore) -> None:
    strict = sqlite_store.settings.model_copy(update={"policy": PolicySettings(profile="strict")})
    async with opened_world(strict) as world:
        found = [fault async for fault in _all_faults(world)]
    assert not found, "\n".join(found)


async def _all_faults(world: World) -> AsyncIterator[str]:
    for row in ASSIGNED:
        who, partner = await with_fact(world, row)
        answer = await (await world.as_(who.name)).get(partner.path)
        if answer.status_code != 200:
            yield f"{row.name}: {answer.status_code}"
            continue
        for each in await faults(world, who.name, partner, row):
            yield each
