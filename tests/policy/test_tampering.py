"""Who can write the database past the service gains nothing: the row is not believed, nothing of it is shown, and security is told.

Every edit is made as the superuser of PostgreSQL or in the file of SQLite, each time on a person of the test's own.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from app.auth import epochs
from app.auth.clients import NewClient
from app.config import PolicySettings
from app.kit.models import new_id, to_microseconds
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from app.permissions.repository import NewGrant
from tests.hr.events import left
from tests.policy.tampering import Intruder
from tests.support.application import World, opened_world
from tests.support.problems import problem
from tests.support.shared import Added, Company, add_department, add_person
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALERTS: Final = {"seal_broken", "row_mac_mismatch", "row_not_disclosed"}
REASON: Final = "no reason that would help"


@pytest.fixture
def intruder(company: Company) -> Intruder:
    """Give somebody with the database in hand."""
    return Intruder(company.store)


def restarted(world: World) -> None:
    """Drop what the process remembers of callers, as a restart does."""
    world.application.standings.forget()
    world.application.verifier.forget()


async def nothing_is_told(world: World, someone: Added, *readers: str) -> None:
    """Fail unless ``readers`` get nothing of ``someone`` by any road, and security is told each time."""
    for reader in readers:
        client = await world.as_(reader)
        with capture_logs() as logged:
            problem(await client.get(someone.path), 404, "not_found")
        assert ALERTS & {line["event"] for line in logged}, logged
        assert any(str(someone.id) in str(line.values()) for line in logged if line["event"] in ALERTS)
        with capture_logs() as logged:
            listed = await client.get("/v1/contacts", params={"ids": str(someone.id)})
        assert listed.status_code == 200
        assert listed.json()["items"] == []
        body = {"fields": ["office_phone"], "purpose": "work_contact", "reason": REASON}
        problem(await client.post(f"{someone.path}/reveals", json=body), *refusal(reader))
        problem(await client.get(f"{someone.path}/history"), 404, "not_found")


def refusal(reader: str) -> tuple[int, str]:
    return (403, "insufficient_scope") if reader == "directory-sync" else (404, "not_found")


CONTACT_EDITS: Final[dict[str, dict[str, Any]]] = {
    "kind": {"kind": "hotline"},
    "worker_kind": {"worker_kind": "part_time"},
    "status": {"status": "frozen"},
    "secrecy": {"secrecy": "normal"},
    "user_name_key": {"user_name_key": "somebody-else"},
    "row_version": {"row_version": 99},
    "digests": {"digests": b""},
    "mac": {"mac": b"\x00" * 32},
    "mobile": {"mobile": None},
    "consented": {"consented": "plate:consent"},
    "relations": {"relations": b"\x00" * 40},
}


@pytest.mark.parametrize("edit", CONTACT_EDITS)
async def test_an_edited_row_is_nobody(shared: World, intruder: Intruder, edit: str) -> None:
    someone = await add_person(shared, secrecy="executive")
    async with intruder.edited("contact", "id", someone.id, **CONTACT_EDITS[edit]):
        await nothing_is_told(shared, someone, "outsider", "hr", "directory-sync")
    assert (await (await shared.as_("hr")).get(someone.path)).status_code == 200


async def test_whoever_moves_a_contact_next_to_themselves_sees_nobody(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared, department="HR")
    async with intruder.edited("contact", "id", someone.id, department_id=shared.departments["RD"]):
        await nothing_is_told(shared, someone, "colleague", "head")
    memberships: Any = orjson.dumps([{"department_id": str(shared.departments["RD"])}]).decode()
    async with intruder.edited("contact", "id", someone.id, memberships=memberships):
        await nothing_is_told(shared, someone, "colleague", "head")


MISSHAPEN: Final[dict[str, tuple[str, str]]] = {
    "no list": ("memberships", '{"department_id": "x"}'),
    "a list of texts": ("memberships", '["RD"]'),
    "no department": ("memberships", '[{"title": "x"}]'),
    "no id": ("memberships", '[{"department_id": "RD"}]'),
    "a number as id": ("memberships", '[{"department_id": 7}]'),
    "a null": ("memberships", "null"),
    "an order in words": ("memberships", f'[{{"department_id": "{UUID(int=1)}", "order": "first"}}]'),
    "a tag that is a number": ("tags", "[1]"),
    "a tag alone": ("tags", '"vip"'),
    "a number that is an object": ("short_numbers", '[{"number": "8000"}]'),
}
MALFORMED: Final = ("", "[", "no json", '[]}],"next":null,"items":[{"name":"forged"', '["a"] ["b"]', "[NaN]")


async def nobody_is_told_and_the_page_stands(world: World, someone: Added, neighbour: Added) -> None:
    """Fail unless ``someone`` counts as edited everywhere, and a page that they stood on is whole without them."""
    await nothing_is_told(world, someone, "colleague", "hr", "directory-sync")
    hr = await world.as_("hr")
    with capture_logs() as logged:
        listed = await hr.get("/v1/contacts", params={"ids": [str(someone.id), str(neighbour.id)]})
    assert [each["id"] for each in listed.json()["items"]] == [str(neighbour.id)]
    assert [line["row"] for line in logged if line["event"] == "row_mac_mismatch"] == [str(someone.id)]
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
        problem(await hr.request(method, someone.path, json=body, headers={"If-Match": "*"}), 404, "not_found")


@pytest.mark.parametrize("shape", MISSHAPEN)
async def test_json_of_another_shape_is_an_edited_row(shared: World, intruder: Intruder, shape: str) -> None:
    someone, neighbour = await add_person(shared), await add_person(shared)
    column, written = MISSHAPEN[shape]
    async with intruder.edited("contact", "id", someone.id, **{column: written}):
        await nobody_is_told_and_the_page_stands(shared, someone, neighbour)
    assert (await (await shared.as_("hr")).get(someone.path)).status_code == 200


@pytest.mark.parametrize("column", ["memberships", "tags", "short_numbers"])
async def test_text_that_is_no_json_is_an_edited_row(shared: World, company: Company, column: str) -> None:
    if not isinstance(company.store, SqliteTestStore):
        pytest.skip("jsonb takes no such text")
    someone, neighbour = await add_person(shared), await add_person(shared)
    for text in MALFORMED:
        async with Intruder(company.store).edited("contact", "id", someone.id, **{column: text}):
            await nobody_is_told_and_the_page_stands(shared, someone, neighbour)


@pytest.mark.parametrize(("column", "written"), [("title", b"\xff\x00"), ("digests", 3)])
async def test_a_value_of_another_kind_is_an_edited_row(
    shared: World, company: Company, column: str, written: object
) -> None:
    if not isinstance(company.store, SqliteTestStore):
        pytest.skip("PostgreSQL columns take no other kind")
    someone, neighbour = await add_person(shared), await add_person(shared)
    async with Intruder(company.store).edited("contact", "id", someone.id, **{column: written}):
        await nobody_is_told_and_the_page_stands(shared, someone, neighbour)


async def test_a_misshapen_row_gives_its_person_no_standing_and_takes_no_page_from_others(
    shared: World, intruder: Intruder
) -> None:
    """The row is the last of its page: the page after it begins where it stood."""
    someone, department = await add_person(shared), await add_department(shared)
    people = [await add_person(shared, department=department, name=f"甲{at}") for at in range(3)]
    async with intruder.edited("contact", "id", someone.id, memberships='["RD"]'):
        restarted(shared)
        problem(await (await shared.as_(someone.name)).get(people[0].path), 403, "no_contact")
    async with intruder.edited("contact", "id", people[1].id, tags="{}"):
        hr, found, cursor = await shared.as_("hr"), [], None
        for _ in range(4):
            query = {"department": department, "limit": "1", **({} if cursor is None else {"cursor": cursor})}
            page = (await hr.get("/v1/contacts", params=query)).json()
            found += [each["id"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert cursor is None
        assert found == [str(people[0].id), str(people[2].id)]
    restarted(shared)


async def test_an_event_about_a_misshapen_row_changes_nothing(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared)
    event = left(f"N{someone.number}")
    async with intruder.edited("contact", "id", someone.id, memberships='["RD"]'):
        with capture_logs() as logged:
            answer = await (await shared.as_("hr-system")).post("/v1/hr/events", json=event)
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
        assert {"row_mac_mismatch"} <= {line["event"] for line in logged}
    assert (await (await shared.as_("hr")).get(someone.path)).json()["status"] == "active"


async def test_an_envelope_moved_to_another_person_stays_shut(shared: World, intruder: Intruder) -> None:
    victim, own = await add_person(shared, department="SALES"), await add_person(shared)
    stolen = await intruder.column("contact", "id", victim.id, "mobile")
    async with intruder.edited("contact", "id", own.id, mobile=stolen):
        await nothing_is_told(shared, own, "hr", "colleague")
        answer = await (await shared.as_(own.name)).get(own.path)
        assert answer.status_code in {403, 404}
        assert victim.mobile not in answer.text


async def test_a_whole_row_copied_over_another_stays_shut(shared: World, intruder: Intruder) -> None:
    """Envelopes, digests, MAC and data key of the victim, under the thief's own id."""
    victim, own = await add_person(shared, department="SALES"), await add_person(shared)
    names = ("mobile", "personal_mobile", "wechat", "email", "office_phone", "digests", "mac", "row_version")
    stolen = {name: await intruder.column("contact", "id", victim.id, name) for name in names}
    async with intruder.edited("contact", "id", own.id, **stolen):
        await nothing_is_told(shared, own, "hr", "colleague")
        key = await intruder.column("data_key", "subject_id", victim.id, "wrapped")
        version = await intruder.column("data_key", "subject_id", victim.id, "version")
        async with intruder.edited("data_key", "subject_id", own.id, wrapped=key, version=version):
            await nothing_is_told(shared, own, "hr", "colleague")


