"""Who keeps addresses, what they are shown, and that nobody gains by editing a row: it is believed by nobody, and sent nothing."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from app.auth.clients import NewClient
from app.kit.models import new_id
from app.notices.keeping import MOST
from app.notices.targets import Reach
from tests.notices.office import Office, stored
from tests.policy.tampering import Intruder
from tests.support.problems import faults, problem
from tests.support.receivers import receiving
from tests.support.shared import Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODY: dict[str, Any] = {"label": "工单系统", "url": "https://93.184.216.34/hook?token=abc", "types": ["request.*"]}


@pytest.fixture
def intruder(company: Company) -> Intruder:
    return Intruder(company.store)


async def test_an_address_is_registered_read_changed_and_removed(office: Office) -> None:
    keeper = await office.keeper()
    made = await keeper.post("/v1/webhooks", json={**BODY, "types": ["request.*", "request.*", "calendar.confirmed"]})
    body = made.json()
    path = f"/v1/webhooks/{body['id']}"
    assert (made.status_code, made.headers["Location"], made.headers["ETag"]) == (201, path, f'"{body["version"]}"')
    assert body["secret"].startswith("whsec_")
    assert (body["url"], body["types"]) == ("https://93.184.216.34/hook?…", ["request.*", "calendar.confirmed"])
    read = await keeper.get(path)
    assert read.headers["ETag"] == made.headers["ETag"]
    shown = {name: value for name, value in read.json().items() if name != "disclosure"}
    assert shown == {name: value for name, value in body.items() if name != "secret"}
    listed = (await keeper.get("/v1/webhooks")).json()
    assert (listed["items"], listed["next"]) == ([shown], None)

    problem(await keeper.patch(path, json={"label": "x"}), 428, "precondition_required")
    problem(await keeper.patch(path, json={"label": "x"}, headers={"If-Match": '"other"'}), 412, "precondition_failed")
    seen = {"If-Match": made.headers["ETag"]}
    changed = await keeper.patch(path, json={"label": "x", "types": ["campaign.*"]}, headers=seen)
    assert (changed.status_code, changed.json()["label"], changed.json()["types"]) == (200, "x", ["campaign.*"])
    problem(await keeper.patch(path, json={"label": "y"}, headers=seen), 412, "precondition_failed")
    same = await keeper.patch(path, json={"label": "x"}, headers={"If-Match": "*"})
    assert same.json()["version"] == changed.json()["version"]
    moved = await keeper.patch(path, json={"url": BODY["url"]}, headers={"If-Match": "*"})
    assert moved.json()["version"] != changed.json()["version"]
    problem(await keeper.delete(path, headers=seen), 412, "precondition_failed")
    assert (await keeper.delete(path, headers={"If-Match": "*"})).status_code == 204
    problem(await keeper.get(path), 404, "not_found")
    problem(await keeper.delete(path, headers={"If-Match": "*"}), 404, "not_found")


async def test_every_write_is_on_record_and_names_no_secret(office: Office) -> None:
    keeper = await office.keeper()
    made = (await keeper.post("/v1/webhooks", json=BODY)).json()
    await keeper.post(f"/v1/webhooks/{made['id']}/secret-rotations")
    await keeper.post(f"/v1/webhooks/{made['id']}/pings")
    await keeper.patch(f"/v1/webhooks/{made['id']}", json={"state": "paused"}, headers={"If-Match": "*"})
    await keeper.delete(f"/v1/webhooks/{made['id']}", headers={"If-Match": "*"})
    await office.world.settle()
    auditor = await office.world.as_("auditor")
    told = []
    for action in ("create", "rotate_secret", "ping", "update", "delete"):
        answer = await auditor.get("/v1/access-events", params={"action": f"webhook.{action}", "limit": 1})
        (event,) = answer.json()["items"]
        one = (await auditor.get(f"/v1/access-events/{event['id']}")).text
        assert made["id"] in one
        told.append(one)
    assert not [each for each in told if "token=abc" in each or "whsec_" in each or "93.184" in each]


async def test_a_repeat_is_the_same_address_and_does_not_tell_the_secret(office: Office) -> None:
    keeper, key = await office.keeper(), {"Idempotency-Key": f"webhook-{new_id()}"}
    first = await keeper.post("/v1/webhooks", json=BODY, headers=key)
    again = await keeper.post("/v1/webhooks", json=BODY, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    problem(await keeper.post("/v1/webhooks", json={**BODY, "label": "x"}, headers=key), 422, "idempotency_key_reused")
    async with office.application.database.unit_of_work() as unit:
        kept = [tuple(row) for row in await unit.session.execute(text("SELECT * FROM idempotency"))]
    assert first.json()["secret"] not in str(kept)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"types": []}, ("/types", "too_few")),
        ({"types": ["request.unknown"]}, ("/types/0", "unknown_type")),
        ({"types": ["*"]}, ("/types/0", "unknown_type")),
        ({"types": ["request.*", "other.*"]}, ("/types/1", "unknown_type")),
        ({"kind": "slack"}, ("/kind", "unknown_value")),
        ({"label": ""}, ("/label", "too_short")),
        ({"label": "a\nb"}, ("/label", "invalid_value")),
        ({"roles": ["it"]}, ("/roles", "unfit")),
        ({"secret": "whsec_of_ones_own"}, ("/secret", "unfit")),
        ({"kind": "wecom"}, ("/roles", "unfit")),
        ({"kind": "wecom", "roles": ["nobody"]}, ("/roles/0", "unknown_value")),
        ({"kind": "wecom", "roles": ["it"], "secret": "SEC12345"}, ("/secret", "unfit")),
        ({"state": "active"}, ("/state", "unknown_member")),
        ({"url": ""}, ("/url", "too_short")),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_kept(
    office: Office, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    keeper = await office.keeper()
    answer = await keeper.post("/v1/webhooks", json={**BODY, **change})
    assert (answer.status_code, faults(answer)[0]) == (422, fault), answer.text
    assert (await keeper.get("/v1/webhooks")).json()["items"] == []


async def test_there_is_an_end_to_addresses(office: Office) -> None:
    keeper = await office.keeper()
    for _ in range(MOST):
        await office.register(BODY["url"])
    problem(await keeper.post("/v1/webhooks", json=BODY), 409, "too_many_webhooks")


async def test_two_secrets_sign_for_a_day(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url())
        keeper = await office.keeper()
        rotated = (await keeper.post(f"/v1/webhooks/{made['id']}/secret-rotations")).json()
        until = office.clock.now() + timedelta(hours=24)
        assert rotated["former_secret_until"] == until.isoformat().replace("+00:00", "Z")
        assert rotated["version"] == (await office.webhook(made))["version"] != made["version"]
        await office.tell()
        await office.run()
        (got,) = receiver.got
        assert len(got.headers["webhook-signature"].split(" ")) == 2
        for secret in (made["secret"], rotated["secret"]):
            assert Webhook(secret).verify(got.body, got.headers)
        office.clock.advance(hours=24)
        assert (await office.webhook(made))["former_secret_until"] is None
        await office.tell()
        await office.run()
        assert len(receiver.got[-1].headers["webhook-signature"].split(" ")) == 1
    robot = await office.register(BODY["url"], kind="dingtalk", roles=["it"], secret="SEC12345")
    problem(await keeper.post(f"/v1/webhooks/{robot['id']}/secret-rotations"), 409, "webhook_unfit")


async def test_a_ping_goes_to_one_address(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url("/mine"), "calendar.confirmed")
        await office.register(receiver.url("/other"), "webhook.*")
        keeper = await office.keeper()
        answer = await keeper.post(f"/v1/webhooks/{made['id']}/pings")
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
        await office.run()
        (got,) = receiver.got
        assert (got.path, got.json["type"], got.json["data"]["webhook"]["id"]) == ("/mine", "webhook.ping", made["id"])
        read = (await keeper.get(answer.headers["Location"])).json()
        assert (read["state"], read["webhook"]) == ("delivered", made["id"])


async def test_who_lost_the_role_keeps_nothing_with_the_token_of_before(office: Office) -> None:
    someone = await add_person(office.world, roles=("it",))
    client = await office.world.as_(someone.name)
    assert (await client.get("/v1/webhooks")).status_code == 200
    async with office.application.database.unit_of_work() as unit:
        await office.application.accounts.set_standing(unit.session, someone.name, tier="T1", roles=())
    answers = [await client.get("/v1/webhooks"), await client.post("/v1/webhooks", json=BODY)]
    assert [each.json()["code"] for each in answers] == ["invalid_token", "invalid_token"]


async def test_a_service_account_keeps_addresses_with_the_scope(office: Office) -> None:
    name = f"integrator-{new_id().hex[-6:]}"
    async with office.application.database.unit_of_work() as unit:
        await office.application.clients.add(unit.session, NewClient(name, "Integrator", scopes=("webhooks:admin",)))
    client = await office.world.as_(name)
    assert (await client.post("/v1/webhooks", json=BODY)).status_code == 201


async def test_mail_is_no_delivery_of_an_address(office: Office) -> None:
    problem(await (await office.keeper()).get(f"/v1/webhook-deliveries/{new_id()}"), 404, "not_found")


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE webhook SET address = (SELECT address FROM webhook WHERE id = ?) WHERE id = ?",
        "UPDATE webhook SET secret = (SELECT secret FROM webhook WHERE id = ?) WHERE id = ?",
        "UPDATE webhook SET types = (SELECT types FROM webhook WHERE id = ?) WHERE id = ?",
        "UPDATE webhook SET (address, mac) = (SELECT address, mac FROM webhook WHERE id = ?) WHERE id = ?",
    ],
)
async def test_an_edited_address_is_nobodys(office: Office, intruder: Intruder, edit: str) -> None:
    async with receiving() as theirs, receiving() as ours:
        other = await office.register(theirs.url(), "calendar.confirmed")
        made = await office.register(ours.url())
        await office.tell()
        dialect = office.application.database.dialect
        await intruder.run(edit, *(stored(each["id"], dialect) for each in (other, made)))
        with capture_logs() as logged:
            await office.run()
        assert any(line["event"] == "row_mac_mismatch" for line in logged)
        assert (theirs.connections, ours.connections) == (0, 0)
        keeper = await office.keeper()
        assert [each["id"] for each in (await keeper.get("/v1/webhooks")).json()["items"]] == [other["id"]]
        problem(await keeper.get(f"/v1/webhooks/{made['id']}"), 404, "not_found")


async def test_an_address_edited_while_something_waits_is_sent_nothing(office: Office, intruder: Intruder) -> None:
    async with receiving([500, 204]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        await intruder.run(
            "UPDATE webhook SET label = 'x' WHERE id = ?", stored(made["id"], office.application.database.dialect)
        )
        office.clock.advance(seconds=5)
        await office.run()
        assert len(receiver.got) == 1
        async with office.application.database.unit_of_work() as unit:
            statement = text("SELECT state, outcome FROM notice_delivery")
            assert [tuple(row) for row in await unit.session.execute(statement)] == [("waiting", "webhook_unreadable")]


async def test_an_edited_notice_is_told_to_nobody(office: Office, intruder: Intruder) -> None:
    async with receiving([500, 204]) as receiver:
        made = await office.register(receiver.url())
        first = await office.tell()
        await intruder.run("UPDATE notice SET type = 'request.applied'")
        with capture_logs() as logged:
            await office.run()
        assert [line["row"] for line in logged if line["event"] == "row_mac_mismatch"] == [str(first.id)]
        assert (receiver.connections, await office.deliveries(made)) == (0, [])

        await office.tell()
        await office.run()
        await intruder.run("UPDATE notice SET type = 'request.applied'")
        office.clock.advance(seconds=5)
        await office.run()
        assert len(receiver.got) == 1
        (delivery,) = await office.deliveries(made)
        assert (delivery["state"], delivery["outcome"], delivery["notice"]) == ("dead", "notice_unreadable", None)


async def test_secrets_and_addresses_lie_sealed(office: Office, intruder: Intruder) -> None:
    made = await office.register("https://93.184.216.34/hook?token=recognisable")
    rows = str(await intruder.run("SELECT * FROM webhook"))
    for secret in ("recognisable", made["secret"].removeprefix("whsec_")):
        assert secret not in rows


async def test_an_allowed_address_inside_is_shown_as_any_other(office: Office) -> None:
    office.desk.keeper._poster = office.poster(reach=Reach(networks=(ip_network("10.1.0.0/16"),)))
    made = await office.register("https://10.1.0.9/hook")
    assert made["url"] == "https://10.1.0.9/hook"


async def test_deliveries_come_in_pages(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url())
        told = [await office.tell() for _ in range(5)]
        await office.run()
        keeper, path = await office.keeper(), f"/v1/webhooks/{made['id']}/deliveries"
        first = (await keeper.get(path, params={"limit": 3})).json()
        rest = (await keeper.get(path, params={"limit": 3, "cursor": first["next"]})).json()
        found = [each["notice"]["id"] for each in (*first["items"], *rest["items"])]
        assert found == [str(each.id) for each in reversed(told)]
        assert rest["next"] is None
        problem(await keeper.get(path, params={"state": "dead", "cursor": first["next"]}), 422, "bad_cursor")
        problem(await keeper.get(f"/v1/webhooks/{new_id()}/deliveries"), 404, "not_found")
