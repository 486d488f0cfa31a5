"""Robots of group chats: what they are sent, how they sign, what their answers mean, and for whom they speak."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from app.notices import robots
from app.notices.notice import Audience
from app.notices.robots import ROBOTS, Robot
from app.notices.targets import Reach, target
from tests.notices.office import Office
from tests.support.receivers import receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW: Final = datetime(2026, 11, 20, 12, 0, 0, 123_000, tzinfo=UTC)
PLACE: Final = target("https://robots.example.com/send?key=abc", Reach())
TAKEN: Final[dict[Robot, bytes]] = {
    "wecom": b'{"errcode":0,"errmsg":"ok"}',
    "feishu": b'{"code":0,"msg":"success","data":{}}',
    "dingtalk": b'{"errcode":0,"errmsg":"ok"}',
}


def digest(key: str, message: str) -> str:
    return b64encode(hmac.new(key.encode(), message.encode(), "sha256").digest()).decode()


async def test_wecom_is_sent_a_text() -> None:
    made = robots.call("wecom", PLACE, "【短号】x", None, NOW)
    assert (made.target, orjson.loads(made.body)) == (PLACE, {"msgtype": "text", "text": {"content": "【短号】x"}})


async def test_feishu_signs_in_the_body_with_seconds() -> None:
    made = robots.call("feishu", PLACE, "x", "secret", NOW)
    seconds = str(int(NOW.timestamp()))
    sign = digest(f"{seconds}\nsecret", "")
    assert orjson.loads(made.body) == {"msg_type": "text", "content": {"text": "x"}, "timestamp": seconds, "sign": sign}
    assert orjson.loads(robots.call("feishu", PLACE, "x", None, NOW).body) == {
        "msg_type": "text",
        "content": {"text": "x"},
    }


@pytest.mark.parametrize("url", ["https://robots.example.com/send?access_token=abc", "https://robots.example.com/send"])
async def test_dingtalk_signs_in_the_query_with_milliseconds(url: str) -> None:
    place = target(url, Reach())
    made = robots.call("dingtalk", place, "x", "SECsecret", NOW)
    asked = parse_qs(urlsplit(made.target.url).query)
    assert asked["timestamp"] == ["1795176000123"]
    assert asked["sign"] == [digest("SECsecret", "1795176000123\nSECsecret")]
    assert target(made.target.url, Reach()) == made.target
    assert robots.call("dingtalk", place, "x", None, NOW).target == place


@pytest.mark.parametrize(
    ("robot", "body", "verdict", "number"),
    [
        *((robot, TAKEN[robot], "taken", 0) for robot in ROBOTS),
        ("feishu", b'{"StatusCode":0,"StatusMessage":"success"}', "taken", 0),
        ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', "again", 45009),
        ("wecom", b'{"errcode":93000,"errmsg":"invalid webhook url"}', "gone", 93000),
        ("feishu", b'{"code":19021,"msg":"sign match fail"}', "again", 19021),
        ("feishu", b'{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}', "gone", 19001),
        ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', "again", 310000),
        ("dingtalk", b'{"errcode":300001,"errmsg":"token is not exist"}', "gone", 300001),
        ("dingtalk", b'{"errcode":true}', "again", None),
        ("dingtalk", b'{"errcode":"0"}', "again", None),
        ("wecom", b"<html>", "again", None),
        ("wecom", b"[]", "again", None),
        ("wecom", b"{}", "again", None),
        ("wecom", b"", "again", None),
    ],
)
async def test_what_an_answer_means(robot: Robot, body: bytes, verdict: str, number: int | None) -> None:
    found = robots.answer(robot, body)
    assert (found.verdict, found.number) == (verdict, number)


async def test_a_robot_that_is_called_too_often_rests() -> None:
    often: dict[Robot, int] = {"wecom": 45009, "feishu": 11232, "dingtalk": 130101}
    for robot, number in often.items():
        key = "code" if robot == "feishu" else "errcode"
        found = robots.answer(robot, orjson.dumps({key: number}))
        assert found.rest is not None
        assert found.rest.total_seconds() == 600


async def registered(office: Office, robot: Robot, url: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — of the body
    return await office.register(url, "request.*", kind=robot, roles=["it"], **members)


@pytest.mark.parametrize("robot", ROBOTS)
async def test_a_robot_says_a_title_and_a_link_to_the_roles_of_its_group(office: Office, robot: Robot) -> None:
    async with receiving([(200, {}, TAKEN[robot])]) as receiver:
        made = await registered(office, robot, receiver.url("/send?key=very-secret"))
        for audience in (Audience(), Audience(roles=("hr",))):
            await office.tell(audience=audience)
        notice = await office.tell(audience=Audience(roles=("hr", "it"), subscribers=False))
        await office.run()
        (got,) = receiver.got
        said = got.json["content"]["text"] if robot == "feishu" else got.json["text"]["content"]
        assert said == f"【短号】有新的申请\nhttps://d.example.com/requests/{notice.subject['id']}"
        assert "webhook-signature" not in got.headers
        assert got.path.startswith("/send?key=very-secret")
        (delivery,) = await office.deliveries(made)
        assert (delivery["state"], delivery["outcome"], delivery["status"]) == ("delivered", "delivered", 200)


async def test_a_robots_url_is_a_secret(office: Office) -> None:
    async with receiving([(200, {}, TAKEN["dingtalk"])]) as receiver:
        made = await registered(
            office, "dingtalk", receiver.url("/send?access_token=very-secret"), secret="SECverysecret"
        )
        shown = f"http://127.0.0.1:{receiver.port}/…"
        assert (made["url"], made["secret"], made["signed"]) == (shown, None, True)
        read = await office.webhook(made)
        assert read["url"] == shown
        assert "verysecret" not in str(read) + str(made)


async def test_a_robot_speaks_twenty_times_a_minute_at_most(office: Office) -> None:
    async with receiving([(200, {}, TAKEN["wecom"])]) as receiver:
        await registered(office, "wecom", receiver.url())
        for _ in range(3):
            await office.tell(audience=Audience(roles=("it",)))
        for told in range(1, 4):
            await office.run()
            assert len(receiver.got) == told
            office.clock.advance(seconds=3)


async def test_a_refusal_with_200_is_no_success(office: Office) -> None:
    refused = b'{"errcode":310000,"errmsg":"keywords not in content 13800001234"}'
    async with receiving([(200, {}, refused), (200, {}, TAKEN["dingtalk"])]) as receiver:
        made = await registered(office, "dingtalk", receiver.url())
        await office.tell(audience=Audience(roles=("it",)))
        await office.run()
        (delivery,) = await office.deliveries(made)
        assert (delivery["state"], delivery["outcome"], delivery["status"]) == ("waiting", "robot_refused", 310000)
        assert "1380000" not in str(delivery)
        office.clock.advance(seconds=5)
        await office.run()
        assert (await office.deliveries(made))[0]["state"] == "delivered"


async def test_a_robot_that_was_taken_out_of_its_group_is_disabled(office: Office) -> None:
    async with receiving([(200, {}, b'{"errcode":93000}')]) as receiver:
        made = await registered(office, "wecom", receiver.url())
        await office.tell(audience=Audience(roles=("it",)))
        await office.run()
        assert (await office.webhook(made))["cause"] == "gone"
