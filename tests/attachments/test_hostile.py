"""Hostile hands: rows and pieces changed past the service, uploads side by side, connections that break, and what lies where afterwards."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.attachments.errors import TooManyUploads
from app.attachments.keeping import Berths
from app.crypto.chunks import CHUNK_SIZE
from app.crypto.sealer import SubjectSealer
from tests.attachments.filing import CONTENT, NAME, attached, file, filed, listed, say, staged, upload
from tests.policy.tampering import Intruder
from tests.policy.test_leaks import dump
from tests.support.application import World
from tests.support.files import TEXT
from tests.support.problems import problem
from tests.support.shared import Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNT: Final = (
    "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM attachment_chunk), (SELECT count(*) FROM data_key)"
)
HEAD: Final = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
)
LONG: Final = b"Wu-Ming 13800007788 " * (3 * CHUNK_SIZE // 20)


@pytest.fixture
def intruder(company: Company) -> Intruder:
    """Give somebody with the database in hand."""
    return Intruder(company.store)


async def posted(world: World, who: str, path: str) -> Scope:
    """Describe a form that somebody posts."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "client": ("192.0.2.7", 1),
        "server": ("duanhao.test", 80),
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=b"),
            (b"authorization", f"Bearer {await world.token(who)}".encode()),
        ],
    }


def feed(given: list[Message]) -> Receive:
    async def receive() -> Message:
        return given.pop(0)

    return receive


def collect(told: list[Message]) -> Send:
    async def send(message: Message) -> None:
        told.append(message)

    return send


async def two_requests(world: World) -> tuple[str, UUID, str, UUID]:
    """File two requests with a file of three pieces each; give paths and files."""
    told: list[Any] = []
    for _ in range(2):
        someone = await add_person(world)
        proof = await staged(world, someone.name, content=LONG, name="a.txt", kind=TEXT)
        told += [await filed(world, someone, proof=proof), UUID(proof)]
    return (told[0], told[1], told[2], told[3])


async def pieces(intruder: Intruder, of: UUID) -> dict[int, bytes]:
    rows = await intruder.run("SELECT place, sealed FROM attachment_chunk WHERE attachment_id = ?", of)
    return {place: bytes(sealed) for place, sealed in rows}


async def put(intruder: Intruder, of: UUID, place: int, sealed: bytes) -> None:
    await intruder.run(
        "UPDATE attachment_chunk SET sealed = ? WHERE attachment_id = ? AND place = ?", sealed, of, place
    )


async def unreadable(world: World, path: str, identity: UUID) -> None:
    """Fail unless the file is told to be changed, none of it is told, and security knows."""
    with capture_logs() as logged:
        answer = await (await world.as_("head")).get(f"{path}/attachments/{identity}")
    problem(answer, 409, "attachment_unreadable")
    assert b"Wu-Ming" not in answer.content
    assert {"seal_broken", "row_mac_mismatch", "attachment_incomplete"} & {each["event"] for each in logged}