async def test_an_envelope_moved_to_a_field_that_is_shown_stays_shut(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared)
    private = await intruder.column("contact", "id", someone.id, "personal_mobile")
    async with intruder.edited("contact", "id", someone.id, office_phone=private, email=private):
        await nothing_is_told(shared, someone, "outsider", "hr")


async def test_a_digest_copied_makes_no_match(shared: World, intruder: Intruder) -> None:
    victim, own = await add_person(shared), await add_person(shared)
    digests = await intruder.column("contact", "id", victim.id, "digests")
    async with intruder.edited("contact", "id", own.id, digests=digests):
        await nothing_is_told(shared, own, "hr")
        answer = await (await shared.as_("hr")).patch(
            own.path, json={"mobile": victim.mobile}, headers={"If-Match": "*"}
        )
        problem(answer, 404, "not_found")


@pytest.mark.parametrize("how", ["another's", "altered", "emptied"])
async def test_a_data_key_swapped_opens_nothing(shared: World, intruder: Intruder, how: str) -> None:
    victim, someone = await add_person(shared), await add_person(shared)
    own = await intruder.column("data_key", "subject_id", someone.id, "wrapped")
    other = await intruder.column("data_key", "subject_id", victim.id, "wrapped")
    wrapped = {"another's": other, "altered": bytes([own[0] ^ 1]) + own[1:], "emptied": b""}[how]
    async with intruder.edited("data_key", "subject_id", someone.id, wrapped=wrapped):
        await nothing_is_told(shared, someone, "hr", "outsider")
        restarted(shared)
        answer = await (await shared.as_(someone.name)).get(f"/v1/contacts/{shared.people['staff']}")
        assert answer.status_code == 403, answer.text
    restarted(shared)


