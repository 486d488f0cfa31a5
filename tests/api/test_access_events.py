"""The access log shows every look, write and refusal, to those whose task it is, and never a protected value."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.audit.errors import EpochMoved
from app.audit.events import CohortEntry, EventDraft
from app.audit.note import Checkpoint, Verifier
from app.auth.scopes import Scope
from app.auth.subject import Person
from app.crypto.permit import Permit
from app.disclosure.log_queries import EventQuery
from app.disclosure.log_reader import AccessLogReader
from app.disclosure.log_views import MOST_CONTACTS, EventPage, EventView
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from tests.support.application import World
from tests.support.company import PEOPLE, SECRETS

EVENTS = "/v1/access-events"
SHANGHAI = timezone(timedelta(hours=8))
MEMBERS = [
    "id",
    "index",
    "at",
    "actor",
    "client_id",
    "on_behalf_of",
    "action",
    "decision",
    "code",
    "purpose",
    "case",
    "request_id",
    "policy_version",
    "ip",
    "contacts",
    "contact_count",
    "fields",
]


async def ask(world: World, name: str = "infosec", /, **query: object) -> dict[str, Any]:
    """Search the log; fails unless the answer is 200, fits its declared shape and holds nothing protected."""
    given = {member: str(value) for member, value in query.items()}
    answer = await (await world.as_(name)).get(EVENTS, params=given)
    assert answer.status_code == 200, answer.text
    EventPage.model_validate_json(answer.content)
    assert [secret for secret in SECRETS if secret in answer.text] == []
    found: dict[str, Any] = answer.json()
    return found


async def newest(world: World, /, **query: object) -> dict[str, Any]:
    """Give the newest event of a search."""
    item: dict[str, Any] = (await ask(world, **query))["items"][0]
    return item


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["code"]
    return code


async def log(world: World, *contacts: UUID, **members: Any) -> EventDraft:  # noqa: ANN401 — members of a draft
    """Put an event of the test's own on record."""
    cohorts = members.pop("cohorts", (CohortEntry({"mobile": "masked"}, contacts),) if contacts else ())
    draft = EventDraft(
        id=new_id(),
        at=members.pop("at", world.application.clock.now()),
        actor_type=members.pop("actor_type", "system"),
        actor_id=members.pop("actor_id", "job:test"),
        action=members.pop("action", "test.made"),
        decision="allowed",
        cohorts=cohorts,
        **members,
    )
    await world.application.log.record(draft)
    return draft


# ------------------------------------------------------------------------------------------------------- what is in the log


async def test_a_read_shows_who_whom_and_which_fields_in_which_state(world: World) -> None:
    card = await world.card("colleague", "staff")
    found = await newest(world, contact=world.people["staff"], action="contact.read")
    assert list(found) == MEMBERS
    assert found["id"] == card["disclosure"]["event_id"]
    assert found["actor"] == {
        "type": "person",
        "id": str(world.people["colleague"]),
        "name": PEOPLE["colleague"].full_name,
        "tier": "T1",
        "department": {
            "id": str(world.departments["RD"]),
            "code": "RD",
            "name": card["department"]["name"],
            "path": card["department"]["path"],
        },
    }
    states = {name: view["state"] for name, view in card.items() if isinstance(view, dict) and "state" in view}
    (shown,) = found["contacts"]
    assert (shown["id"], shown["name"]) == (str(world.people["staff"]), PEOPLE["staff"].full_name)
    assert shown["fields"].keys() == states.keys()
    assert {name for name, state in shown["fields"].items() if state == "masked"} >= {"mobile"}
    assert {name: state for name, state in states.items() if state != "empty"} == {
        name: state for name, state in shown["fields"].items() if states[name] != "empty"
    }
    assert (found["contact_count"], found["decision"], found["code"], found["purpose"]) == (
        1,
        "allowed",
        None,
        "work_contact",
    )
    assert found["policy_version"] == card["disclosure"]["policy_version"]
    assert found["request_id"] is not None
    assert found["client_id"] == "intranet"


