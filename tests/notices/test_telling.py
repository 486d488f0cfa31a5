"""What is told arrives: signed, at least once, under one id, in order; and what cannot be told is tried again, given up, and replayed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from app.kit.models import new_id
from app.notices import ladder
from app.notices.channels import Parcel
from app.notices.notice import Audience, Notice, NoticeMalformed
from app.notices.queues import LEASE
from app.notices.told import KEPT, Outcome
from tests.notices.office import Office
from tests.support.problems import problem
from tests.support.receivers import receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")

LADDER: Final = [5, 300, 1800, 7200, 18000, 36000, 36000]


async def test_a_subscriber_gets_a_signed_thin_payload_once(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url(), "request.*")
        notice = await office.tell()
        await office.tell("calendar.confirmed")
        await office.tell(audience=Audience(subscribers=False))
        await office.run()
        await office.run()
        (got,) = receiver.got
    request = notice.subject
    assert got.json == {
        "id": str(notice.id),
        "type": "request.filed",
        "occurred_at": notice.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "request": {"id": str(request["id"]), "state": "pending", "version": 1},
            "links": {"self": f"https://d.example.com/v1/requests/{request['id']}"},
        },
    }
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == str(notice.id)
    assert Webhook(made["secret"]).verify(got.body, got.headers) == got.json
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body.replace(b"pending", b"granted"), got.headers)
    (delivery,) = await office.deliveries(made)
    assert (delivery["state"], delivery["attempts"], delivery["outcome"], delivery["status"]) == (
        "delivered",
        1,
        "delivered",
        204,
    )
    assert delivery["notice"]["id"] == str(notice.id)


async def test_what_is_rolled_back_is_told_to_nobody(office: Office) -> None:
    async with receiving() as receiver:
        await office.register(receiver.url())
        notice = Notice(id=new_id(), type="request.filed", occurred_at=office.clock.now(), body={})
        async with office.application.database.unit_of_work() as unit:
            await office.desk.service.tell(unit, notice)
            await unit.session.rollback()
        await office.run()
        assert receiver.got == []


async def test_the_same_notice_put_again_is_told_once(office: Office) -> None:
    async with receiving() as receiver:
        await office.register(receiver.url())
        notice = await office.tell()
        for _ in range(2):
            async with office.application.database.unit_of_work() as unit:
                await office.desk.service.tell(unit, replace(notice, type="request.decided"))
            await office.run()
        assert [each.json["type"] for each in receiver.got] == ["request.filed"]


async def test_a_notice_that_says_too_much_stops_its_transaction(office: Office) -> None:
    with pytest.raises(NoticeMalformed):
        await office.tell(subject={"reason": "因为"})


async def test_failures_climb_the_ladder_and_end(office: Office) -> None:
    async with receiving([500]) as receiver:
        made = await office.register(receiver.url())
        notice = await office.tell()
        for attempt, pause in enumerate(LADDER, start=1):
            await office.run()
            (delivery,) = await office.deliveries(made)
            assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("waiting", attempt, 500)
            office.clock.advance(seconds=pause - 1)
            await office.run()
            assert len(receiver.got) == attempt
            office.clock.advance(seconds=1 + ladder.rest(attempt).total_seconds())
        await office.run()
        (dead,) = await office.deliveries(made, state="dead")
        assert (dead["attempts"], dead["due_at"]) == (8, None)
        office.clock.advance(days=1)
        await office.run()
        assert {each.headers["webhook-id"] for each in receiver.got} == {str(notice.id)}
        assert len({each.headers["webhook-timestamp"] for each in receiver.got}) == len(receiver.got) == 8
        assert len({each.body for each in receiver.got}) == 1

        receiver.answers[:] = [204]
        keeper = await office.keeper()
        replayed = await keeper.post(f"/v1/webhook-deliveries/{dead['id']}/replays")
        assert (replayed.status_code, replayed.json()["state"], replayed.json()["attempts"]) == (202, "waiting", 0)
        assert replayed.headers["Location"] == f"/v1/webhook-deliveries/{dead['id']}"
        await office.run()
        read = (await keeper.get(replayed.headers["Location"])).json()
        assert (read["state"], read["attempts"]) == ("delivered", 1)
        assert receiver.got[-1].headers["webhook-id"] == str(notice.id)


async def test_a_replay_of_what_arrived_tells_it_again_under_the_same_id(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url())
        notice = await office.tell()
        await office.run()
        (delivery,) = await office.deliveries(made)
        keeper, key = await office.keeper(), {"Idempotency-Key": f"again-{notice.id}"}
        for _ in range(2):
            answer = await keeper.post(f"/v1/webhook-deliveries/{delivery['id']}/replays", headers=key)
            assert answer.status_code == 202
            await office.run()
        assert [each.headers["webhook-id"] for each in receiver.got] == [str(notice.id)] * 2


@pytest.mark.parametrize(
    ("answer", "outcome", "status"),
    [
        (500, "http_error", 500),
        (404, "http_error", 404),
        (302, "redirect", 302),
        (299, "delivered", 299),
    ],
)
async def test_only_2xx_is_success(office: Office, answer: int, outcome: str, status: int) -> None:
    async with receiving([answer]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        (delivery,) = await office.deliveries(made)
        assert (delivery["outcome"], delivery["status"]) == (outcome, status)


async def test_no_redirect_is_followed(office: Office) -> None:
    async with receiving() as elsewhere, receiving() as receiver:
        for status in (301, 302, 303, 307, 308):
            receiver.answers[:] = [(status, {"Location": elsewhere.url()}, b"")]
            await office.register(receiver.url())
        await office.tell()
        await office.run()
        assert len(receiver.got) == 5
        assert elsewhere.connections == 0


async def test_an_answer_says_when_it_wants_to_be_asked_again(office: Office) -> None:
    async with receiving([(429, {"Retry-After": "120"}, b""), 204]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        office.clock.advance(seconds=119)
        await office.run()
        assert len(receiver.got) == 1
        office.clock.advance(seconds=1)
        await office.run()
        assert [each["state"] for each in await office.deliveries(made)] == ["delivered"]


async def test_nothing_of_an_answer_is_kept(office: Office) -> None:
    said = b"a body that says 13800001234"
    async with receiving([(500, {"X-Said": "13800001234"}, said)]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        async with office.application.database.unit_of_work() as unit:
            rows = [tuple(row) for row in await unit.session.execute(text("SELECT * FROM notice_delivery"))]
        assert len(rows) == 1
        assert "1380000" not in str(rows) + str(await office.deliveries(made))


async def test_who_does_not_answer_is_not_waited_for(office: Office) -> None:
    office.use(office.desk.made_courier(office.poster(seconds=0.3), chance=lambda: 0))
    async with receiving() as receiver:
        receiver.answering.clear()
        made = await office.register(receiver.url())
        await office.tell()
        await asyncio.wait_for(office.run(), 5)
        (delivery,) = await office.deliveries(made)
        assert (delivery["outcome"], delivery["status"], delivery["attempts"]) == ("timeout", None, 1)
        assert delivery["took_ms"] >= 250
    office.clock.advance(seconds=5)
    await office.run()
    (delivery,) = await office.deliveries(made)
    assert (delivery["outcome"], delivery["attempts"]) == ("unreachable", 2)


async def test_one_slow_address_holds_up_nobody_else(office: Office) -> None:
    async with receiving() as slow, receiving() as quick:
        slow.answering.clear()
        held, made = await office.register(slow.url()), await office.register(quick.url())
        for _ in range(5):
            await office.tell()
        async with asyncio.timeout(8):
            while len(quick.got) < 5:
                await office.desk.sweep()
                quick.came.clear()
                await quick.came.wait()
        assert len(slow.got) == 1
        slow.answering.set()
        await office.desk.courier.idle()
        await office.run()
        assert {each["state"] for each in await office.deliveries(held)} == {"delivered"}
        assert len(await office.deliveries(made)) == 5


async def test_versions_of_one_resource_are_told_in_their_order(office: Office) -> None:
    """The second waits for the first, also while that one is tried again; what is about something else does not."""
    async with receiving([500, 204]) as receiver:
        made = await office.register(receiver.url())
        subject = {"id": new_id()}
        await office.tell("request.decided", {**subject, "version": 2})
        await office.tell("request.filed", {**subject, "version": 1})
        other = await office.tell("request.filed")
        await office.run()
        assert [each.json["type"] for each in receiver.got] == ["request.filed", "request.filed"]
        assert receiver.got[1].headers["webhook-id"] == str(other.id)
        office.clock.advance(seconds=5)
        await office.run()
        told = [each.json["data"]["request"]["version"] for each in receiver.got]
        assert told == [1, 1, 1, 2]
        assert {each["state"] for each in await office.deliveries(made)} == {"delivered"}


async def test_what_was_given_up_holds_up_nothing(office: Office) -> None:
    async with receiving([500]) as receiver:
        await office.register(receiver.url())
        subject = {"id": new_id()}
        await office.tell("request.filed", {**subject, "version": 1})
        await office.tell("request.decided", {**subject, "version": 2})
        for pause in LADDER:
            await office.run()
            assert {each.json["type"] for each in receiver.got} == {"request.filed"}
            office.clock.advance(seconds=pause + 300)
        await office.run()
        office.clock.advance(seconds=300)
        await office.run()
        assert receiver.got[-1].json["type"] == "request.decided"


async def test_gone_is_gone_and_its_owner_is_told(office: Office) -> None:
    async with receiving([410]) as gone, receiving() as watcher:
        made = await office.register(gone.url())
        await office.register(watcher.url(), "webhook.*")
        for _ in range(3):
            await office.tell()
        await office.run()
        assert len(gone.got) == 1
        read = await office.webhook(made)
        assert (read["state"], read["cause"]) == ("disabled", "gone")
        assert sorted(each["outcome"] for each in await office.deliveries(made)) == [
            "gone",
            "webhook_disabled",
            "webhook_disabled",
        ]
        (told,) = watcher.got
        assert told.json["type"] == "webhook.disabled"
        assert told.json["data"]["webhook"] == {
            "id": made["id"],
            "kind": "standard",
            "state": "disabled",
            "cause": "gone",
        }
        await office.tell()
        await office.run()
        assert len(await office.deliveries(made)) == 3


async def test_five_days_without_success_disable_an_address(office: Office) -> None:
    async with receiving([500]) as receiver:
        made = await office.register(receiver.url())
        for _ in range(5):
            await office.tell()
            await office.run()
            office.clock.advance(hours=23)
        assert (await office.webhook(made))["state"] == "active"
        office.clock.advance(hours=5)
        await office.tell()
        await office.run()
        read = await office.webhook(made)
        assert (read["state"], read["cause"]) == ("disabled", "dead")
        keeper = await office.keeper()
        (dead, *_) = await office.deliveries(made, state="dead")
        problem(await keeper.post(f"/v1/webhook-deliveries/{dead['id']}/replays"), 409, "webhook_unfit")
        problem(await keeper.post(f"/v1/webhooks/{made['id']}/pings"), 409, "webhook_unfit")
        receiver.answers[:] = [204]
        path, seen = f"/v1/webhooks/{made['id']}", {"If-Match": f'"{read["version"]}"'}
        assert (await keeper.patch(path, json={"state": "active"}, headers=seen)).json()["cause"] is None
        assert (await keeper.post(f"/v1/webhook-deliveries/{dead['id']}/replays")).status_code == 202
        await office.run()
        assert (await office.webhook(made))["state"] == "active"


async def test_one_success_forgets_the_failures(office: Office) -> None:
    async with receiving([500, 204, 500]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        office.clock.advance(days=4)
        await office.run()
        office.clock.advance(days=4)
        await office.tell()
        await office.run()
        assert len(receiver.got) == 3
        assert (await office.webhook(made))["state"] == "active"


async def test_what_is_paused_waits_and_what_is_disabled_does_not(office: Office) -> None:
    async with receiving() as receiver:
        paused, disabled = await office.register(receiver.url("/p")), await office.register(receiver.url("/d"))
        keeper = await office.keeper()
        for made, state in ((paused, "paused"), (disabled, "disabled")):
            headers = {"If-Match": f'"{made["version"]}"'}
            answer = await keeper.patch(f"/v1/webhooks/{made['id']}", json={"state": state}, headers=headers)
            assert (answer.status_code, answer.json()["state"]) == (200, state)
        await office.tell()
        await office.run()
        assert receiver.got == []
        for made in (paused, disabled):
            answer = await keeper.patch(
                f"/v1/webhooks/{made['id']}", json={"state": "active"}, headers={"If-Match": "*"}
            )
            assert answer.status_code == 200
        await office.run()
        assert [each.path for each in receiver.got] == ["/p"]


async def test_a_new_address_is_not_told_of_the_past(office: Office) -> None:
    async with receiving() as receiver:
        await office.tell()
        office.clock.advance(seconds=1)
        await office.register(receiver.url())
        await office.run()
        assert receiver.got == []


class Dying:
    """A channel of a process that dies after its message has left, before it can write that down."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 — a channel
        self.inner, self.left = inner, asyncio.Event()

    async def send(self, parcel: Parcel) -> Outcome:
        outcome: Outcome = await self.inner.send(parcel)
        self.left.set()
        await asyncio.Event().wait()
        return outcome


