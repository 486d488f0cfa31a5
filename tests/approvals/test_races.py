"""Many at once on one request, on both engines: one effect, one state, and everybody told what became of theirs."""

import asyncio
from collections import Counter

import httpx
import pytest

from app.kit.db import UnitOfWork
from tests.approvals.kinds import Office


async def together(*calls: object) -> list[httpx.Response]:
    """Send calls at once."""
    return list(await asyncio.gather(*calls))  # type: ignore[call-overload]  # awaitables of one type


@pytest.mark.parametrize("turn", range(3))
async def test_37_approved_twice_at_once_acts_once(office: Office, turn: int) -> None:
    del turn
    path = await office.filed("staff", "test.all")
    await office.say("infosec", path)
    answers = await together(*(office.say("hr", path) for _ in range(6)))
    assert Counter(each.status_code for each in answers)[200] == 1
    assert {each.json()["code"] for each in answers if each.status_code != 200} <= {
        "request_not_open",
        "already_decided",
        "not_asked",
    }
    assert len(office.effect.applied) == 1


@pytest.mark.parametrize("turn", range(3))
async def test_38_approve_against_withdraw_ends_one_way(office: Office, turn: int) -> None:
    del turn
    path = await office.filed("staff", "test.any")
    said, gone = await together(office.say("hr", path), office.act("staff", path, "withdrawals"))
    assert sorted((said.status_code, gone.status_code)) == [200, 409]
    state = await office.state(path)
    assert state == ("active" if said.status_code == 200 else "withdrawn")
    assert len(office.effect.applied) == (state == "active")


async def test_38_approve_against_the_clock_ends_one_way(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    office.clock.advance(days=30)
    said, _ = await asyncio.gather(office.say("hr", path), office.desk.clock.sweep())
    state = await office.state(path)
    assert state == ("active" if said.status_code == 200 else "timed_out")
    assert len(office.effect.applied) == (state == "active")


async def test_45_two_clocks_end_it_once(office: Office) -> None:
    path = await office.filed("staff", "test.any", further={"minutes": 5})
    await office.say("hr", path)
    office.clock.advance(minutes=6)
    for _ in range(5):
        await asyncio.gather(*(office.desk.clock.sweep() for _ in range(4)))
    assert len(office.effect.ended) == 1
    assert await office.state(path) == "expired"


async def test_45_a_crash_between_the_word_and_the_effect_leaves_neither(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await office.filed("staff", "test.any")
    commit = UnitOfWork.commit

    async def dies(self: UnitOfWork) -> None:
        del self
        raise OSError

    monkeypatch.setattr(UnitOfWork, "commit", dies)
    broken = await office.say("hr", path)
    assert broken.status_code >= 500
    monkeypatch.setattr(UnitOfWork, "commit", commit)
    read = await office.read("staff", path)
    assert (read["state"], read["effects"]) == ("pending", [])
    assert read["steps"][0]["people"][0]["decision"] is None
    assert (await office.say("hr", path)).json()["state"] == "active"
    assert len((await office.read("staff", path))["effects"]) == 1


async def test_one_key_files_once(office: Office) -> None:
    staff = await office.world.as_("staff")
    body = {
        "kind": "test.any",
        "subject": {"type": "contact", "id": office.id("colleague")},
        "form": {"reason": "为了测试"},
    }
    answers = [await staff.post("/v1/requests", json=body, headers={"Idempotency-Key": "once"}) for _ in range(3)]
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert [each.headers.get("Idempotency-Replayed") for each in answers] == [None, "true", "true"]