async def test_without_its_data_key_a_person_is_nobody(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared)
    await intruder.run("DELETE FROM data_key WHERE subject_id = ?", someone.id)
    problem(await (await shared.as_("hr")).get(someone.path), 404, "not_found")
    listed = await (await shared.as_("hr")).get("/v1/contacts", params={"ids": str(someone.id)})
    assert listed.json()["items"] == []


async def account_of(world: World, name: str) -> UUID:
    account = await world.application.account_rows.by_key(world.application.database.reader, name)
    assert account is not None
    return account.id


ACCOUNT_EDITS: Final[dict[str, dict[str, Any]]] = {
    "tier": {"tier": "T5"},
    "roles": {"roles": '["directory_steward","executive","hr"]'},
    "epoch": {"epoch": 999},
    "user_name": {"user_name_key": "nobody-yet"},
}


@pytest.mark.parametrize("edit", ACCOUNT_EDITS)
async def test_an_account_that_promotes_itself_is_shut_out(shared: World, intruder: Intruder, edit: str) -> None:
    someone = await add_person(shared)
    target = f"/v1/contacts/{shared.people['staff']}"
    client = await shared.as_(someone.name)
    before = (await client.get(target)).json()
    async with intruder.edited("user_account", "id", await account_of(shared, someone.name), **ACCOUNT_EDITS[edit]):
        remembered = await client.get(target)
        if remembered.status_code == 200:
            assert {**remembered.json(), "disclosure": 0} == {**before, "disclosure": 0}, (
                "the old standing, not the new"
            )
        restarted(shared)
        with capture_logs() as logged:
            answer = await client.get(target)
        assert answer.status_code in {401, 403}, answer.text
        if edit != "user_name":
            assert "row_mac_mismatch" in {line["event"] for line in logged}
        assert leaked(answer) == []
    restarted(shared)


