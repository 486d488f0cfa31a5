"""Privacy notices: published version by version, told to everybody, acknowledged by each for themselves."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from structlog.testing import capture_logs

from app.kit.models import new_id
from tests.collection.people import consent
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOTICE: Final = {
    "title_zh": "员工个人信息处理告知书",
    "title_en": "How we handle your personal data",
    "text_zh": "我们为人力资源管理之目的处理您的姓名、部门与办公联系方式。\n您可以随时查阅与更正。",
    "text_en": "To manage staff we handle your name, department and office contacts.\nYou can read and correct them.",
}
PATH: Final = "/v1/privacy-notices"


async def publish(world: World, by: str = "hr", **members: Any) -> httpx.Response:  # noqa: ANN401 — any JSON
    return await (await world.as_(by)).post(PATH, json={**NOTICE, **members})


async def published(world: World, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — any JSON
    answer = await publish(world, **members)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def in_force(world: World) -> dict[str, Any] | None:
    answer = await (await world.as_("staff")).get(PATH, params={"current": "true"})
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items[0] if items else None


async def acknowledge(world: World, by: str, notice: object) -> httpx.Response:
    return await (await world.as_(by)).post(f"{PATH}/{notice}/acknowledgements")


async def own(world: World, of: str) -> dict[str, Any]:
    found: dict[str, Any] = (await (await world.as_(of)).get("/v1/me")).json()["privacy_notice"]
    return found


class TestPublishing:
    async def test_a_version_follows_the_last_and_is_in_force_at_once(self, collecting: World) -> None:
        first, second = await published(collecting), await published(collecting, title_en="Second of two")
        assert second["version"] == first["version"] + 1
        assert second["digest"] != first["digest"]
        current = await in_force(collecting)
        assert current is not None
        assert (current["id"], current["title_en"], current["current"]) == (second["id"], "Second of two", True)
        assert current["text_zh"] == NOTICE["text_zh"]

    async def test_one_of_the_future_is_listed_and_not_in_force(self, collecting: World) -> None:
        now = await published(collecting)
        later = await published(collecting, valid_from=(datetime.now(UTC) + timedelta(days=30)).isoformat())
        listed = (await (await collecting.as_("staff")).get(PATH)).json()["items"]
        assert [(each["id"], each["current"]) for each in listed[:2]] == [(later["id"], False), (now["id"], True)]
        problem(await acknowledge(collecting, "staff", later["id"]), 409, "notice_not_current")
        answer = await publish(collecting, valid_from=(datetime.now(UTC) + timedelta(days=3)).isoformat())
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/valid_from", "before_other")]
        assert (await published(collecting))["version"] == later["version"] + 1

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"valid_from": "2020-01-01T00:00:00Z"}, ("/valid_from", "past_date")),
            ({"text_zh": "短"}, ("/text_zh", "too_short")),
            ({"text_en": "x" * 20_001}, ("/text_en", "too_long")),
            ({"title_zh": "a\x07b"}, ("/title_zh", "invalid_text")),
            ({"version": 7}, ("/version", "unknown_member")),
        ],
    )
    async def test_what_cannot_be_published_is_named(
        self, collecting: World, members: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        before = await in_force(collecting)
        answer = await publish(collecting, **members)
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [fault]
        assert await in_force(collecting) == before

    async def test_who_does_not_keep_the_book_does_not_publish(self, collecting: World) -> None:
        problem(await publish(collecting, "staff"), 403, "insufficient_scope")
        head = await add_person(collecting, roles=("dept_head",), tier="T2")
        problem(await publish(collecting, head.name), 403, "not_permitted")

    async def test_twice_with_one_key_is_one_version(self, collecting: World) -> None:
        hr, headers = await collecting.as_("hr"), {"Idempotency-Key": f"notice-{new_id()}"}
        first, again = [await hr.post(PATH, json=NOTICE, headers=headers) for _ in range(2)]
        assert first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true"

    async def test_two_at_once_never_share_a_version(self, collecting: World) -> None:
        answers = await asyncio.gather(*(publish(collecting, title_en=f"Number {at}") for at in range(4)))
        assert {each.status_code for each in answers} <= {201, 409}
        made = [each.json()["version"] for each in answers if each.status_code == 201]
        assert made
        assert len(set(made)) == len(made)


class TestAcknowledging:
    async def test_is_told_at_me_and_moves_its_version(self, collecting: World) -> None:
        notice, someone = await published(collecting), await add_person(collecting)
        before = await (await collecting.as_(someone.name)).get("/v1/me")
        told = before.json()["privacy_notice"]
        assert (told["current"]["id"], told["current"]["version"]) == (notice["id"], notice["version"])
        assert told["acknowledged"] is None
        answer = await acknowledge(collecting, someone.name, notice["id"])
        assert (answer.status_code, answer.json()["version"]) == (201, notice["version"])
        assert (await own(collecting, someone.name))["acknowledged"] == answer.json()["acknowledged_at"]
        after = await (await collecting.as_(someone.name)).get(
            "/v1/me", headers={"If-None-Match": before.headers["ETag"]}
        )
        assert after.status_code == 200
        again = await acknowledge(collecting, someone.name, notice["id"])
        assert (again.status_code, again.json()) == (200, answer.json())

    async def test_a_new_version_asks_again(self, collecting: World) -> None:
        first, someone = await published(collecting), await add_person(collecting)
        assert (await acknowledge(collecting, someone.name, first["id"])).status_code == 201
        second = await published(collecting)
        assert (await own(collecting, someone.name))["acknowledged"] is None
        assert (await acknowledge(collecting, someone.name, first["id"])).status_code == 200
        other = await add_person(collecting)
        problem(await acknowledge(collecting, other.name, first["id"]), 409, "notice_not_current")
        assert (await acknowledge(collecting, someone.name, second["id"])).status_code == 201

    async def test_at_once_is_once(self, collecting: World) -> None:
        notice, someone = await published(collecting), await add_person(collecting)
        answers = await asyncio.gather(*(acknowledge(collecting, someone.name, notice["id"]) for _ in range(4)))
        assert sorted({each.status_code for each in answers}) in ([200, 201], [201])
        assert [each.status_code for each in answers].count(201) == 1

    async def test_a_notice_that_is_not_there_and_services(self, collecting: World) -> None:
        problem(await acknowledge(collecting, "staff", new_id()), 404, "not_found")
        problem(await acknowledge(collecting, "hr-system", new_id()), 403, "insufficient_scope")

    async def test_consents_name_the_notice_of_their_time(self, collecting: World) -> None:
        notice, someone = await published(collecting), await add_person(collecting)
        assert (await consent(collecting, someone.name, someone.id, "plate")).status_code == 201
        (entry,) = (await (await collecting.as_("hr")).get(f"{someone.path}/consents")).json()["items"]
        assert entry["notice_version"] == notice["version"]


class TestWhoHasSeenIt:
    async def test_is_counted_and_paged_and_on_record(self, collecting: World) -> None:
        notice, someone = await published(collecting), await add_person(collecting)
        assert (await acknowledge(collecting, someone.name, notice["id"])).status_code == 201
        hr, missing, cursor = await collecting.as_("hr"), [], None
        while True:
            params = {"limit": "7", **({"cursor": cursor} if cursor else {})}
            answer = await hr.get(f"{PATH}/{notice['id']}/acknowledgements", params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            missing += [each["id"] for each in page["items"]]
            assert all(each["acknowledged_at"] is None for each in page["items"])
            cursor = page["next"]
            if cursor is None:
                break
        assert len(missing) == len(set(missing)) == page["people"] - page["acknowledged"]
        assert page["acknowledged"] == 1
        assert str(someone.id) not in missing
        assert str(collecting.people["staff"]) in missing
        assert str(collecting.people["hotline"]) not in missing
        seen = await hr.get(f"{PATH}/{notice['id']}/acknowledgements", params={"state": "acknowledged"})
        (entry,) = seen.json()["items"]
        assert (entry["id"], entry["acknowledged_at"] is not None) == (str(someone.id), True)
        event = await (await collecting.as_("siem")).get(f"/v1/access-events/{seen.json()['disclosure']['event_id']}")
        assert event.json()["action"] == "privacy_notice.acknowledgements"
        assert [each["id"] for each in event.json()["contacts"]] == [str(someone.id)]

    @pytest.mark.parametrize("reader", ["staff", "head", "infosec", "ceo"])
    async def test_is_for_those_who_keep_the_book(self, collecting: World, reader: str) -> None:
        notice = await published(collecting)
        answer = await (await collecting.as_(reader)).get(f"{PATH}/{notice['id']}/acknowledgements")
        problem(answer, 403, "not_permitted")

    async def test_a_forged_acknowledgement_does_not_count(self, collecting: World, intruder: Intruder) -> None:
        notice, someone = await published(collecting), await add_person(collecting)
        assert (await acknowledge(collecting, "staff", notice["id"])).status_code == 201
        await intruder.run(
            "INSERT INTO privacy_acknowledgement (notice_id, contact_id, at, mac)"
            " SELECT notice_id, ?, at, mac FROM privacy_acknowledgement WHERE contact_id = ? ORDER BY at DESC LIMIT 1",
            someone.id,
            collecting.people["staff"],
        )
        with capture_logs() as logged:
            assert (await own(collecting, someone.name))["acknowledged"] is None
        assert "row_mac_mismatch" in {line["event"] for line in logged}
        page = (await (await collecting.as_("hr")).get(f"{PATH}/{notice['id']}/acknowledgements")).json()
        assert page["acknowledged"] == 1

    async def test_a_forged_notice_is_not_told(self, collecting: World, intruder: Intruder) -> None:
        notice = await published(collecting)
        columns = "title_zh, title_en, text_zh, text_en, digest, valid_from, published_at, actor_type, actor_id, mac"
        forged = new_id()
        await intruder.run(
            f"INSERT INTO privacy_notice (id, version, {columns})"
            f" SELECT ?, version + 1, {columns} FROM privacy_notice ORDER BY version DESC LIMIT 1",
            forged,
        )
        current = await in_force(collecting)
        assert current is not None
        assert current["id"] == notice["id"]
        problem(await acknowledge(collecting, "staff", forged), 404, "not_found")
        assert (await published(collecting))["version"] == notice["version"] + 2