async def test_a_list_is_one_event_that_names_everybody_on_the_page(world: World) -> None:
    answer = await (await world.as_("staff")).get("/v1/contacts", params={"department": "RD"})
    listed = [item["id"] for item in answer.json()["items"]]
    found = await newest(world, actor=world.people["staff"], action="contact.list")
    assert {each["id"] for each in found["contacts"]} == set(listed)
    assert found["contact_count"] == len(listed) > 1
    whole = (await (await world.as_("auditor")).get(f"{EVENTS}/{found['id']}")).json()
    assert (whole["count"], whole["query"]) == (len(listed), {"department": "RD"})


async def test_a_contact_asked_for_is_listed_alone(world: World) -> None:
    await (await world.as_("staff")).get("/v1/contacts", params={"department": "RD"})
    found = await newest(world, contact=world.people["colleague"], action="contact.list")
    assert [each["id"] for each in found["contacts"]] == [str(world.people["colleague"])]
    assert found["contact_count"] > 1


async def test_a_reveal_shows_clear_fields_and_hides_its_reason(world: World) -> None:
    reason = "Ruf wegen der Lieferung zurück"
    answer = await (await world.as_("colleague")).post(
        f"/v1/contacts/{world.people['staff']}/reveals",
        json={"fields": ["mobile"], "purpose": "work_contact", "reason": reason},
    )
    assert answer.json()["fields"]["mobile"]["value"].endswith("2101"), answer.text
    found = await newest(world, contact=world.people["staff"], action="contact.reveal")
    assert found["contacts"][0]["fields"] == {"mobile": "shown"}
    assert found["fields"] == ["mobile"]
    whole = await (await world.as_("auditor")).get(f"{EVENTS}/{found['id']}")
    assert reason not in whole.text
    assert "reason" not in whole.json()


async def test_refusals_are_in_the_log_under_their_code(world: World) -> None:
    stranger = new_id()
    missing = await (await world.as_("staff")).get(f"/v1/contacts/{stranger}")
    assert missing.status_code == 404
    found = await newest(world, actor=world.people["staff"], decision="refused")
    assert (found["action"], found["code"]) == ("contact.read", "not_found")
    assert found["contacts"] == [{"id": str(stranger), "name": None, "fields": {}}]
    kept = await (await world.as_("outsider")).post(
        f"/v1/contacts/{world.people['staff']}/reveals",
        json={"fields": ["mobile"], "purpose": "work_contact", "reason": "no reason at all"},
    )
    assert (kept.status_code, code_of(kept)) == (403, "approval_required")
    found = await newest(world, actor=world.people["outsider"], decision="refused")
    assert (found["action"], found["code"]) == ("contact.reveal", "approval_required")
    assert found["fields"] == ["mobile"]
    assert found["contacts"] == [{"id": str(world.people["staff"]), "name": PEOPLE["staff"].full_name, "fields": {}}]


async def test_a_refused_reveal_is_found_by_the_fields_that_were_asked_for(world: World) -> None:
    outsider, staff = await world.as_("outsider"), world.people["staff"]
    asked = {"purpose": "work_contact", "reason": "Nobody but I knows"}
    for contact, fields, code in (
        (staff, ["wechat", "mobile", "wechat"], "not_permitted"),
        (new_id(), ["mobile", "13800002101"], "not_found"),
    ):
        kept = await outsider.post(f"/v1/contacts/{contact}/reveals", json={"fields": fields, **asked})
        assert code_of(kept) == code
        found = await newest(world, actor=world.people["outsider"], decision="refused", field="mobile")
        assert (found["code"], found["fields"]) == (code, [each for each in dict.fromkeys(fields) if each.isalpha()])
        assert found["contacts"][0]["fields"] == {}, "nothing of it was told"
    assert not (await ask(world, decision="refused", field="mobile", state="shown"))["items"]