async def test_an_account_bound_to_somebody_else_by_hand_is_shut_out(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared)
    ghost = await add_person(shared, user_name=None)
    client = await shared.as_(someone.name)
    async with intruder.edited("user_account", "id", await account_of(shared, someone.name), contact_id=ghost.id):
        restarted(shared)
        with capture_logs() as logged:
            answer = await client.get(ghost.path)
        assert answer.status_code in {401, 403}
        assert "row_mac_mismatch" in {line["event"] for line in logged}
    restarted(shared)


async def test_a_suspension_lifted_by_hand_stays(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared)
    client = await shared.as_(someone.name)
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.suspend(unit.session, someone.name)
    async with intruder.edited("user_account", "id", await account_of(shared, someone.name), state="active"):
        restarted(shared)
        answer = await client.get(someone.path)
        assert answer.status_code in {401, 403}
        assert leaked(answer) == []
    restarted(shared)


def leaked(answer: httpx.Response) -> list[str]:
    return [word for word in ("1380000", "1390000", "@example.com", "wx_") if word in answer.text]


async def test_a_head_made_by_hand_heads_nothing(shared: World, intruder: Intruder) -> None:
    someone = await add_person(shared, department="SALES")
    code = await add_department(shared)
    staff = await add_person(shared, department=code)
    client = await shared.as_(someone.name)
    assert (await client.get(staff.path)).json()["mobile"]["value"] == "137********"
    async with intruder.edited("department", "id", shared.departments[code], head_id=someone.id):
        restarted(shared)
        with capture_logs() as logged:
            problem(await client.get(staff.path), 404, "not_found")
        assert "row_mac_mismatch" in {line["event"] for line in logged}
        listed = await client.get("/v1/contacts", params={"ids": str(staff.id)})
        assert listed.json()["items"] == [], "nobody of a department that is not believed"
        assert (await client.get(f"/v1/contacts/{shared.people['outsider']}")).status_code == 200
    restarted(shared)
    assert (await client.get(staff.path)).json()["mobile"]["value"] == "137********"


async def test_a_department_hung_below_ones_own_by_hand_is_not_headed(shared: World, intruder: Intruder) -> None:
    code = await add_department(shared)
    staff = await add_person(shared, department=code)
    client = await shared.as_("head")
    async with intruder.edited("department", "id", shared.departments[code], parent_id=shared.departments["RD"]):
        restarted(shared)
        problem(await client.get(staff.path), 404, "not_found")
    restarted(shared)


async def granted(world: World, who: Added, whom: Added, **members: Any) -> UUID:  # noqa: ANN401 — members of a grant
    """Give an exception as an approved request does."""
    application, now = world.application, world.application.clock.now()
    account = await application.account_rows.by_key(application.database.reader, who.name)
    assert account is not None
    given = {
        "account_id": account.id,
        "scope": GrantScope("contact", str(whom.id)),
        "fields": ("mobile",),
        "outcome": Outcome.CLEAR,
        "purpose": Purpose.WORK_CONTACT,
        "request_id": whom.id,
        "starts_at": now - timedelta(minutes=5),
        "ends_at": now + timedelta(minutes=5),
        **members,
    }
    async with application.database.unit_of_work() as unit:
        return await application.grants.add(unit.session, NewGrant(**given), at=now)