class TestChangedPastTheService:
    async def test_pieces_cut_swapped_repeated_or_from_another_file(self, shared: World, intruder: Intruder) -> None:
        path, one, _, other = await two_requests(shared)
        sound, foreign = await pieces(intruder, one), await pieces(intruder, other)
        assert sorted(sound) == [0, 1, 2]
        flipped = sound[1][:-1] + bytes((sound[1][-1] ^ 1,))
        for place, sealed in ((1, flipped), (1, sound[0]), (0, foreign[0]), (2, sound[1]), (1, sound[1][:-20])):
            await put(intruder, one, place, sealed)
            await unreadable(shared, path, one)
            await put(intruder, one, place, sound[place])
        await put(intruder, one, 0, sound[1])
        await put(intruder, one, 1, sound[0])
        await unreadable(shared, path, one)
        for place in (0, 1):
            await put(intruder, one, place, sound[place])
        await intruder.run("DELETE FROM attachment_chunk WHERE attachment_id = ? AND place = 2", one)
        await unreadable(shared, path, one)
        await intruder.run(
            "INSERT INTO attachment_chunk (attachment_id, place, sealed) VALUES (?, 2, ?)", one, sound[2]
        )
        answer = await (await shared.as_("head")).get(f"{path}/attachments/{one}")
        assert answer.content == LONG

    @pytest.mark.parametrize(
        "column", ["request_id", "owner_id", "media_type", "size", "digest", "uploaded_at", "name"]
    )
    async def test_no_column_is_believed_once_it_was_changed(
        self, shared: World, intruder: Intruder, column: str
    ) -> None:
        path, one, _, other = await two_requests(shared)
        ((theirs,),) = await intruder.run(f"SELECT {column} FROM attachment WHERE id = ?", other)
        ((mine,),) = await intruder.run(f"SELECT {column} FROM attachment WHERE id = ?", one)
        changed = {"media_type": "text/html", "size": 5}.get(column, theirs)
        await intruder.run(f"UPDATE attachment SET {column} = ? WHERE id = ?", changed, one)
        told = await (await shared.as_("head")).get(f"{path}/attachments/{one}")
        problem(told, 409, "attachment_unreadable")
        (item,) = await listed(shared, "head", f"{path}/attachments")
        assert (item["id"], item["available"], item["name"]) == (str(one), False, None)
        await intruder.run(f"UPDATE attachment SET {column} = ? WHERE id = ?", mine, one)
        (item,) = await listed(shared, "head", f"{path}/attachments")
        assert item["available"]

    async def test_swapped_rows_give_neither_request_the_others_file(self, shared: World, intruder: Intruder) -> None:
        one_path, one, other_path, other = await two_requests(shared)
        columns = "request_id, owner_id, name, media_type, size, digest, uploaded_at, mac"
        (first,) = await intruder.run(f"SELECT {columns} FROM attachment WHERE id = ?", one)
        (second,) = await intruder.run(f"SELECT {columns} FROM attachment WHERE id = ?", other)
        sets = ", ".join(f"{each} = ?" for each in columns.split(", "))
        await intruder.run(f"UPDATE attachment SET {sets} WHERE id = ?", *second, one)
        await intruder.run(f"UPDATE attachment SET {sets} WHERE id = ?", *first, other)
        for path, own, foreign in ((one_path, one, other), (other_path, other, one)):
            client = await shared.as_("head")
            problem(await client.get(f"{path}/attachments/{own}"), 409, "attachment_unreadable")
            problem(await client.get(f"{path}/attachments/{foreign}"), 404, "not_found")

    async def test_a_row_taken_away_shows_and_one_put_there_is_not_there(
        self, shared: World, intruder: Intruder
    ) -> None:
        path, one, _, other = await two_requests(shared)
        ((request,),) = await intruder.run("SELECT request_id FROM attachment WHERE id = ?", one)
        await intruder.run("UPDATE attachment SET request_id = ? WHERE id = ?", request, other)
        assert [each["id"] for each in await listed(shared, "head", f"{path}/attachments")] == [str(one)]
        await intruder.run("DELETE FROM attachment_chunk WHERE attachment_id = ?", one)
        await intruder.run("DELETE FROM attachment WHERE id = ?", one)
        (item,) = await listed(shared, "head", f"{path}/attachments")
        assert (item["id"], item["available"]) == (str(one), False)
        problem(await (await shared.as_("head")).get(f"{path}/attachments/{one}"), 409, "attachment_unreadable")

    async def test_an_end_that_was_put_off_by_hand_is_not_believed(self, shared: World, intruder: Intruder) -> None:
        someone = await add_person(shared)
        waiting = await staged(shared, someone.name)
        await intruder.run("UPDATE attachment SET expires_at = expires_at WHERE id = ?", UUID(waiting))
        assert len(await listed(shared, someone.name, "/v1/attachments")) == 1
        other = await add_person(shared)
        await intruder.run("UPDATE attachment SET owner_id = ? WHERE id = ?", other.id, UUID(waiting))
        for each in (someone, other):
            assert await listed(shared, each.name, "/v1/attachments") == []
            problem(await file(shared, each, proof=waiting), 422, "unknown_attachment")


class TestSideBySide:
    async def test_no_more_than_ten_whoever_is_first(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone)
        people = (someone.name, "head")
        for _ in range(4):
            await attached(shared, someone.name, path, content=b"x", name="a.txt", kind=TEXT)
        answers = await asyncio.gather(
            *(
                upload(shared, people[at % 2], f"{path}/attachments", content=b"x", name="a.txt", kind=TEXT)
                for at in range(12)
            )
        )
        codes = {each.json().get("code") for each in answers if each.status_code != 201}
        assert codes <= {"too_many_attachments", "too_many_uploads", "request_not_open", "unavailable"}
        while (await upload(shared, "head", f"{path}/attachments")).status_code == 201:
            pass
        assert len(await listed(shared, "head", f"{path}/attachments")) == 10

    async def test_one_file_is_filed_with_once(self, shared: World) -> None:
        someone = await add_person(shared)
        proof = await staged(shared, someone.name)
        body = {
            "kind": "contact.correction",
            "subject": {"type": "contact", "id": str(shared.people["colleague"])},
            "form": {"field": "title", "reason": "as the paper shows", "value": "x"},
            "attachments": [proof],
        }
        client = await shared.as_(someone.name)
        answers = await asyncio.gather(file(shared, someone, proof=proof), client.post("/v1/requests", json=body))
        assert sorted(each.status_code for each in answers) == [201, 422]

    async def test_deciding_and_attaching_never_both_come_first(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone)
        decided, added = await asyncio.gather(
            say(shared, "head", path), upload(shared, someone.name, f"{path}/attachments")
        )
        assert decided == "pending"
        assert added.status_code in {201, 409}
        assert len(await listed(shared, "hr", f"{path}/attachments")) == (added.status_code == 201)
        assert await say(shared, "hr", path) == "completed"

    async def test_discarding_and_filing_never_both_happen(self, shared: World) -> None:
        someone = await add_person(shared)
        proof = await staged(shared, someone.name)
        client = await shared.as_(someone.name)
        gone, asked = await asyncio.gather(
            client.delete(f"/v1/attachments/{proof}"), file(shared, someone, proof=proof)
        )
        assert (gone.status_code, asked.status_code) in {(204, 422), (404, 201)}