async def test_a_write_names_the_changed_members_once_the_mover_has_run(world: World) -> None:
    hr, identity = await world.as_("hr"), world.people["outsider"]
    card = await hr.get(f"/v1/contacts/{identity}")
    changed = await hr.patch(
        f"/v1/contacts/{identity}",
        json={"title": "顾问", "mobile": "13800009999"},
        headers={"If-Match": card.headers["ETag"]},
    )
    assert changed.status_code == 200, changed.text
    await world.settle()
    found = await newest(world, contact=identity, action="contact.update")
    assert set(found["fields"]) == {"title", "mobile"}
    assert (found["actor"]["id"], found["decision"]) == (str(world.people["hr"]), "allowed")
    assert found["contacts"] == [{"id": str(identity), "name": PEOPLE["outsider"].full_name, "fields": {}}]
    whole = await (await world.as_("auditor")).get(f"{EVENTS}/{found['id']}")
    assert "13800009999" not in whole.text


async def test_a_log_read_is_in_the_next_page_and_not_in_its_own(world: World) -> None:
    await world.card("colleague", "staff")
    first = await ask(world, contact=world.people["staff"], **{"from": "2020-01-01T00:00:00+00:00"})
    identity = first["disclosure"]["event_id"]
    assert identity not in [item["id"] for item in first["items"]]
    second = await ask(world, "auditor")
    assert second["items"][0]["id"] == identity
    assert second["items"][0]["purpose"] == first["disclosure"]["purpose"] == "audit"
    whole = (await (await world.as_("auditor")).get(f"{EVENTS}/{identity}")).json()
    assert whole["action"] == "access_event.list"
    assert whole["query"] == {"contact": str(world.people["staff"]), "from": "2020-01-01T00:00:00Z"}
    assert (whole["count"], whole["contact_count"]) == (len(first["items"]), 0)
    reading = await newest(world, action="access_event.read")
    assert reading["actor"]["name"] == PEOPLE["auditor"].full_name


async def test_an_actor_that_is_nobody_here_stands_hashed_in_the_log(world: World) -> None:
    await ask(world, actor="13800002101")
    found = await newest(world, action="access_event.list")
    whole = (await (await world.as_("auditor")).get(f"{EVENTS}/{found['id']}")).json()
    assert whole["query"] == {"actor": world.application.terms.masked("13800002101")}
    await ask(world, actor="siem")
    found = await newest(world, action="access_event.list")
    whole = (await (await world.as_("auditor")).get(f"{EVENTS}/{found['id']}")).json()
    assert whole["query"] == {"actor": "siem"}


async def test_events_of_operators_and_jobs_carry_their_own_names(world: World) -> None:
    await log(world, actor_type="operator", actor_id="os:root")
    found = await newest(world, actor="os:root")
    assert found["actor"] == {"type": "operator", "id": "os:root", "name": "os:root", "tier": None, "department": None}
    assert (found["contacts"], found["contact_count"], found["fields"]) == ([], 0, [])


async def test_a_crowd_is_cut_and_counted_whole(world: World) -> None:
    crowd = tuple(new_id() for _ in range(MOST_CONTACTS + 50))
    await log(world, *crowd)
    found = await newest(world, action="test.made")
    assert [each["id"] for each in found["contacts"]] == [str(each) for each in crowd[:MOST_CONTACTS]]
    assert found["contact_count"] == len(crowd)
    narrowed = await newest(world, contact=crowd[-1])
    assert narrowed["contacts"] == [{"id": str(crowd[-1]), "name": None, "fields": {"mobile": "masked"}}]
    assert narrowed["contact_count"] == len(crowd)


async def test_names_are_found_however_many_a_page_lists(world: World) -> None:
    known = sorted(world.people.values())
    for at in range(3):
        await log(world, *(new_id() for _ in range(MOST_CONTACTS - 4)), *known[4 * at : 4 * at + 4])
    page = await ask(world, action="test.made")
    named = {each["id"]: each["name"] for item in page["items"] for each in item["contacts"] if each["name"]}
    assert len({each["id"] for item in page["items"] for each in item["contacts"]}) == 3 * MOST_CONTACTS
    assert named == {
        str(identity): PEOPLE[name].full_name for name, identity in world.people.items() if identity in known[:12]
    }