async def test_a_grant_that_was_edited_gives_nothing(company: Company, shared: World, intruder: Intruder) -> None:
    who = await add_person(shared, department="SALES")
    whom, other = await add_person(shared), await add_person(shared)
    grant = await granted(shared, who, whom)
    client = await shared.as_(who.name)
    assert (await client.get(whom.path)).json()["mobile"] == {"state": "shown", "value": whom.mobile}
    now = shared.application.clock.now()
    later: Any = now + timedelta(days=300)
    if company.store.dialect == "sqlite":
        later = to_microseconds(later)
    for columns in (
        {"ends_at": later},
        {"scope_value": str(other.id)},
        {"scope_kind": "department", "scope_value": str(shared.departments["RD"])},
        {"scope_kind": None, "scope_value": None, "contact_id": other.id},
        {"fields": '["mobile", "personal_mobile"]'},
        {"purpose": "emergency"},
        {"lifts": True},
    ):
        async with intruder.edited("access_grant", "id", grant, **columns):
            restarted(shared)
            with capture_logs() as logged:
                views = [(await client.get(each.path)).json() for each in (whom, other)]
            assert [view["mobile"]["value"] for view in views] == ["137********"] * 2, columns
            assert {view["personal_mobile"]["state"] for view in views} == {"withheld"}
            assert "row_mac_mismatch" in {line["event"] for line in logged}
    restarted(shared)
    assert (await client.get(whom.path)).json()["mobile"]["state"] == "shown"


async def test_a_revoked_grant_revived_by_hand_gives_nothing(shared: World, intruder: Intruder) -> None:
    who, whom = await add_person(shared, department="SALES"), await add_person(shared)
    grant = await granted(shared, who, whom)
    application = shared.application
    account = await account_of(shared, who.name)
    async with application.database.unit_of_work() as unit:
        await application.grants.end_all(unit.session, account, at=application.clock.now())
        await epochs.bump(unit.session, f"user:{account}")
    client = await shared.as_(who.name)
    assert (await client.get(whom.path)).json()["mobile"]["state"] == "masked"
    async with intruder.edited("access_grant", "id", grant, revoked_at=None):
        restarted(shared)
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "masked"
    restarted(shared)


async def test_a_grant_handed_to_another_account_gives_nothing(shared: World, intruder: Intruder) -> None:
    who, thief = await add_person(shared, department="SALES"), await add_person(shared, department="SALES")
    whom = await add_person(shared)
    grant = await granted(shared, who, whom)
    async with intruder.edited("access_grant", "id", grant, account_id=await account_of(shared, thief.name)):
        restarted(shared)
        answer = await (await shared.as_(thief.name)).get(whom.path)
        assert answer.json()["mobile"]["value"] == "137********"
    restarted(shared)


async def test_a_client_that_raises_its_own_ceiling_is_shut_out(shared: World, intruder: Intruder) -> None:
    name = f"mirror-{new_id().hex[:8]}"
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.clients.add(unit.session, NewClient(name, "Mirror", scopes=("contacts:read",)))
    client = await shared.as_(name)
    path = f"/v1/contacts/{shared.people['staff']}"
    assert (await client.get(path)).status_code == 200
    for columns in ({"scopes": '["contacts:read","contacts:write","hr:write"]'}, {"ceiling": "C5"}):
        async with intruder.edited("client", "client_id", name, **columns):
            restarted(shared)
            with capture_logs() as logged:
                answer = await client.get(path)
            assert answer.status_code in {401, 403}
            assert "row_mac_mismatch" in {line["event"] for line in logged}
    restarted(shared)
    assert (await client.get(path)).status_code == 200


async def test_a_side_row_added_by_hand_puts_nobody_on_a_strict_page(sqlite_store: SqliteTestStore) -> None:
    """The table that the list's predicate asks is derived and carries no MAC: the gate checks each row once more."""
    strict = sqlite_store.settings.model_copy(update={"policy": PolicySettings(profile="strict")})
    async with opened_world(strict) as world:
        intruder = Intruder(sqlite_store)
        client = await world.as_("outsider")
        identity = world.people["staff"]
        problem(await client.get(f"/v1/contacts/{identity}"), 404, "not_found")
        await intruder.run("INSERT INTO contact_department VALUES (?, ?)", identity, world.departments["SALES"])
        with capture_logs() as logged:
            listed = await client.get("/v1/contacts", params={"limit": "200"})
        assert str(identity) not in listed.text
        assert str(world.people["outsider"]) in listed.text
        (alert,) = [line for line in logged if line["event"] == "row_not_disclosed"]
        assert alert["subject"] == str(identity)