class TestOnTheWay:
    async def test_a_connection_that_breaks_off_leaves_nothing(self, shared: World, intruder: Intruder) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone)
        before = await intruder.run(COUNT)
        for at in ("/v1/attachments", f"{path}/attachments"):
            given: list[Message] = [
                {"type": "http.request", "body": HEAD + LONG, "more_body": True},
                {"type": "http.disconnect"},
            ]
            told: list[Message] = []
            await shared.app(await posted(shared, someone.name, at), feed(given), collect(told))
            assert told[0]["status"] == 422
        assert await intruder.run(COUNT) == before
        client = await shared.as_(someone.name)
        assert (await client.get(path)).json()["attachments"] == []

    async def test_a_write_that_breaks_off_between_pieces_leaves_nothing(
        self, shared: World, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        someone = await add_person(shared)
        path = await filed(shared, someone)
        before, whole = await intruder.run(COUNT), SubjectSealer.seal_file

        def broken(sealer: SubjectSealer, name: str, content: memoryview) -> Iterator[bytes]:
            yield from islice(whole(sealer, name, content), 2)
            raise OSError

        monkeypatch.setattr(SubjectSealer, "seal_file", broken)
        for at in ("/v1/attachments", f"{path}/attachments"):
            answer = await upload(shared, someone.name, at, content=LONG, name="a.txt", kind=TEXT)
            problem(answer, 503, "unavailable")
        assert await intruder.run(COUNT) == before
        monkeypatch.undo()
        await attached(shared, someone.name, path, content=LONG, name="a.txt", kind=TEXT)

    async def test_it_is_taken_without_a_length(self, shared: World) -> None:
        someone = await add_person(shared)

        async def form() -> AsyncIterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
            for at in range(0, len(CONTENT), 7):
                yield CONTENT[at : at + 7]
            yield b"\r\n--b--\r\n"

        client = await shared.as_(someone.name)
        answer = await client.post(
            "/v1/attachments", content=form(), headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 201, answer.text
        assert (await client.get(f"/v1/attachments/{answer.json()['id']}")).content == CONTENT

    async def test_nobody_without_a_token_makes_us_read(self, shared: World) -> None:
        read = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal read
            while read < 100:
                read += 1
                yield bytes(10_000)

        nobody = await shared.as_(None)
        for path in ("/v1/attachments", "/v1/requests/01936b00-0000-7000-8000-000000000001/attachments"):
            answer = await nobody.post(
                path, content=endless(), headers={"Content-Type": "multipart/form-data; boundary=b"}
            )
            problem(answer, 401, "token_required")
        assert read <= 2

    async def test_berths_are_few_and_come_back(self) -> None:
        berths, me = Berths(), UUID(int=1)
        async with berths.of(me), berths.of(me):
            with pytest.raises(TooManyUploads):
                await berths.of(me).__aenter__()
            async with berths.of(UUID(int=2)):
                pass
        async with berths.of(me):
            pass
        held = [berths.of(UUID(int=each)) for each in range(16)]
        for each in held:
            await each.__aenter__()
        with pytest.raises(TooManyUploads):
            await berths.of(UUID(int=99)).__aenter__()


async def test_neither_name_nor_content_lies_anywhere_in_clear(
    shared: World, company: Company, capfd: pytest.CaptureFixture[str]
) -> None:
    someone = await add_person(shared)
    proof = await staged(shared, someone.name)
    path = await filed(shared, someone, proof=proof)
    await (await shared.as_("head")).get(f"{path}/attachments/{proof}")
    await upload(shared, someone.name, name="../13800007788.pdf")
    await shared.settle()
    held = await dump(company.store)
    for needle in (CONTENT[20:60], b"Wu-Ming certificate", NAME.encode(), "户口本".encode()):
        assert not [where for where, content in held.items() if needle in content]
    told = "".join(capfd.readouterr())
    assert "户口本" not in told
    assert "13800007788" not in told