async def test_a_contact_in_two_cohorts_is_told_with_the_most_that_was_shown(world: World) -> None:
    someone = world.people["staff"]
    parts = (
        CohortEntry({"mobile": "masked", "email": "shown", "wechat": "withheld"}, (someone,)),
        CohortEntry({"mobile": "shown", "email": "masked"}, (someone,)),
    )
    await log(world, cohorts=parts)
    found = await newest(world, action="test.made")
    (entry,) = found["contacts"]
    assert entry["fields"] == {"mobile": "shown", "email": "shown", "wechat": "withheld"}
    assert found["contact_count"] == 1


async def test_what_a_card_shows_clear_the_log_never_says(world: World) -> None:
    """``ask`` looks for every secret; here is proof that it would know one."""
    card = await (await world.as_("staff")).get(f"/v1/contacts/{world.people['staff']}")
    assert [secret for secret in SECRETS if secret in card.text] != []
    page = await ask(world, limit=200)
    auditor = await world.as_("auditor")
    for item in page["items"]:
        whole = await auditor.get(f"{EVENTS}/{item['id']}")
        EventView.model_validate_json(whole.content)
        assert [secret for secret in SECRETS if secret in whole.text] == []


async def test_times_narrow_the_search(world: World) -> None:
    made = await log(world)
    moment = made.at.isoformat().replace("+00:00", "Z")
    ids = [item["id"] for item in (await ask(world, **{"from": moment}))["items"]]
    assert ids[-1] == str(made.id)
    assert str(made.id) not in [item["id"] for item in (await ask(world, to=moment))["items"]]
    assert (await ask(world, **{"from": moment, "to": moment}))["items"] == []


# ------------------------------------------------------------------------------------------------------------- who may look


@pytest.mark.parametrize("name", ["infosec", "auditor", "siem"])
async def test_security_audit_and_the_siem_read_the_log(world: World, name: str) -> None:
    page = await ask(world, name)
    identity = page["items"][0]["id"]
    one = await (await world.as_(name)).get(f"{EVENTS}/{identity}")
    assert one.status_code == 200
    EventView.model_validate_json(one.content)
    assert one.json()["id"] == identity
    assert one.headers["Cache-Control"] == "no-store"
    reading = await newest(world, action="access_event.read")
    expected = "SIEM" if name == "siem" else PEOPLE[name].full_name
    assert (reading["actor"]["name"], reading["actor"]["type"]) == (expected, "service" if name == "siem" else "person")


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/{UUID(int=1)}", "/v1/access-log/checkpoint"])
async def test_nobody_else_does_and_the_attempt_is_on_record(world: World, path: str) -> None:
    for name in ("staff", "head", "hr", "steward", "it", "ceo", "directory-sync"):
        refused = await (await world.as_(name)).get(path)
        assert (name, refused.status_code, code_of(refused)) == (name, 403, "insufficient_scope")
        assert "access-log:read" in refused.headers["WWW-Authenticate"]
        found = await newest(world, decision="refused")
        client = name if name == "directory-sync" else "intranet"
        assert (found["client_id"], found["code"]) == (client, "insufficient_scope")
        assert found["request_id"] == refused.headers["X-Request-ID"]


async def test_a_scope_that_a_token_merely_claims_is_not_carried(world: World) -> None:
    application = world.application
    account = await application.account_rows.by_key(application.database.reader, "staff")
    assert account is not None
    token = application.tokens.issuer.issue(
        subject="staff",
        client_id="intranet",
        scopes=frozenset({Scope.ACCESS_LOG_READ.value}),
        epoch=account.epoch,
        lifetime=60,
    )
    answer = await (await world.as_(None)).get(EVENTS, headers={"Authorization": f"Bearer {token.text}"})
    assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")


