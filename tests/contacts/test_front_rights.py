"""What front ends ask beside cards, while rights move, while the log is away, and while others do the same."""

import asyncio
import threading
from typing import Any, Final, NoReturn

import pytest

from app.audit.events import EventDraft
from app.auth import epochs
from app.contacts import photos
from app.crypto.permit import Permit
from app.kit.errors import LogUnavailable
from tests.permissions.test_current_rights import meanwhile, move
from tests.support.application import World
from tests.support.pictures import opened, picture
from tests.support.problems import problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKS: Final = ("/v1/me", "/v1/me/viewed-by", "/v1/tags", "{path}/photo")
PNG: Final = {"Content-Type": "image/png", "If-Match": "*"}


async def photographed(world: World) -> Added:
    someone = await add_person(world)
    given = await (await world.as_("hr")).post(f"{someone.path}/photo", content=picture("PNG"), headers=PNG)
    assert given.status_code == 200
    return someone


async def test_rights_lost_during_a_look_at_a_photo_open_nothing(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, whom = await add_person(shared), await photographed(shared)
    client, hr = await shared.as_(who.name), await shared.as_("hr")
    assert (await client.get(f"{whom.path}/photo")).status_code == 200

    async def demoted() -> None:
        answer = await hr.patch(who.path, json={"worker_kind": "intern"}, headers={"If-Match": "*"})
        assert answer.status_code == 200

    drafts = meanwhile(shared, monkeypatch, demoted)
    before = shared.application.opener.opened
    problem(await client.get(f"{whom.path}/photo"), 404, "not_found")
    looked = [draft for draft in drafts if draft.action == "contact.photo"]
    assert len(looked) == 1
    assert await shared.application.events.one(looked[0].id) is None, (
        "nothing was shown, so nothing is on record as shown"
    )
    card = (await hr.get(who.path)).json()
    opened_for_hr = 2 * sum(1 for each in card.values() if isinstance(each, dict) and each.get("value"))
    assert shared.application.opener.opened == before + opened_for_hr, "hr's two looks, and no photo"


async def test_a_move_during_the_look_shows_in_the_standing(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = await add_person(shared)
    client = await shared.as_(who.name)
    assert (await client.get("/v1/me")).status_code == 200
    drafts = meanwhile(shared, monkeypatch, lambda: move(shared, who, "SALES"))
    answer = await client.get("/v1/me")
    assert [each["code"] for each in answer.json()["standing"]["departments"]] == ["SALES"]
    assert answer.json()["card"]["department"]["code"] == "SALES"
    assert [draft.action for draft in drafts].count("me.read") == 2


@pytest.mark.parametrize("look", LOOKS)
async def test_rights_that_never_hold_still_are_refused_and_nothing_is_opened(
    shared: World, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    who, whom = await add_person(shared), await photographed(shared)
    client, path = await shared.as_(who.name), look.format(path=whom.path)
    assert (await client.get(path)).status_code == 200
    before, true_permit = shared.application.opener.opened, shared.application.log.permit

    async def late(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
        account = await shared.application.account_rows.by_key(shared.application.database.reader, who.name)
        assert account is not None
        async with shared.application.database.unit_of_work() as unit:
            await epochs.bump(unit.session, account.epoch_key)
        return await true_permit(draft, **given)

    monkeypatch.setattr(shared.application.log, "permit", late)
    problem(await client.get(path), 409, "standing_changed")
    assert shared.application.opener.opened == before


@pytest.mark.parametrize("look", LOOKS)
async def test_without_the_log_nothing_is_told(shared: World, monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    whom = await photographed(shared)
    before = shared.application.opener.opened

    async def away(*_arguments: object, **_named: object) -> NoReturn:
        raise LogUnavailable

    monkeypatch.setattr(shared.application.log, "permit", away)
    client = await shared.as_("staff")
    problem(await client.get(look.format(path=whom.path)), 503, "access_log_unavailable")
    assert shared.application.opener.opened == before
    assert (await client.get("/v1/fields")).status_code == 200, "what the fields mean is nobody's data"


async def test_photos_that_arrive_together_are_kept_one_by_one(shared: World) -> None:
    someone = await add_person(shared)
    client = await shared.as_("hr")
    seen = (await client.get(someone.path)).headers["ETag"]
    sizes = [(size, size) for size in (20, 30, 40, 50)]
    answers = await asyncio.gather(
        *(
            client.post(f"{someone.path}/photo", content=picture("PNG", size), headers={**PNG, "If-Match": seen})
            for size in sizes
        )
    )
    taken = [answer.json()["version"] for answer in answers if answer.status_code == 200]
    assert taken
    assert {answer.status_code for answer in answers} <= {200, 412}
    shown = await client.get(f"{someone.path}/photo")
    assert shown.headers["ETag"].strip('"') in taken
    assert opened(shown.content).size in sizes
    told = (await client.get(f"{someone.path}/history", params={"limit": "200"})).json()["items"]
    assert [each["field"] for each in told].count("photo") == len(taken)


async def test_others_read_and_write_while_a_picture_is_drawn(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing holds neither the loop nor the one transaction that SQLite has."""
    someone = await add_person(shared)
    client, done, draw = await shared.as_("hr"), threading.Event(), photos._portrait

    def patient(data: bytes) -> tuple[bytes, tuple[int, int]]:
        assert done.wait(30)
        return draw(data)

    monkeypatch.setattr(photos, "_portrait", patient)
    posting = asyncio.create_task(client.post(f"{someone.path}/photo", content=picture("PNG"), headers=PNG))
    try:
        await asyncio.sleep(0)
        assert (await client.get(someone.path)).status_code == 200
        name = f"t{someone.number}-{shared.application.database.dialect}"
        assert (await client.post("/v1/tags", json={"name": name})).status_code == 201
        assert not posting.done()
    finally:
        done.set()
    assert (await posting).status_code == 200
