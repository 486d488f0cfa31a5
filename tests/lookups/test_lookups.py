"""A lookup as its caller meets it: whose value it is for who may know, the same nothing for everybody else, and all of it on record."""

import asyncio
import re
from typing import Any, Final

import pytest
from sqlalchemy import delete, insert, select, text, update

from app.audit.events import EventDraft
from app.contacts.models import SearchTag
from app.crypto.datakey import WrappedDataKey
from app.crypto.stored import stored_key
from app.kit.straight import Writes
from tests.contacts.partners import add_partner
from tests.lookups.asking import REASON, ask, found, lookups
from tests.support.application import OPERATOR, World
from tests.support.company import PEOPLE
from tests.support.problems import quoted
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

_REQUEST: Final = re.compile(r"urn:duanhao:request:[0-9a-f]+|\"event_id\":\"[0-9a-f-]+\"")


async def asker(world: World, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    """Add somebody with a day's quota of their own."""
    return await add_person(world, **members)


async def last(world: World, of: Added) -> EventDraft:
    return (await lookups(world, str(of.id)))[0]


async def test_each_term_has_its_result_and_each_match_is_a_c1_card(shared: World) -> None:
    me, code = await asker(shared), await add_department(shared)
    them = await add_person(shared, department=code)
    answer = await ask(
        shared,
        me.name,
        numbers=["13899990000", them.mobile],
        emails=[f"someone{them.number}@EXAMPLE.com"],
        employee_nos=[f"N{them.number}", "nobody"],
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert [each["query_index"] for each in body["results"]] == [0, 1, 2, 3, 4]
    assert [None if each["match"] is None else each["match"]["id"] for each in body["results"]] == [
        None,
        str(them.id),
        str(them.id),
        str(them.id),
        None,
    ]
    card = body["results"][1]["match"]
    assert (card["name"], card["kind"], card["department"]["code"]) == (f"新人{them.number}", "employee", code)
    assert not set(card) & {"mobile", "email", "wechat", "personal_mobile", "version"}
    assert not any(secret in answer.text for secret in them.secrets)
    assert body["disclosure"]["purpose"] == "work_contact"


async def test_short_numbers_and_extensions_are_found(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    application = shared.application
    digits = f"6{them.number}"
    async with application.database.unit_of_work() as unit:
        cards = application.contact_writer.cards
        card = await cards.locked(unit.session, them.id, among={"active"})
        writes = Writes()
        cards.put(writes, OPERATOR, card, {"short_numbers": [digits], "extension": f"8{them.number}"})
        await writes.run(unit.session)
    assert await found(shared, me.name, numbers=[digits, f"8{them.number}", digits[:4]]) == [
        str(them.id),
        str(them.id),
        None,
    ]


#                        of:  colleague outsider ceo   core  intern
MATRIX: Final[dict[str, tuple[bool, ...]]] = {
    "staff": (True, True, False, True, True),
    "outsider": (True, True, False, True, True),
    "head": (True, True, False, True, True),
    "hr": (True, True, False, True, True),
    "infosec": (True, True, False, True, True),
    "ceo": (True, True, True, True, True),
    "intern": (False, False, False, False, True),
    "it": (False, False, False, False, False),
}


@pytest.mark.parametrize("viewer", MATRIX)
async def test_who_is_found_by_a_mobile(shared: World, viewer: str) -> None:
    people = ("colleague", "outsider", "ceo", "core", "intern")
    answered = await found(shared, viewer, numbers=[PEOPLE[name].mobile for name in people])
    assert dict(zip(people, (each is not None for each in answered), strict=True)) == dict(
        zip(people, MATRIX[viewer], strict=True)
    )


async def test_the_end_of_a_number_tells_of_ones_own_department_alone(shared: World) -> None:
    mine, other = await add_department(shared), await add_department(shared)
    me = await asker(shared, department=mine)
    colleague, stranger = await add_person(shared, department=mine), await add_person(shared, department=other)
    ends = [
        {"digits": colleague.mobile[-4:], "department": mine},
        {"digits": stranger.mobile[-4:], "department": other},
    ]
    assert await found(shared, me.name, last4=ends) == [str(colleague.id), None]


async def test_a_partners_name_is_found_by_the_owners_department_alone(shared: World) -> None:
    code = await add_department(shared)
    owner, stranger = await asker(shared, department=code), await asker(shared)
    partner = await add_partner(shared, department=code)
    answer = await ask(shared, owner.name, names=[partner.name])
    assert answer.json()["results"][0]["match"]["id"] == str(partner.id)
    assert partner.name not in answer.text
    assert await found(shared, stranger.name, names=[partner.name]) == [None]


async def test_hidden_and_absent_are_one_answer(shared: World) -> None:
    me, secret = await asker(shared), await add_person(shared, status="prehire")
    pairs: list[tuple[str, str, str]] = [
        ("numbers", secret.mobile, "13899990000"),
        ("emails", f"someone{secret.number}@example.com", "nobody@example.com"),
        ("employee_nos", f"N{secret.number}", "NOBODY"),
    ]
    for member, hidden, absent in pairs:
        answers = [await ask(shared, me.name, **{member: [each]}) for each in (hidden, absent)]
        texts = [(each.status_code, _REQUEST.sub("-", each.text)) for each in answers]
        assert texts[0] == texts[1]
        told = [{n: v for n, v in each.headers.items() if n not in {"x-request-id", "date"}} for each in answers]
        assert told[0] == told[1]


async def test_several_who_share_a_number_are_one_result_each(shared: World) -> None:
    me = await asker(shared)
    sharing = [await add_person(shared, mobile="13700009905") for _ in range(3)]
    answer = (await ask(shared, me.name, numbers=["13899990000", "13700009905"])).json()["results"]
    assert [each["query_index"] for each in answer] == [0, 1, 1, 1]
    assert [each["match"]["id"] for each in answer[1:]] == [str(each.id) for each in sharing]
    assert all("truncated" not in each for each in answer)
    for _ in range(3):
        await add_person(shared, mobile="13700009905")
    crowded = (await ask(shared, me.name, numbers=["13700009905"])).json()["results"]
    assert len(crowded) == 5
    assert all(each["truncated"] for each in crowded)


# ------------------------------------------------------------------------------------------------------------- the record


async def test_the_record_says_who_was_found_by_what_and_no_term(shared: World) -> None:
    me, them, code = await asker(shared), await add_person(shared), await add_department(shared)
    near = await add_person(shared, department=code)
    boss = await asker(shared, department=code)
    await ask(shared, me.name, numbers=[them.mobile, "13899990000"], emails=[f"someone{them.number}@example.com"])
    event = await last(shared, me)
    assert (event.action, event.decision, event.purpose, event.count) == (
        "contact.lookup",
        "allowed",
        "work_contact",
        1,
    )
    assert [(dict(each.states), each.contacts) for each in event.cohorts] == [
        ({"mobile": "shown"}, (them.id,)),
        ({"email": "shown"}, (them.id,)),
    ]
    masked = shared.application.terms.masked
    assert event.query == {
        "numbers": [masked(f"+86{them.mobile}"), masked("+8613899990000")],
        "emails": [masked(f"someone{them.number}@example.com")],
    }
    await ask(shared, boss.name, last4=[{"digits": near.mobile[-4:], "department": code}])
    assert [dict(each.states) for each in (await last(shared, boss)).cohorts] == [{"mobile": "masked"}]
    await ask(shared, me.name, employee_nos=[f"N{them.number}"])
    assert [(dict(each.states), each.contacts) for each in (await last(shared, me)).cohorts] == [({}, (them.id,))]


async def test_a_lookup_that_finds_nobody_is_on_record_and_names_nobody(shared: World) -> None:
    me, secret = await asker(shared), await add_person(shared, status="prehire")
    await ask(shared, me.name, numbers=[secret.mobile])
    event = await last(shared, me)
    assert (event.cohorts, event.count) == ((), 0)


async def test_the_reason_is_sealed_under_the_callers_key(shared: World) -> None:
    me = await asker(shared)
    await ask(shared, me.name, numbers=["13899990000"])
    event, application = await last(shared, me), shared.application
    assert event.reason is not None
    assert REASON.encode() not in event.reason
    async with application.database.session() as session:
        key: WrappedDataKey = await stored_key(session, me.id)
    assert event.reason[3:11] == key.handle


async def test_nothing_is_opened_for_a_lookup(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    before = shared.application.opener.opened
    assert await found(shared, me.name, numbers=[them.mobile, "13899990000"]) == [str(them.id), None]
    assert shared.application.opener.opened == before


async def test_who_was_found_sees_it(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    await ask(shared, me.name, numbers=[them.mobile])
    seen = (await (await shared.as_(them.name)).get("/v1/me/viewed-by")).json()["items"]
    assert [(each["action"], each["fields"]) for each in seen] == [("contact.lookup", {"mobile": "shown"})]


# ------------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {""}),
        ({"numbers": []}, {""}),
        ({"numbers": ["call me", "13800000001"], "emails": ["x"]}, {"/numbers/0", "/emails/0"}),
        ({"numbers": ["13800000001"] * 60, "emails": ["a@example.com"] * 41}, {""}),
        ({"numbers": ["1380000000" + str(at % 10) for at in range(101)]}, {"/numbers"}),
        ({"wechats": ["wx_1"]}, {"/wechats/0"}),
        ({"last4": [{"digits": "001", "department": "RD"}]}, {"/last4/0/digits"}),
        ({"last4": [{"digits": "0001", "department": "NOWHERE"}]}, {"/last4/0/department"}),
        ({"last4": [{"digits": "0001"}]}, {"/last4/0/department"}),
        ({"numbers": ["13800000001"], "reason": "x"}, {"/reason"}),
        ({"numbers": ["13800000001"], "reason": None}, {"/reason"}),
        ({"numbers": ["13800000001"], "purpose": "curiosity"}, {"/purpose"}),
        ({"numbers": ["13800000001"], "limit": 3}, {"/limit"}),
        ({"numbers": [""]}, {"/numbers/0"}),
    ],
)
async def test_what_cannot_be_read_is_refused_and_charges_nothing(
    shared: World, body: dict[str, Any], pointers: set[str]
) -> None:
    me = await asker(shared)
    answer = await ask(shared, me.name, **body)
    assert answer.status_code == 422, answer.text
    assert {each["pointer"] for each in answer.json()["errors"]} == pointers
    assert quoted(answer) == []
    assert (await ask(shared, me.name, numbers=["13899990000"] * 20)).status_code == 200


@pytest.mark.parametrize("missing", ["purpose", "reason"])
async def test_purpose_and_reason_must_be_given(shared: World, missing: str) -> None:
    body = {"numbers": ["13899990000"], "purpose": "work_contact", "reason": REASON}
    del body[missing]
    answer = await (await shared.as_("colleague")).post("/v1/lookups", json=body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{missing}"]


# ------------------------------------------------------------------------------------------------------------- quotas


async def test_twenty_terms_a_day_and_a_repeated_term_counts(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    assert await found(shared, me.name, numbers=[them.mobile] * 3) == [str(them.id)] * 3
    assert await found(shared, me.name, numbers=["13899990000"] * 17) == [None] * 17
    answer = await ask(shared, me.name, numbers=[them.mobile])
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_spent")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert str(them.id) not in answer.text
    refused = (await lookups(shared, str(me.id)))[0]
    assert (refused.decision, refused.code, refused.cohorts) == ("refused", "quota_spent", ())


async def test_more_than_is_left_charges_nothing(shared: World) -> None:
    me = await asker(shared)
    assert (await ask(shared, me.name, numbers=["13899990000"] * 15)).status_code == 200
    assert (await ask(shared, me.name, numbers=["13899990000"] * 6)).status_code == 429
    assert (await ask(shared, me.name, numbers=["13899990000"] * 5)).status_code == 200


async def test_parallel_tokens_share_one_quota(shared: World) -> None:
    me = await asker(shared)
    body = {"numbers": ["13899990000"], "purpose": "work_contact", "reason": REASON}
    client = await shared.as_(None)
    tokens = [await shared.token(me.name) for _ in range(4)]
    answers = await asyncio.gather(
        *(
            client.post("/v1/lookups", json=body, headers={"Authorization": f"Bearer {tokens[at % 4]}"})
            for at in range(40)
        )
    )
    assert sorted(each.status_code for each in answers) == [200] * 20 + [429] * 20


# ------------------------------------------------------------------------------------------------------------- tampering


async def test_a_tag_moved_to_somebody_else_finds_nobody(shared: World) -> None:
    me, them, other = await asker(shared), await add_person(shared), await add_person(shared)
    async with shared.application.database.session() as session, session.begin():
        await session.execute(delete(SearchTag).where(SearchTag.contact_id == other.id))
        await session.execute(update(SearchTag).where(SearchTag.contact_id == them.id).values(contact_id=other.id))
    assert await found(shared, me.name, numbers=[them.mobile]) == [None]


async def test_a_tag_that_outlived_its_value_finds_nobody(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    database = shared.application.database
    columns = [column.key for column in SearchTag.__table__.columns]
    async with database.session() as session:
        rows = (await session.execute(select(SearchTag).where(SearchTag.contact_id == them.id))).scalars().all()
        kept = [{name: getattr(row, name) for name in columns} for row in rows]
    changed = await (await shared.as_("hr")).patch(them.path, json={"mobile": "13700009906"}, headers={"If-Match": "*"})
    assert changed.status_code == 200
    async with database.session() as session, session.begin():
        await session.execute(delete(SearchTag).where(SearchTag.contact_id == them.id))
        await session.execute(insert(SearchTag), kept)
    assert await found(shared, me.name, numbers=[them.mobile, "13700009906"]) == [None, None]


async def test_a_row_that_was_edited_is_not_found(shared: World) -> None:
    me, them = await asker(shared), await add_person(shared)
    on_sqlite = shared.application.database.dialect == "sqlite"
    async with shared.application.database.session() as session, session.begin():
        await session.execute(
            text("UPDATE contact SET secrecy = 'core' WHERE id = :id"), {"id": them.id.bytes if on_sqlite else them.id}
        )
    assert await found(shared, me.name, numbers=[them.mobile], employee_nos=[f"N{them.number}"]) == [None, None]