async def test_a_scope_alone_makes_no_reader_of_a_person(world: World) -> None:
    subject = await world.application.verifier.verify(await world.token("staff"))
    assert isinstance(subject, Person)
    viewer = await world.application.standings.of(replace(subject, scopes=frozenset({Scope.ACCESS_LOG_READ.value})))
    reader = world.application.log_reader
    before = (await ask(world))["items"][0]["index"]
    with pytest.raises(NotPermitted):
        await reader.search(viewer, EventQuery())
    with pytest.raises(NotPermitted):
        await reader.read(viewer, new_id(), Purpose.AUDIT)
    with pytest.raises(NotPermitted):
        await reader.checkpoint(viewer)
    assert (await ask(world))["items"][0]["index"] == before + 1


async def test_without_a_token_there_is_nothing(world: World) -> None:
    answer = await (await world.as_(None)).get(EVENTS)
    assert answer.status_code == 401


async def test_an_event_that_is_not_there_is_not_found(world: World) -> None:
    answer = await (await world.as_("auditor")).get(f"{EVENTS}/{new_id()}")
    assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_who_loses_the_role_reads_no_more_with_the_same_token(world: World) -> None:
    await ask(world, "infosec")
    async with world.application.database.unit_of_work() as unit:
        await world.application.accounts.set_standing(unit.session, "infosec", tier="T1", roles=())
    answer = await (await world.as_("infosec")).get(EVENTS)
    assert answer.status_code in {401, 403}
    assert "items" not in answer.json()


