"""From a file on somebody's disk to the decision that rests on it, over HTTP on both engines; and who is told what on the way."""

from datetime import timedelta

import pytest

from app.attachments.keeping import LIFETIME
from app.attachments.kinds import MOST_BYTES
from app.audit.repository import EventFilter
from tests.attachments.filing import CONTENT, NAME, attached, file, filed, listed, say, staged, upload
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.files import PNG, SOUND, TEXT
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestProof:
    async def test_staged_filed_read_on_record_and_decided(self, shared: World) -> None:
        someone = await add_person(shared)
        proof = await staged(shared, someone.name)
        (waiting,) = await listed(shared, someone.name, "/v1/attachments")
        assert (waiting["id"], waiting["name"], waiting["size"]) == (proof, NAME, len(CONTENT))
        path = await filed(shared, someone, proof=proof)
        assert await listed(shared, someone.name, "/v1/attachments") == []
        head = await shared.as_("head")
        (item,) = await listed(shared, "head", f"{path}/attachments")
        assert (item["id"], item["uploaded_by"], item["available"]) == (proof, str(someone.id), True)
        told = (await head.get(path)).json()
        assert told["attachments"] == [{"id": proof, "digest": item["digest"]}]
        answer = await head.get(f"{path}/attachments/{proof}")
        assert (answer.status_code, answer.content) == (200, CONTENT)
        found = await shared.application.events.search(EventFilter(contact_id=someone.id), limit=1)
        event = found.events[0].event
        assert (event.action, event.actor_id) == ("request.attachment", str(shared.people["head"]))
        assert event.query == {"request": path.rpartition("/")[2], "attachment": proof}
        assert str(event.id) in answer.headers["Duanhao-Disclosure"]
        auditor = await shared.as_("auditor")
        for asked, shown in ((str(someone.id), {}), (proof, {"attachment": "shown"})):
            query = {"action": "request.attachment", "contact": asked}
            (look,) = (await auditor.get("/v1/access-events", params=query)).json()["items"]
            assert look["actor"]["id"] == str(shared.people["head"])
            assert {each["id"]: each["fields"] for each in look["contacts"]} == {asked: shown}
        seen = (await (await shared.as_(someone.name)).get("/v1/me/viewed-by")).json()["items"]
        assert "request.attachment" in {each["action"] for each in seen}
        assert await say(shared, "head", path) == "pending"
        assert await say(shared, "hr", path) == "completed"
        assert (await shared.card(someone.name, someone.name))["title"] == "主任工程师"
        assert (await head.get(f"{path}/attachments/{proof}")).content == CONTENT

    async def test_it_leaves_to_be_saved_and_as_nothing_else(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone, proof=await staged(shared, someone.name))
        (item,) = await listed(shared, "head", f"{path}/attachments")
        answer = await (await shared.as_("head")).get(f"{path}/attachments/{item['id']}")
        told = answer.headers
        assert told["Content-Type"] == "application/pdf"
        assert told["Content-Disposition"] == (
            "attachment; filename=\"attachment.pdf\"; filename*=UTF-8''%E6%88%B7%E5%8F%A3%E6%9C%AC%20%E8%AF%81%E6%98%8E.pdf"
        )
        assert (told["X-Content-Type-Options"], told["Cache-Control"]) == ("nosniff", "no-store")
        assert "sandbox" in told["Content-Security-Policy"]

    async def test_anothers_a_used_one_and_none_are_one_answer(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        used = await staged(shared, someone.name)
        await filed(shared, someone, proof=used)
        anothers, nobodys = await staged(shared, other.name), "01936b00-0000-7000-8000-000000000001"
        await filed(shared, other)
        third = await add_person(shared)
        answers = []
        for proof in (anothers, used, nobodys):
            told = problem(await file(shared, third, proof=proof), 422, "unknown_attachment")
            assert [(each["pointer"], each["code"]) for each in told["errors"]] == [
                ("/form/proof", "unknown_attachment")
            ]
            answers.append({**told, "instance": None})
            preview = await (await shared.as_(third.name)).post(
                "/v1/request-previews",
                json={
                    "kind": "contact.change",
                    "subject": {"type": "contact", "id": str(third.id)},
                    "form": {"changes": {"title": "x"}, "reason": "a reason", "proof": proof},
                },
            )
            assert {**problem(preview, 422, "unknown_attachment"), "instance": None} == answers[0]
        assert answers[0] == answers[1] == answers[2]
        assert (await (await shared.as_(third.name)).get("/v1/requests")).json()["items"] == []

    async def test_several_beside_the_form_are_bound_in_their_order(self, shared: World) -> None:
        someone = await add_person(shared)
        first, second = await staged(shared, someone.name), await staged(shared, someone.name, name="b.pdf")
        path = await filed(shared, someone, attachments=[second, first])
        assert [each["id"] for each in await listed(shared, "head", f"{path}/attachments")] == [second, first]
        problem(await file(shared, await add_person(shared), attachments=[first]), 422, "unknown_attachment")


class TestWhileItIsDecided:
    async def test_a_file_counts_for_what_is_signed_and_none_comes_after_the_first_word(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone)
        head, hr = await shared.as_("head"), await shared.as_("hr")
        seen = await head.get(path)
        assert "attachments" in seen.json()["actions"]
        await attached(shared, "head", path, name="b.pdf")
        await attached(shared, someone.name, path)
        after = await head.get(path)
        assert after.json()["digest"] != seen.json()["digest"]
        late = await head.post(
            f"{path}/decisions", json={"decision": "approve"}, headers={"If-Match": seen.headers["ETag"]}
        )
        problem(late, 412, "precondition_failed")
        assert await say(shared, "head", path) == "pending"
        for who in (someone.name, "head", "hr"):
            problem(await upload(shared, who, f"{path}/attachments"), 409, "request_not_open")
        assert "attachments" not in (await hr.get(path)).json()["actions"]
        assert await say(shared, "hr", path) == "completed"
        problem(await upload(shared, someone.name, f"{path}/attachments"), 409, "request_not_open")

    async def test_sent_back_it_takes_more_and_is_signed_anew(self, shared: World) -> None:
        someone = await add_person(shared)
        first = await staged(shared, someone.name)
        path = await filed(shared, someone, proof=first)
        await say(shared, "head", path)
        assert await say(shared, "hr", path, "return") == "amending"
        second = (await attached(shared, someone.name, path, name="b.pdf")).rpartition("/")[2]
        third = await staged(shared, someone.name, name="c.pdf")
        await filed(shared, someone, amends=path, proof=third)
        assert [each["id"] for each in await listed(shared, "head", f"{path}/attachments")] == [first, second, third]
        assert await say(shared, "head", path) == "pending"
        assert await say(shared, "hr", path) == "completed"

    async def test_withdrawn_it_takes_none_and_keeps_what_it_has(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone, proof=await staged(shared, someone.name))
        await (await shared.as_(someone.name)).post(f"{path}/withdrawals")
        problem(await upload(shared, someone.name, f"{path}/attachments"), 409, "request_not_open")
        (item,) = await listed(shared, "head", f"{path}/attachments")
        assert (await (await shared.as_("head")).get(f"{path}/attachments/{item['id']}")).content == CONTENT

    async def test_a_repeated_upload_is_one_file(self, shared: World) -> None:
        someone = await add_person(shared)
        first = await upload(shared, someone.name, key="upload-1")
        again = await upload(shared, someone.name, key="upload-1")
        assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
        problem(await upload(shared, someone.name, key="upload-1", name="b.pdf"), 422, "idempotency_key_reused")
        path = await filed(shared, someone)
        told = await upload(shared, someone.name, f"{path}/attachments", key="upload-2")
        await say(shared, "head", path)
        repeated = await upload(shared, someone.name, f"{path}/attachments", key="upload-2")
        assert repeated.json() == told.json()
        assert len(await listed(shared, "hr", f"{path}/attachments")) == 1


class TestWho:
    async def test_strangers_and_overseers_get_what_is_not_there(self, shared: World) -> None:
        someone = await add_person(shared)
        proof = await staged(shared, someone.name)
        path = await filed(shared, someone, proof=proof)
        nowhere = "/v1/requests/01936b00-0000-7000-8000-000000000001"
        for who in ("colleague", "auditor", "infosec", "hr"):
            client = await shared.as_(who)
            for at in (path, nowhere):
                problem(await client.get(f"{at}/attachments"), 404, "not_found")
                problem(await client.get(f"{at}/attachments/{proof}"), 404, "not_found")
                problem(await upload(shared, who, f"{at}/attachments"), 404, "not_found")
            problem(await client.get(f"/v1/attachments/{proof}"), 404, "not_found")
            problem(await client.delete(f"/v1/attachments/{proof}"), 404, "not_found")
        overseen = (await (await shared.as_("auditor")).get(path)).json()
        assert [each["id"] for each in overseen["attachments"]] == [proof]
        assert "attachments" not in overseen["actions"]

    async def test_what_waits_is_its_uploaders_alone(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        waiting = await staged(shared, someone.name)
        mine, theirs = await shared.as_(someone.name), await shared.as_(other.name)
        problem(await theirs.get(f"/v1/attachments/{waiting}"), 404, "not_found")
        problem(await theirs.delete(f"/v1/attachments/{waiting}"), 404, "not_found")
        assert await listed(shared, other.name, "/v1/attachments") == []
        assert (await mine.get(f"/v1/attachments/{waiting}")).content == CONTENT
        assert (await mine.delete(f"/v1/attachments/{waiting}")).status_code == 204
        problem(await mine.get(f"/v1/attachments/{waiting}"), 404, "not_found")
        problem(await file(shared, someone, proof=waiting), 422, "unknown_attachment")

    async def test_a_file_of_one_request_is_not_read_in_another(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        proof = await staged(shared, someone.name)
        await filed(shared, someone, proof=proof)
        path = await filed(shared, other)
        problem(await (await shared.as_("head")).get(f"{path}/attachments/{proof}"), 404, "not_found")


class TestWhatIsTaken:
    @pytest.mark.parametrize("kind", sorted(SOUND))
    async def test_every_type_comes_back_as_it_went(self, shared: World, kind: str) -> None:
        someone, (name, content) = await add_person(shared), SOUND[kind]
        waiting = await staged(shared, someone.name, content=content, name=name, kind=kind)
        answer = await (await shared.as_(someone.name)).get(f"/v1/attachments/{waiting}")
        assert answer.content == content
        assert answer.headers["Content-Type"].partition(";")[0] == kind

    async def test_ten_mebibytes_are_taken_and_one_byte_more_is_not(self, shared: World) -> None:
        someone = await add_person(shared)
        content = b"x" * MOST_BYTES
        waiting = await staged(shared, someone.name, content=content, name="a.txt", kind=TEXT)
        answer = await (await shared.as_(someone.name)).get(f"/v1/attachments/{waiting}")
        assert answer.content == content
        refused = await upload(shared, someone.name, content=content + b"x", name="a.txt", kind=TEXT)
        problem(refused, 413, "body_too_large")
        assert len(await listed(shared, someone.name, "/v1/attachments")) == 1

    @pytest.mark.parametrize(
        ("name", "content", "kind", "status", "code"),
        [
            ("a.pdf", CONTENT, "text/html", 415, "unsupported_media_type"),
            ("a.pdf", CONTENT, "application/zip", 415, "unsupported_media_type"),
            ("a.png", CONTENT, PNG, 422, "content_mismatch"),
            ("a.exe", CONTENT, "application/pdf", 422, "content_mismatch"),
            ("../a.pdf", CONTENT, "application/pdf", 422, "unfit_file_name"),
            ("a.txt", b"", TEXT, 422, "unreadable_file"),
            ("a.txt", b"<script>", TEXT, 422, "unsafe_content"),
        ],
    )
    async def test_what_is_not_taken_leaves_nothing(
        self, shared: World, name: str, content: bytes, kind: str, status: int, code: str
    ) -> None:
        someone = await add_person(shared)
        told = problem(await upload(shared, someone.name, name=name, content=content, kind=kind), status, code)
        assert name not in str(told)
        assert await listed(shared, someone.name, "/v1/attachments") == []

    async def test_there_are_ten_at_most(self, shared: World) -> None:
        someone = await add_person(shared)
        waiting = [await staged(shared, someone.name, content=b"x", name="a.txt", kind=TEXT) for _ in range(10)]
        problem(await upload(shared, someone.name), 409, "too_many_attachments")
        path = await filed(shared, someone, attachments=waiting)
        problem(await upload(shared, someone.name, f"{path}/attachments"), 409, "too_many_attachments")
        more = await staged(shared, someone.name)
        await say(shared, "head", path, "return")
        problem(await file(shared, someone, amends=path, proof=more), 409, "too_many_attachments")


async def test_what_nobody_filed_with_is_gone_after_a_day(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    someone, desk = await add_person(shared), shared.application.attachments
    kept = await staged(shared, someone.name)
    path = await filed(shared, someone, proof=kept)
    waiting = await staged(shared, someone.name)
    clock = FrozenClock(shared.application.clock.now() + LIFETIME + timedelta(minutes=1))
    monkeypatch.setattr(desk.keeper, "_clock", clock)
    assert await desk.sweep() >= 1
    assert await desk.sweep() == 0
    assert await listed(shared, someone.name, "/v1/attachments") == []
    problem(await file(shared, someone, proof=waiting), 422, "unknown_attachment")
    assert (await (await shared.as_("head")).get(f"{path}/attachments/{kept}")).content == CONTENT
    await shared.settle()
    found = await shared.application.events.search(EventFilter(action="attachment.expire"), limit=200)
    assert waiting in {(each.event.query or {}).get("attachment") for each in found.events}