async def test_what_was_sent_when_a_process_died_is_sent_again_under_the_same_id(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url())
        notice = await office.tell()
        dying = office.desk.courier
        dying._channels["webhook"] = channel = Dying(dying._channels["webhook"])
        await dying.sweep()
        await asyncio.wait_for(channel.left.wait(), 5)
        for task in dying._serving.values():
            task.cancel()
        await asyncio.sleep(0)
        office.use(office.desk.made_courier(office.poster(), chance=lambda: 0))
        await office.run()
        assert len(receiver.got) == 1
        office.clock.advance(seconds=LEASE.total_seconds())
        await office.run()
        assert [each.headers["webhook-id"] for each in receiver.got] == [str(notice.id)] * 2
        (delivery,) = await office.deliveries(made)
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


async def test_what_was_put_before_a_crash_is_told_by_whoever_comes_next(office: Office) -> None:
    async with receiving() as receiver:
        await office.register(receiver.url())
        notice = await office.tell()
        await office.desk.courier.close()
        office.use(office.desk.made_courier(office.poster(), chance=lambda: 0))
        await office.run()
        assert [each.headers["webhook-id"] for each in receiver.got] == [str(notice.id)]


async def test_a_clean_stop_leaves_the_queue_to_others_at_once(office: Office) -> None:
    async with receiving() as receiver:
        receiver.answering.clear()
        await office.register(receiver.url())
        await office.tell()
        await office.desk.sweep()
        await asyncio.wait_for(receiver.came.wait(), 5)
        await office.desk.courier.close()
        receiver.answering.set()
        office.use(office.desk.made_courier(office.poster(), chance=lambda: 0))
        await office.run()
        assert len(receiver.got) == 2