async def test_a_look_whose_rights_moved_is_decided_once_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(world.application.log_reader, AccessLogReader)
    true_permit, calls = world.application.log.permit, list[EventDraft]()

    async def moving(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
        calls.append(draft)
        if len(calls) == 1:
            raise EpochMoved
        return await true_permit(draft, **given)

    monkeypatch.setattr(world.application.log, "permit", moving)
    page = await ask(world)
    assert [draft.action for draft in calls] == ["access_event.list"] * 2
    assert page["disclosure"]["event_id"] == str(calls[1].id)


# ------------------------------------------------------------------------------------------------------------------- paging


async def test_cursors_lead_to_the_end_and_back(world: World) -> None:
    made = [str((await log(world, world.people["staff"])).id) for _ in range(7)]
    made.reverse()
    pages, cursor = [], None
    for _ in range(3):
        pages.append(await ask(world, action="test.made", limit=3, **({"cursor": cursor} if cursor else {})))
        cursor = pages[-1]["next"]
    assert [[item["id"] for item in page["items"]] for page in pages] == [made[:3], made[3:6], made[6:]]
    assert cursor is None
    assert pages[0]["prev"] is None
    back = await ask(world, action="test.made", limit=3, cursor=pages[2]["prev"])
    assert [item["id"] for item in back["items"]] == made[3:6]
    first = await ask(world, action="test.made", limit=3, cursor=back["prev"])
    assert [item["id"] for item in first["items"]] == made[:3]
    assert first["prev"] is None


async def test_a_question_by_time_pages_in_both_directions(world: World) -> None:
    made = [await log(world) for _ in range(5)]
    since = made[0].at.isoformat().replace("+00:00", "Z")
    ids = [str(each.id) for each in reversed(made)]
    asked = {"from": since, "action": "test.made", "limit": 2}
    first = await ask(world, **asked)
    second = await ask(world, **asked, cursor=first["next"])
    assert [item["id"] for item in second["items"]] == ids[2:4]
    assert [item["id"] for item in (await ask(world, **asked, cursor=second["prev"]))["items"]] == ids[:2]


async def test_a_cursor_belongs_to_its_caller_and_its_question(world: World) -> None:
    for _ in range(3):
        await log(world)
    cursor = (await ask(world, action="test.made", limit=1))["next"]
    infosec, auditor = await world.as_("infosec"), await world.as_("auditor")
    asked = {"action": "test.made", "limit": "1", "cursor": cursor}
    assert (await infosec.get(EVENTS, params=asked)).status_code == 200
    for answer in (
        await auditor.get(EVENTS, params=asked),
        await infosec.get(EVENTS, params={**asked, "action": "contact.read"}),
        await infosec.get(EVENTS, params={"limit": "1", "cursor": cursor}),
        await infosec.get(EVENTS, params={**asked, "cursor": cursor[:-2] + "AA"}),
        await infosec.get("/v1/contacts", params={"cursor": cursor}),
    ):
        assert (answer.status_code, code_of(answer)) == (422, "bad_cursor")


# ------------------------------------------------------------------------------------------------------------ bad questions


MALFORMED = (
    ("contact=staff", "?contact", "malformed_id"),
    ("actor=", "?actor", "invalid_value"),
    ("actor=a%00b", "?actor", "invalid_value"),
    ("from=2026-11-21", "?from", "malformed_time"),
    ("from=1700000000", "?from", "malformed_time"),
    ("from=2026-11-21T08:00:00", "?from", "malformed_time"),
    ("from=2026-11-21T08:00:00+08:00", "?from", "malformed_time"),
    ("from=2026-02-30T08:00:00Z", "?from", "malformed_time"),
    ("to=0001-01-01T00:00:00%2B14:00", "?to", "malformed_time"),
    ("from=2026-11-22T00:00:00Z&to=2026-11-21T23:59:59Z", "?to", "reversed_range"),
    ("action=Contact.Read", "?action", "invalid_value"),
    ("decision=maybe", "?decision", "unknown_value"),
    ("purpose=curiosity", "?purpose", "unknown_value"),
    ("limit=0", "?limit", "invalid_value"),
    ("limit=201", "?limit", "invalid_value"),
    ("cursor=x", "?cursor", "too_short"),
    ("since=2026-11-21T08:00:00Z", "?since", "unknown_member"),
    ("department=NOWHERE", "?department", "unknown_department"),
    ("department=", "?department", "too_short"),
    ("field=shoe_size", "?field", "unknown_value"),
    ("field=Mobile", "?field", "invalid_value"),
    ("state=seen", "?state", "unknown_value"),
    ("action=contact.*.read", "?action", "invalid_value"),
    ("action=*", "?action", "invalid_value"),
    ("request=short", "?request", "invalid_value"),
    ("request=with%20a%20space", "?request", "invalid_value"),
    ("ip=10.0.0.256", "?ip", "malformed_address"),
    ("ip=10.0.0.1/8", "?ip", "malformed_address"),
    ("ip=fe80::1%25eth0", "?ip", "malformed_address"),
    ("sort=index", "?sort", "unknown_value"),
)
"""Question, where it is wrong, and how."""


async def test_a_malformed_question_is_refused_where_it_is_wrong(world: World) -> None:
    infosec, told = await world.as_("infosec"), []
    before = (await ask(world))["items"][0]["index"]
    for query, _, _ in MALFORMED:
        answer = await infosec.get(f"{EVENTS}?{query}")
        assert (query, answer.status_code, code_of(answer)) == (query, 422, "invalid_request")
        told += [(query, fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
    assert told == list(MALFORMED)
    assert (await ask(world))["items"][0]["index"] == before + 1


async def test_a_time_with_another_offset_is_the_same_moment(world: World) -> None:
    made = await log(world)
    moment = made.at.astimezone(SHANGHAI).isoformat()
    assert "+08:00" in moment
    assert (await ask(world, **{"from": moment, "action": "test.made"}))["items"][0]["id"] == str(made.id)


async def test_an_event_needs_an_id(sqlite_world: World) -> None:
    auditor = await sqlite_world.as_("auditor")
    assert (await auditor.get(f"{EVENTS}/first")).status_code == 422
    assert (await auditor.get(f"{EVENTS}/{new_id()}?verbose=1")).status_code == 422


# --------------------------------------------------------------------------------------------------------------- checkpoint


async def test_the_checkpoint_is_signed_and_covers_its_own_reading(world: World) -> None:
    answer = await (await world.as_("siem")).get("/v1/access-log/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    verifier: Verifier = world.application.log_signer.verifier()
    checkpoint: Checkpoint = verifier.open(answer.text)
    found = await newest(world, action="access_log.checkpoint")
    assert checkpoint.size == found["index"] + 1
    assert found["actor"]["id"] == "siem"
