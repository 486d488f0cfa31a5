"""Lists and searches in which names are plain for some and sealed for others: every page in its place, nobody found by a sealed name."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.contacts.forms import Forms
from app.contacts.forms import load as load_forms
from app.contacts.founding import ContactFounder, NewContact
from app.contacts.members import MemberReader
from app.kit.models import new_id
from app.kit.straight import Writes
from tests.contacts.partners import add_partner, members, next_number
from tests.support.application import OPERATOR, World
from tests.support.shared import Company, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

LABELS: Final = st.text(alphabet="abc", min_size=1, max_size=3)
PEOPLE: Final = st.lists(st.tuples(st.booleans(), LABELS, LABELS), max_size=9)

Listed = tuple[str, UUID]


async def founded(world: World, people: Sequence[tuple[bool, str, str]]) -> tuple[str, list[Listed]]:
    """Found a department of employees and externals; give what each stands under, and its id."""
    code = await add_department(world)
    listed, new = list[Listed](), list[NewContact]()
    for external, name, organisation in people:
        identity = new_id()
        given: dict[str, Any] = {"name": name, "department": code}
        if external:
            given["organisation"] = organisation
        listed.append((organisation if external else name, identity))
        new.append(NewContact(identity, "external" if external else "employee", given))
    application = world.application
    founder = ContactFounder(
        repository=application.contact_rows,
        members=MemberReader(application.contact_rows, region="CN", forms=Forms(load_forms())),
        sealer=application.sealer,
        accounts=application.accounts,
        tagger=application.lookups.tagger,
        clock=application.clock,
    )
    async with application.database.unit_of_work() as unit:
        await founder.create(unit, OPERATOR, await application.standings.tree(), new)
    return code, listed


async def pages(world: World, who: str, **query: Any) -> list[str]:  # noqa: ANN401 — parameters of a query
    """Read all pages; give the ids in order."""
    client, found, cursor = await world.as_(who), list[str](), None
    while True:
        answer = await client.get("/v1/contacts", params={**query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += [each["id"] for each in body["items"]]
        cursor = body["next"]
        if cursor is None:
            return found
        assert len(body["items"]) == query["limit"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=PEOPLE,
    limit=st.integers(1, 5),
    sort=st.sampled_from(["name", "-name"]),
    who=st.sampled_from(["staff", "hr", "infosec"]),
)
async def test_every_page_is_a_piece_of_the_whole_in_order(
    shared: World, people: list[tuple[bool, str, str]], limit: int, sort: str, who: str
) -> None:
    """Externals stand under their organisation, whoever asks and whether or not they are shown the name; ties by id."""
    code, listed = await founded(shared, people)
    expected = [str(identity) for _, identity in sorted(listed, reverse=sort == "-name")]
    assert await pages(shared, who, department=code, sort=sort, limit=limit) == expected
    asked = [str(identity) for _, identity in listed]
    if asked:
        assert await pages(shared, who, ids=",".join(asked), limit=limit) == asked
        numbers = await pages(shared, who, department=code, sort="employee_no", limit=limit)
        assert numbers == sorted(asked)


async def test_nobody_is_found_by_a_sealed_name(shared: World) -> None:
    partner = await add_partner(shared, title=f"采购负责人{next_number()}")
    name, name_en, alias, *values = partner.secrets
    for who in ("hr", "outsider", "staff", "infosec"):
        for words in (name, name[:-1] + str(partner.number), f"wairen{partner.number}", name_en, alias, *values):
            found = await pages(shared, who, q=words, limit=200)
            assert str(partner.id) not in found, (who, words)
            answer = await (await shared.as_(who)).get("/v1/suggestions", params={"q": words})
            assert str(partner.id) not in answer.text


async def test_they_are_found_by_organisation_title_and_department(shared: World) -> None:
    number = next_number()
    code = await add_department(shared)
    partner = await add_partner(shared, organisation=f"云帆{number}贸易", title=f"买办{number}", department=code)
    for who in ("hr", "outsider", "staff", "infosec"):
        for words in (f"云帆{number}", f"{number}贸易", f"买办{number}", f"{code} 云帆"):
            assert await pages(shared, who, q=words, limit=20) == [str(partner.id)], (who, words)
    (item,) = (await (await shared.as_("staff")).get("/v1/suggestions", params={"q": f"云帆{number}"})).json()["items"]
    assert (item["kind"], item["name"], item["organisation"]) == ("external", None, f"云帆{number}贸易")
    hr = await shared.as_("hr")
    seen = await hr.get(partner.path)
    changed = await hr.patch(
        partner.path, json={"organisation": f"北斗{number}"}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert await pages(shared, "staff", q=f"云帆{number}", limit=20) == []
    assert await pages(shared, "staff", q=f"北斗{number}", limit=20) == [str(partner.id)]


async def test_hits_of_one_rank_stand_in_order_of_name_or_organisation(shared: World) -> None:
    number = next_number()
    code = await add_department(shared)
    title = f"经理{number}"
    first = await add_partner(shared, organisation="aa", title=title, department=code)
    person = await add_person(shared, name="bb", title=title, department=code)
    last = await add_partner(shared, organisation="cc", title=title, department=code)
    expected = [str(each.id) for each in (first, person, last)]
    for limit in (1, 2, 3):
        assert await pages(shared, "staff", q=title, limit=limit) == expected


async def test_a_number_given_to_a_partner_does_not_lose_its_place(shared: World) -> None:
    """Numbers are carried to the card by statements of their own: the MAC holds, and the key knows the organisation."""
    partner = await add_partner(shared)
    application, digits = shared.application, f"8{partner.number}"
    carrier = application.contact_writer.cards
    async with application.database.unit_of_work() as unit:
        card = await carrier.locked(unit.session, partner.id, among={"active"})
        writes = Writes()
        assert carrier.put(writes, OPERATOR, card, {"short_numbers": [digits]})
        await writes.run(unit.session)
    answer = await (await shared.as_("outsider")).get(partner.path)
    assert (answer.json()["short_numbers"], answer.json()["name"]["value"]) == ([digits], partner.name)
    assert await pages(shared, "staff", q=digits, limit=5) == [str(partner.id)]


async def test_lists_by_name_read_the_index_that_stands_in_their_order(company: Company) -> None:
    if company.store.dialect != "sqlite":
        pytest.skip("PostgreSQL chooses by size")
    async with company.world.application.database.session() as session:
        rows = await session.execute(
            text("EXPLAIN QUERY PLAN SELECT id FROM contact ORDER BY coalesce(name, organisation, ''), id LIMIT 9")
        )
        plan = " ".join(str(row[-1]) for row in rows)
    assert "ix_contact_label_id" in plan
    assert "B-TREE" not in plan


async def test_members_of_the_helper_are_what_a_caller_would_write(shared: World) -> None:
    answer = await (await shared.as_("hr")).post("/v1/contacts", json={"kind": "external", **members(next_number())})
    assert answer.status_code == 201, answer.text