async def test_many_processes_tell_each_thing_once_and_in_order(office: Office) -> None:
    async with receiving() as receiver:
        await office.register(receiver.url())
        resources = [new_id() for _ in range(3)]
        for version in range(1, 5):
            for each in resources:
                await office.tell("request.commented", {"id": each, "version": version})
        couriers = [office.desk.made_courier(office.poster(), chance=lambda: 0) for _ in range(4)]
        for _ in range(10):
            await asyncio.gather(*(each.sweep() for each in couriers))
            await asyncio.gather(*(each.idle() for each in couriers))
        assert len(receiver.got) == 12
        for each in resources:
            told = [got.json["data"]["request"] for got in receiver.got]
            assert [one["version"] for one in told if one["id"] == str(each)] == [1, 2, 3, 4]


async def test_a_dead_address_is_not_tried_once_per_notice(office: Office) -> None:
    async with receiving([500]) as receiver:
        await office.register(receiver.url())
        for _ in range(10):
            await office.tell()
        await office.run()
        assert len(receiver.got) == 3
        office.clock.advance(seconds=10)
        await office.run()
        assert len(receiver.got) == 4


async def test_notices_are_kept_for_a_month(office: Office) -> None:
    async with receiving() as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        office.clock.advance(days=KEPT.days, seconds=1)
        office.desk.courier._forgotten = float("-inf")
        recent = await office.tell()
        await office.run()
        assert [each["notice"]["id"] for each in await office.deliveries(made)] == [str(recent.id)]


async def test_a_pause_is_spread_by_chance(office: Office) -> None:
    office.use(office.desk.made_courier(office.poster(), chance=lambda: 1))
    async with receiving([500]) as receiver:
        made = await office.register(receiver.url())
        await office.tell()
        await office.run()
        (delivery,) = await office.deliveries(made)
        due = office.clock.now() + timedelta(seconds=6)
        assert delivery["due_at"] == due.isoformat().replace("+00:00", "Z")
