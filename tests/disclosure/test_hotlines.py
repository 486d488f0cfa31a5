"""While the log cannot be written hotlines are answered, closed; nobody else ever is by that door."""

from typing import Any, NoReturn

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from app.contacts.fields import CATALOGUE
from app.disclosure.guard import DisclosureGuard
from app.disclosure.hotlines import HotlineDoor, UnloggedHotlineAnswer
from app.kit.context import RequestContext, enter_request
from app.kit.errors import Internal, LogUnavailable
from app.permissions.outcomes import Purpose
from tests.disclosure.test_gate import record_of
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Company, add_person
from tests.support.witness import WITNESS

pytestmark = pytest.mark.asyncio(loop_scope="session")

READERS = ("staff", "outsider", "hr", "directory-sync")


@pytest.fixture
def no_log(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no entry be written."""

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise LogUnavailable

    for name in ("permit", "record"):
        monkeypatch.setattr(shared.application.log, name, refuse)


def path_of(world: World, name: str) -> str:
    return f"/v1/contacts/{world.people[name]}"


def check(card: dict[str, Any], logged: dict[str, Any], note: dict[str, Any]) -> None:
    """Fail unless ``card`` says of a hotline what the ``logged`` one said, but nothing sealed."""
    sealed = {field.name for field in CATALOGUE.of_kind("hotline")}
    told = card.keys() - sealed - {"version", "disclosure"}
    assert {name: card[name] for name in told} == {name: logged[name] for name in told}
    assert told >= {"name", "kind", "short_numbers", "extension", "department"}
    assert all(card[name] == {"state": "withheld"} for name in sealed)
    assert (note["event_id"], "unlogged" in note["obligations"]) == (None, True)


@pytest.mark.parametrize("reader", READERS)
async def test_a_hotline_is_answered_closed_and_security_is_told(
    shared: World, request: pytest.FixtureRequest, reader: str
) -> None:
    client, path = await shared.as_(reader), path_of(shared, "hotline")
    logged = (await client.get(path)).json()
    assert logged["disclosure"]["event_id"] is not None
    request.getfixturevalue("no_log")
    opened = len(WITNESS.openings)
    with capture_logs() as lines:
        answer = await client.get(path, headers={"If-None-Match": f'"{logged["version"]}"'})
    assert answer.status_code == 200
    check(answer.json(), logged, answer.json()["disclosure"])
    assert len(WITNESS.openings) == opened
    (line,) = [each for each in lines if each["event"] == "unlogged_hotline_answer"]
    assert line["contacts"] == [str(shared.people["hotline"])]
    assert line["client_id"] == (await shared.viewer(reader)).standing.client_id


async def test_a_list_of_hotlines_is_answered_too_with_pages_and_total(
    shared: World, request: pytest.FixtureRequest
) -> None:
    client, path = await shared.as_("staff"), "/v1/contacts?kind=hotline&limit=1&total=true"
    logged = (await client.get(path)).json()
    request.getfixturevalue("no_log")
    answer = await client.get(path)
    assert answer.status_code == 200
    page = answer.json()
    assert (page["total"], bool(page["next"])) == (logged["total"], bool(logged["next"]))
    (card,), (before,) = page["items"], logged["items"]
    check(card, before, page["disclosure"])


@pytest.mark.usefixtures("no_log")
@pytest.mark.parametrize(
    "path",
    ["", "?kind=employee", "?limit=1", "?status=active", "?kind=temporary&total=true", "?q=热线"],
)
async def test_every_other_list_is_503(shared: World, path: str) -> None:
    for reader in READERS:
        problem(await (await shared.as_(reader)).get(f"/v1/contacts{path}"), 503, "access_log_unavailable")


@pytest.mark.usefixtures("no_log")
async def test_everybody_else_and_every_other_look_is_503(shared: World) -> None:
    hotline = path_of(shared, "hotline")
    nobody = "/v1/contacts/00000000-0000-7000-8000-000000000000"
    for reader in ("staff", "hr"):
        client = await shared.as_(reader)
        for path in (path_of(shared, "staff"), path_of(shared, "core"), nobody, f"{hotline}/history", "/v1/me"):
            problem(await client.get(path), 503, "access_log_unavailable")
        body = {"fields": ["office_phone"], "purpose": "work_contact", "reason": "no reason that would help"}
        problem(await client.post(f"{hotline}/reveals", json=body), 503, "access_log_unavailable")


async def test_nobody_becomes_a_hotline_by_hand(
    shared: World, company: Company, request: pytest.FixtureRequest
) -> None:
    someone = await add_person(shared)
    async with Intruder(company.store).edited("contact", "id", someone.id, kind="hotline"):
        request.getfixturevalue("no_log")
        client = await shared.as_("hr")
        problem(await client.get(someone.path), 503, "access_log_unavailable")
        with capture_logs() as lines:
            answer = await client.get("/v1/contacts?kind=hotline&limit=200")
        assert answer.status_code == 200
        assert str(someone.id) not in answer.text
        assert all(secret not in answer.text for secret in someone.secrets)
        assert {each["kind"] for each in answer.json()["items"]} == {"hotline"}
        assert "seal_broken" in {line["event"] for line in lines}


class TestTheDoor:
    async def test_whoever_is_no_hotline_does_not_pass(self, shared: World) -> None:
        door, viewer = HotlineDoor(shared.application.gate), await shared.viewer("hr")
        hotline, staff = [await record_of(shared, shared.people[name]) for name in ("hotline", "staff")]
        context = RequestContext(request_id="r" * 16)
        enter_request(context)
        for record in (staff, None):
            with pytest.raises(LogUnavailable):
                door.card(viewer, Purpose.WORK_CONTACT, record)
        with pytest.raises(LogUnavailable):
            door.page(viewer, Purpose.WORK_CONTACT, [hotline, staff], None, None)
        refused = context.unlogged_hotline_answer
        assert refused is None
        body, _ = door.card(viewer, Purpose.WORK_CONTACT, hotline)
        leave = context.unlogged_hotline_answer
        assert isinstance(leave, UnloggedHotlineAnswer)
        assert (leave.covers(body), leave.covers(body + b" ")) == (True, False)

    async def test_leave_is_not_made_by_hand(self) -> None:
        with pytest.raises(TypeError, match="never constructed"):
            UnloggedHotlineAnswer(object(), b"{}")


class TestTheFence:
    """What the last fence lets pass for a request that holds leave for one body."""

    async def answered(self, shared: World, status: int, *bodies: bytes) -> list[dict[str, Any]]:
        context = RequestContext(request_id="r" * 16, disclosing=True)
        enter_request(context)
        door, viewer = HotlineDoor(shared.application.gate), await shared.viewer("staff")
        body, _ = door.card(viewer, Purpose.WORK_CONTACT, await record_of(shared, shared.people["hotline"]))
        sent: list[dict[str, Any]] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            del scope, receive
            await send({"type": "http.response.start", "status": status, "headers": []})
            for each in bodies or (body,):
                await send({"type": "http.response.body", "body": each or body, "more_body": True})

        async def receive() -> NoReturn:
            raise AssertionError

        async def send(message: Any) -> None:  # noqa: ANN401 — an ASGI message
            sent.append(message)

        await DisclosureGuard(app)({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)
        return sent

    async def test_the_very_bytes_pass(self, shared: World) -> None:
        start, body = await self.answered(shared, 200)
        assert (start["status"], b"hotline" in body["body"]) == (200, True)

    @pytest.mark.parametrize("bodies", [(b'{"name":"somebody"}',), (b"", b""), (b"", b"more")])
    async def test_other_bytes_or_more_of_them_break_off(self, shared: World, bodies: tuple[bytes, ...]) -> None:
        with pytest.raises(Internal):
            await self.answered(shared, 200, *bodies)

    @pytest.mark.parametrize("status", [201, 206, 304])
    async def test_no_other_answer_passes(self, shared: World, status: int) -> None:
        start, *_ = await self.answered(shared, status)
        assert start["status"] == 500
