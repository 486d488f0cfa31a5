"""Photos over HTTP on both engines: who is shown one, who may give one, what is on record, and that nothing tells who has one."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.contacts.own_schemas import PhotoReceipt
from app.contacts.photos import PhotoRows
from app.disclosure.records import Record
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from tests.policy.tampering import Intruder
from tests.policy.test_leaks import dump
from tests.support.application import World
from tests.support.pictures import FOREIGN, SECRET_PLACE, bomb, opened, picture, with_metadata
from tests.support.problems import faults, problem
from tests.support.shared import Added, Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PNG: Final = {"Content-Type": "image/png"}


async def give(
    world: World,
    path: str,
    picked: bytes | None = None,
    *,
    who: str = "hr",
    headers: Mapping[str, str] = PNG,
    **options: Any,  # noqa: ANN401 — of httpx
) -> httpx.Response:
    """Look at a card as ``who`` and give its person a photo."""
    client = await world.as_(who)
    seen = (await client.get(path)).headers.get("ETag", "*")
    content = picture("PNG") if picked is None and not options else picked
    return await client.post(f"{path}/photo", content=content, headers={"If-Match": seen, **headers}, **options)


async def photographed(world: World, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    someone = await add_person(world, **members)
    assert (await give(world, someone.path)).status_code == 200
    return someone


async def newest(world: World, contact: Any, **wanted: Any) -> EventDraft:  # noqa: ANN401 — members of a filter
    found = await world.application.events.search(EventFilter(contact_id=contact, **wanted), limit=1)
    return found.events[0].event


class TestGiving:
    async def test_a_photo_is_drawn_anew_and_shown(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await give(shared, someone.path, with_metadata("JPEG", orientation=6))
        assert answer.status_code == 200, answer.text
        receipt = PhotoReceipt.model_validate_json(answer.content)
        assert (receipt.id, receipt.width, receipt.height) == (someone.id, 341, 512)
        assert answer.headers["Location"] == f"{someone.path}/photo"
        shown = await (await shared.as_("outsider")).get(f"{someone.path}/photo")
        assert shown.status_code == 200
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["ETag"] == answer.headers["ETag"] == f'"{receipt.version}"'
        assert len(shown.content) == receipt.size
        assert opened(shown.content).size == (341, 512)
        assert SECRET_PLACE not in shown.content

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    async def test_content_tells_the_kind_and_not_the_name(self, shared: World, kind: str) -> None:
        someone = await add_person(shared)
        assert (await give(shared, someone.path, picture(kind), headers={"Content-Type": "image/x"})).status_code == 200

    async def test_a_form_does_as_well_as_a_body(self, shared: World) -> None:
        someone = await add_person(shared)
        one = await give(shared, someone.path, files={"photo": ("x.exe", picture("PNG"))}, headers={})
        two = await give(shared, someone.path, picture("PNG"))
        assert (one.status_code, two.status_code) == (200, 200), one.text
        assert one.json() == two.json()

    async def test_who_gives_is_on_record_and_in_the_history(self, shared: World) -> None:
        someone = await photographed(shared)
        await shared.settle()
        event = await newest(shared, someone.id, action="contact.update")
        assert (event.actor_id, event.fields) == (str(shared.people["hr"]), ("photo",))
        told = (await (await shared.as_("colleague")).get(f"{someone.path}/history")).json()["items"][0]
        assert (told["field"], told["state"], told["value"]) == ("photo", "told", "image/jpeg")

    async def test_the_same_photo_again_changes_nothing(self, shared: World) -> None:
        someone = await photographed(shared)
        changes = await shared.application.contact_rows.changes(someone.id, hidden=(), before=None, limit=200)
        again = await give(shared, someone.path)
        assert again.status_code == 200
        assert await shared.application.contact_rows.changes(someone.id, hidden=(), before=None, limit=200) == changes

    async def test_another_takes_its_place(self, shared: World) -> None:
        someone = await photographed(shared)
        client = await shared.as_("staff")
        before = await client.get(f"{someone.path}/photo")
        assert (await give(shared, someone.path, picture("PNG", (100, 100)))).status_code == 200
        after = await client.get(f"{someone.path}/photo")
        assert before.headers["ETag"] != after.headers["ETag"]
        assert opened(after.content).size == (100, 100)

    async def test_the_card_stays_what_it_was(self, shared: World) -> None:
        """A picture on the card would cost every card; front ends ask for it by address."""
        someone = await add_person(shared)
        client = await shared.as_("staff")
        before = await client.get(someone.path)
        await give(shared, someone.path)
        after = await client.get(someone.path)
        assert before.headers["ETag"] == after.headers["ETag"]
        assert "photo" not in after.json()

    async def test_a_card_that_moved_or_was_never_seen_gets_none(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        assert (await client.patch(someone.path, json={"title": "x"}, headers={"If-Match": seen})).status_code == 200
        for method in ("POST", "DELETE"):
            path, content = f"{someone.path}/photo", picture("PNG")
            stale = await client.request(method, path, content=content, headers={**PNG, "If-Match": seen})
            problem(stale, 412, "precondition_failed")
            problem(await client.request(method, path, content=content, headers=PNG), 428, "precondition_required")
        problem(await client.get(f"{someone.path}/photo"), 404, "not_found")

    @pytest.mark.parametrize("name", FOREIGN)
    async def test_what_is_no_picture_is_refused(self, shared: World, name: str) -> None:
        answer = await give(shared, f"/v1/contacts/{shared.people['bare']}", FOREIGN[name])
        problem(answer, 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        ("data", "headers", "status", "code"),
        [
            (bomb(), PNG, 422, "too_many_pixels"),
            (picture("PNG")[:400], PNG, 422, "unreadable_image"),
            (bytes(1_048_577), PNG, 413, "body_too_large"),
            (picture("PNG"), {"Content-Type": "application/json"}, 415, "unsupported_media_type"),
            (picture("PNG"), {"Content-Type": "text/html"}, 415, "unsupported_media_type"),
            (picture("PNG"), {"Content-Type": "multipart/form-data"}, 422, "invalid_request"),
            (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 422, "invalid_request"),
            (b"", {"Content-Type": "multipart/form-data; boundary=x"}, 422, "invalid_request"),
        ],
    )
    async def test_what_cannot_be_a_photo_is_refused(
        self, shared: World, data: bytes, headers: dict[str, str], status: int, code: str
    ) -> None:
        path = f"/v1/contacts/{shared.people['bare']}"
        problem(await give(shared, path, data, headers=headers), status, code)
        problem(await (await shared.as_("hr")).get(f"{path}/photo"), 404, "not_found")

    @pytest.mark.parametrize(
        "form",
        [
            {"files": {"picture": ("x.png", picture("PNG"))}},
            {"data": {"photo": "text"}, "files": {"other": ("x", b"")}},
            {"files": [("photo", ("1", picture("PNG"))), ("photo", ("2", picture("PNG")))]},
        ],
        ids=["another name", "text", "two"],
    )
    async def test_a_form_holds_one_file_named_photo(self, shared: World, form: dict[str, Any]) -> None:
        answer = await give(shared, f"/v1/contacts/{shared.people['bare']}", headers={}, **form)
        problem(answer, 422, "invalid_request")

    async def test_a_hotline_has_no_face(self, shared: World) -> None:
        answer = await give(shared, f"/v1/contacts/{shared.people['hotline']}")
        problem(answer, 422, "not_collected")
        assert faults(answer) == [("/photo", "not_collected")]

    async def test_a_writer_who_is_not_shown_it_is_not_told_its_version(self, shared: World) -> None:
        someone = await add_person(shared, secrecy="executive")
        answer = await give(shared, someone.path)
        assert answer.status_code == 200
        assert answer.json()["version"] is None
        assert "ETag" not in answer.headers
        problem(await (await shared.as_("hr")).get(f"{someone.path}/photo"), 404, "not_found")
        removed = [
            (await (await shared.as_("hr")).delete(f"{someone.path}/photo", headers={"If-Match": "*"})).status_code
            for _ in range(2)
        ]
        assert removed == [204, 204], "removing one and removing none look alike"


class TestRemoving:
    async def test_a_removed_photo_is_gone_and_on_record(self, company: Company) -> None:
        world = company.world
        someone = await photographed(world)
        answer = await (await world.as_("steward")).delete(f"{someone.path}/photo", headers={"If-Match": "*"})
        assert (answer.status_code, answer.content) == (204, b"")
        problem(await (await world.as_("hr")).get(f"{someone.path}/photo"), 404, "not_found")
        rows = await Intruder(company.store).run("SELECT 1 FROM contact_photo WHERE contact_id = ?", someone.id)
        assert rows == []
        told = (await (await world.as_("hr")).get(f"{someone.path}/history")).json()["items"][0]
        assert (told["field"], told["state"]) == ("photo", "removed")
        await world.settle()
        assert (await newest(world, someone.id, action="contact.update")).fields == ("photo",)

    async def test_removing_none_writes_nothing(self, shared: World) -> None:
        someone = await add_person(shared)
        before = await shared.application.contact_rows.changes(someone.id, hidden=(), before=None, limit=200)
        answer = await (await shared.as_("hr")).delete(f"{someone.path}/photo", headers={"If-Match": "*"})
        assert answer.status_code == 204
        assert await shared.application.contact_rows.changes(someone.id, hidden=(), before=None, limit=200) == before


#                  whose photo:  an employee  an executive
SEEN: Final = {
    "staff": (200, 404),
    "colleague": (200, 404),
    "outsider": (200, 404),
    "head": (200, 404),
    "hr": (200, 404),
    "steward": (200, 404),
    "infosec": (200, 404),
    "ceo": (200, 200),
    "intern": (404, 404),
    "directory-sync": (200, 404),
    "hr-system": (403, 403),
    "siem": (403, 403),
    "it-scripts": (403, 403),
}


class TestLooking:
    @pytest.mark.parametrize("who", SEEN)
    async def test_who_is_shown_a_photo(self, shared: World, who: str) -> None:
        plain, executive = await photographed(shared), await photographed(shared, secrecy="executive")
        client = await shared.as_(who)
        answers = [await client.get(f"{each.path}/photo") for each in (plain, executive)]
        assert tuple(answer.status_code for answer in answers) == SEEN[who]
        for answer in answers:
            if answer.status_code != 200:
                assert answer.headers["Content-Type"] == "application/problem+json"

    async def test_people_are_shown_their_own(self, shared: World) -> None:
        someone = await photographed(shared, secrecy="core")
        assert (await (await shared.as_(someone.name)).get(f"{someone.path}/photo")).status_code == 200

    async def test_withheld_none_hidden_and_absent_are_one_answer(self, shared: World) -> None:
        executive, bare, gone = await photographed(shared, secrecy="executive"), await add_person(shared), new_id()
        left = await photographed(shared)
        hr, staff = await shared.as_("hr"), await shared.as_("staff")
        assert (await hr.delete(left.path, headers={"If-Match": "*"})).status_code == 204
        told = []
        for path in (executive.path, bare.path, left.path, f"/v1/contacts/{gone}"):
            answer = await staff.get(f"{path}/photo", headers={"X-Request-ID": "the-same-for-all"})
            problem(answer, 404, "not_found")
            told.append((answer.content, {**answer.headers, "date": ""}))
        assert told == [told[0]] * 4

    async def test_the_store_is_not_asked_for_who_may_not_see(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A photo is large: fetching one to refuse it would tell by the clock that there is one."""
        with_one, without = await photographed(shared), await add_person(shared)
        asked: list[object] = []
        true_box = PhotoRows.box

        async def counted(self: PhotoRows, record: Record) -> bytes | None:
            asked.append(record.subject)
            return await true_box(self, record)

        monkeypatch.setattr(PhotoRows, "box", counted)
        intern, staff = await shared.as_("intern"), await shared.as_("staff")
        for each in (with_one, without):
            problem(await intern.get(f"{each.path}/photo"), 404, "not_found")
        assert asked == []
        for each in (with_one, without):
            await staff.get(f"{each.path}/photo")
        assert set(asked) == {with_one.id, without.id}

    async def test_each_look_is_on_record_as_one_opened_box(self, shared: World) -> None:
        someone = await photographed(shared)
        client, opener = await shared.as_("colleague"), shared.application.opener
        before = opener.opened
        answer = await client.get(f"{someone.path}/photo", params={"purpose": "safety"})
        assert opener.opened == before + 1
        event = await newest(shared, someone.id)
        assert (event.action, event.decision, event.purpose) == ("contact.photo", "allowed", "safety")
        assert [(dict(each.states), each.contacts) for each in event.cohorts] == [({"photo": "shown"}, (someone.id,))]
        note = orjson.loads(answer.headers["Duanhao-Disclosure"])
        assert (note["event_id"], note["purpose"]) == (str(event.id), "safety")
        assert note["obligations"] == ["watermark"]
        unchanged = await client.get(f"{someone.path}/photo", headers={"If-None-Match": answer.headers["ETag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (await newest(shared, someone.id)).id != event.id, "a 304 is a look too"

    async def test_the_log_finds_photos_by_field_and_state(self, shared: World) -> None:
        someone = await photographed(shared)
        await (await shared.as_("outsider")).get(f"{someone.path}/photo")
        asked = {"contact": str(someone.id), "field": "photo", "state": "shown"}
        found = (await (await shared.as_("siem")).get("/v1/access-events", params=asked)).json()["items"]
        assert [each["contacts"][0]["fields"] for each in found] == [{"photo": "shown"}]

    async def test_a_refused_look_is_on_record_and_opens_nothing(self, shared: World) -> None:
        someone = await photographed(shared)
        before = shared.application.opener.opened
        problem(await (await shared.as_("intern")).get(f"{someone.path}/photo"), 404, "not_found")
        assert shared.application.opener.opened == before
        event = await newest(shared, someone.id)
        assert (event.action, event.decision, event.code) == ("contact.photo", "refused", "not_found")

    async def test_a_version_says_nothing_of_who_else_has_the_same_picture(self, shared: World) -> None:
        one, two = await photographed(shared), await photographed(shared)
        client = await shared.as_("staff")
        tags = {(await client.get(f"{each.path}/photo")).headers["ETag"] for each in (one, two)}
        assert len(tags) == 2

    async def test_who_is_not_shown_photos_is_not_told_that_one_changed(self, shared: World) -> None:
        someone = await photographed(shared)
        for who, told in (("colleague", True), ("intern", False)):
            items = (await (await shared.as_(who)).get(f"{someone.path}/history")).json()["items"]
            assert ("photo" in {each["field"] for each in items}) is told

    async def test_no_reveal_opens_a_photo(self, shared: World) -> None:
        someone = await photographed(shared)
        body = {"fields": ["photo"], "purpose": "work_contact", "reason": "I would like to see"}
        problem(await (await shared.as_("hr")).post(f"{someone.path}/reveals", json=body), 422, "unknown_field")


#                                          POST and DELETE on somebody, on oneself
KEPT: Final = {
    None: (401, 401),
    "staff": (403, 403),
    "head": (403, 403),
    "infosec": (403, 403),
    "ceo": (403, 403),
    "intern": (403, 403),
    "hr-system": (403, 403),
    "siem": (403, 403),
    "directory-sync": (403, 403),
}


class TestWhoKeepsPhotos:
    @pytest.mark.parametrize("who", KEPT)
    async def test_only_those_who_edit_cards(self, shared: World, who: str | None) -> None:
        """Not even oneself: a change of one's own card is a request (S1a-9, S1e-13), which is filed and decided."""
        client = await shared.as_(who)
        own = shared.people.get(who or "", shared.people["bare"])
        for at, identity in enumerate((shared.people["bare"], own)):
            for method in ("POST", "DELETE"):
                answer = await client.request(
                    method,
                    f"/v1/contacts/{identity}/photo",
                    content=picture("PNG"),
                    headers={**PNG, "If-Match": "*"},
                )
                assert answer.status_code == KEPT[who][at]
        problem(await (await shared.as_("hr")).get(f"/v1/contacts/{own}/photo"), 404, "not_found")

    async def test_a_token_with_the_scope_does_not_give_the_power(self, shared: World) -> None:
        """Another issuer may write any scope into a token; the policy decides."""
        application = shared.application
        someone = await add_person(shared)
        minted = await application.tokens.mint(application.database.reader, "staff")
        subject = await application.verifier.verify(minted.text)
        viewer = await application.standings.of(subject, fresh=True)
        identity = shared.people["staff"]
        for path in (identity, someone.id):
            async with application.database.unit_of_work() as unit:
                with pytest.raises(NotPermitted):
                    await application.front.photos.replace(viewer, unit, path, "*", picture("PNG"))
        problem(await (await shared.as_("hr")).get(f"{someone.path}/photo"), 404, "not_found")

    async def test_a_leavers_live_token_gives_and_sees_nothing(self, shared: World) -> None:
        leaver = await add_person(shared, roles=("hr",), tier="T4")
        someone = await photographed(shared)
        client = await shared.as_(leaver.name)
        assert (await client.get(f"{someone.path}/photo")).status_code == 200
        await (await shared.as_("hr")).delete(leaver.path, headers={"If-Match": "*"})
        for method in ("GET", "POST", "DELETE"):
            answer = await client.request(
                method, f"{someone.path}/photo", content=picture("PNG"), headers={**PNG, "If-Match": "*"}
            )
            assert answer.status_code in {401, 403}, method


class TestAtRest:
    async def test_a_photo_lies_nowhere_in_clear(self, company: Company) -> None:
        world = company.world
        someone = await photographed(world)
        jpeg = (await (await world.as_("staff")).get(f"{someone.path}/photo")).content
        await world.settle()
        held = await dump(company.store)
        hidden = (jpeg[:64], jpeg[-64:], b64encode(jpeg)[:64], b64encode(jpeg)[-64:], b"JFIF")
        assert [name for name, data in held.items() if any(each in data for each in hidden)] == []

    async def test_a_photo_moved_to_another_person_is_not_shown(self, company: Company) -> None:
        world = company.world
        one, two = await photographed(world), await photographed(world)
        intruder, client = Intruder(company.store), await world.as_("staff")
        key = ("contact_photo", "contact_id")
        image = await intruder.column(*key, one.id, "image")
        digest, mac = [await intruder.column(*key, one.id, name) for name in ("digest", "mac")]
        for columns in (
            {"image": image},
            {"image": image, "digest": digest, "mac": mac},
            {"digest": digest},
            {"mac": mac},
        ):
            async with intruder.edited(*key, two.id, **columns):
                with capture_logs() as logged:
                    problem(await client.get(f"{two.path}/photo"), 404, "not_found")
                assert "row_mac_mismatch" in {line["event"] for line in logged}
        assert (await client.get(f"{two.path}/photo")).status_code == 200

    async def test_a_box_of_the_same_person_is_not_a_photo(self, company: Company) -> None:
        """History keeps a word under the same field name; who puts its box where the photo belongs is found out."""
        world = company.world
        someone = await photographed(world)
        intruder = Intruder(company.store)
        ((box,),) = await intruder.run(
            "SELECT value FROM contact_change WHERE contact_id = ? AND field = 'photo'", someone.id
        )
        async with intruder.edited("contact_photo", "contact_id", someone.id, image=box):
            problem(await (await world.as_("staff")).get(f"{someone.path}/photo"), 404, "not_found")
