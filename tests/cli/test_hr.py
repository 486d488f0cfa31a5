"""``duanhao hr push``: reads a file whole, sends it in order, waits for a busy service, and says by its exit code what became of it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli.hr import app
from app.cli.pushing import Credentials, push_file
from app.demo.events import (
    DEPARTMENTS,
    FOUNDED,
    JOINED,
    LEAVING,
    LEFT,
    MOVED,
    REHIRED,
    STAYED,
    UPDATED,
    hr_events,
    lines,
)
from app.departments.schemas import DepartmentCreate
from app.hr import signatures
from app.hr.data import DATA, CancelledData, JoinedData
from app.hr.models import HrEvent
from app.hr.schemas import HrEventIn
from app.kit.clock import SystemClock
from app.notices.signing import new_secret
from tests.hr.events import SOURCE, joined, left
from tests.support.application import OPERATOR, World
from tests.support.clock import NOON, FrozenClock
from tests.support.tree import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "hr-events.jsonl"
TOKEN = "token-of-a-test"
SECRET = "secret-of-a-test"


def told(
    body: dict[str, Any], state: str = "applied", *, replayed: bool = False, short: bool = False
) -> httpx.Response:
    """Answer an event as the service does."""
    problem = {"code": "unknown_subject", "detail": "Nobody has it"} if state == "failed" else None
    if short:
        problem = {"code": "pool_exhausted", "detail": "None is free"}
    receipt = {"id": body["id"], "state": state, "contact_id": None, "numbers": [], "problem": problem}
    return httpx.Response(202, json=receipt, headers={"Idempotency-Replayed": "true"} if replayed else {})


def refused(status: int, code: str, *errors: dict[str, str], **headers: str) -> httpx.Response:
    """Answer with a problem document."""
    return httpx.Response(status, json={"code": code, "detail": "So it is", "errors": list(errors)}, headers=headers)


@dataclass(slots=True)
class Service:
    """Stands in for the network: gives its scripted answers first, then applies everything."""

    script: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        body = request.content.decode()
        self.asked.append((request.url.path, request.headers.get("Authorization", ""), body))
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": f"t{len(self.asked)}"})
        return told(json.loads(body))

    def push(self, file: Path, credentials: Credentials | None = None, *, as_json: bool = False) -> int:
        """Run the command's work against this service."""
        return push_file(
            file,
            "http://service.test",
            credentials or Credentials(token=TOKEN),
            as_json=as_json,
            connect=lambda url: httpx.Client(base_url=url, transport=httpx.MockTransport(self.handle)),
            sleep=self.waited.append,
        )


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file of three events, with a blank line and a byte order mark."""
    return written(tmp_path, [joined("E9001"), joined("E9002"), left("E9001")])


def written(folder: Path, events: Sequence[dict[str, Any]]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("\n\n".join(json.dumps(each, ensure_ascii=False) for each in events) + "\n", encoding="utf-8-sig")
    return path


def test_events_are_sent_in_order_with_the_token(
    service: Service, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service.push(file) == 0
    subjects = [json.loads(body)["subject"] for _, _, body in service.asked]
    assert subjects == ["E9001", "E9002", "E9001"]
    assert {(path, authorization) for path, authorization, _ in service.asked} == {("/v1/hr/events", f"Bearer {TOKEN}")}
    output = capsys.readouterr()
    assert output.out.startswith("3 sent")
    assert "3 applied" in output.out
    assert "3/3" in output.err


def test_some_failed(service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [joined("E9001"), left("E9002"), left("E9001")]
    service.script = [told(events[0], replayed=True), told(events[1], "failed")]
    assert service.push(written(tmp_path, events)) == 1
    output = capsys.readouterr()
    assert "3 sent" in output.out
    assert "2 applied" in output.out
    assert "1 failed" in output.out
    assert f"line 3: {events[1]['id']}: failed: unknown_subject: Nobody has it" in output.err


def test_events_are_signed_anew_at_every_attempt(
    service: Service, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, clock = new_secret(), FrozenClock(NOON)
    (tmp_path / "secret").write_text(f"{secret}\n")
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    sent: list[httpx.Request] = []
    handle = Service.handle

    def overheard(itself: Service, request: httpx.Request) -> httpx.Response:
        attempt = signatures.read([(name.lower(), value) for name, value in request.headers.raw], clock.now())
        assert signatures.matches(attempt, request.content, [secret])
        sent.append(request)
        clock.advance(minutes=4)
        return handle(itself, request)

    monkeypatch.setattr(Service, "handle", overheard)
    service.script = [refused(503, "unavailable"), refused(503, "unavailable")]
    assert service.push(file, Credentials(token=TOKEN, secret_file=tmp_path / "secret")) == 0
    ids = [each.headers["webhook-id"] for each in sent]
    assert (len(ids), len(set(ids)), ids[0]) == (5, 3, ids[2]), "a repeat has the id of the first attempt"
    assert not any("authorization" in each.headers for each in sent)


@pytest.mark.parametrize("content", ["", "whsec_", "whsec_not base64!", "密"])
def test_a_file_without_a_secret_sends_nothing(
    service: Service, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "secret").write_text(content, encoding="utf-8")
    assert service.push(file, Credentials(secret_file=tmp_path / "secret")) == 2
    assert "no signing secret" in capsys.readouterr().err
    assert service.asked == []


@pytest.mark.parametrize(
    ("states", "code", "totals"),
    [
        (
            ("applied", "scheduled", "superseded"),
            0,
            "1 applied 已生效, 1 scheduled 待生效, 1 superseded 已被取代, 0 failed 未生效",
        ),
        (("applied", "waiting", "applied"), 1, "2 applied 已生效, 1 waiting 等待中, 0 failed 未生效"),
        (("failed", "failed", "applied"), 1, "1 applied 已生效, 2 failed 未生效"),
    ],
)
def test_the_totals_by_state_and_the_exit_code(
    service: Service, file: Path, capsys: pytest.CaptureFixture[str], states: Sequence[str], code: int, totals: str
) -> None:
    bodies = [json.loads(line) for line in file.read_text(encoding="utf-8-sig").splitlines() if line]
    service.script = [told(body, state) for body, state in zip(bodies, states, strict=True)]
    assert service.push(file) == code
    assert capsys.readouterr().out == f"3 sent 已发送: {totals}; 0 sent before 重复\n"


def test_a_joiner_without_a_number_is_told_and_no_failure(
    service: Service, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.loads(file.read_text(encoding="utf-8-sig").splitlines()[0])
    service.script = [told(body, short=True)]
    assert service.push(file) == 0
    output = capsys.readouterr()
    assert "3 applied" in output.out
    assert f"line 1: {body['id']}: applied: pool_exhausted: None is free" in output.err


def test_the_outcome_for_machines_is_one_object_and_nothing_else(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [joined("E9001"), left("E9002"), left("E9001")]
    service.script = [told(events[0], replayed=True), told(events[1], "failed"), refused(422, "event_id_reused")]
    assert service.push(written(tmp_path, events), as_json=True) == 2
    output = capsys.readouterr()
    assert output.err == ""
    assert json.loads(output.out) == {
        "sent": 2,
        "applied": 1,
        "scheduled": 0,
        "waiting": 0,
        "superseded": 0,
        "failed": 1,
        "replayed": 1,
        "problems": [
            {
                "line": 3,
                "id": events[1]["id"],
                "state": "failed",
                "code": "unknown_subject",
                "detail": "Nobody has it",
            }
        ],
        "stopped": "line 5: 422 event_id_reused: So it is",
    }


def test_a_refusal_ends_the_run_and_says_where(
    service: Service, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = {"pointer": "/data/mobile", "code": "malformed_phone"}
    service.script = [refused(422, "invalid_request", fault)]
    assert service.push(file) == 2
    assert len(service.asked) == 1
    assert "line 1: 422 invalid_request (/data/mobile malformed_phone)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'{"id": 1}\n{"id": \n', "line 2 is not a JSON object"),
        (b'{"id": 1}\n["id"]\n', "line 2 is not a JSON object"),
        (b"[" * 100_000, "line 1 is not a JSON object"),
        (b"\n \n", "no events"),
        (b"\xff\xfe{\x00", "not UTF-8"),
    ],
)
def test_a_file_that_is_not_events_is_not_sent(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, fault: str
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    assert service.push(path) == 2
    assert service.asked == []
    assert fault in capsys.readouterr().err


def test_a_busy_service_is_waited_for_as_long_as_it_asks(service: Service, file: Path) -> None:
    service.script = [
        refused(503, "access_log_unavailable", **{"Retry-After": "7"}),
        refused(429, "too_many_requests", **{"Retry-After": "86400"}),
        refused(503, "unavailable", **{"Retry-After": "Sat, 21 Nov 2026 18:00:00 GMT"}),
        httpx.ReadTimeout("slow"),
    ]
    assert service.push(file) == 0
    assert service.waited == [7.0, 30.0, 4.0, 8.0]
    assert len({body for _, _, body in service.asked}) == 3


@pytest.mark.parametrize("last", [refused(503, "unavailable"), httpx.ConnectError("no route")])
def test_a_service_that_stays_away_ends_the_run(
    service: Service, file: Path, capsys: pytest.CaptureFixture[str], last: httpx.Response | Exception
) -> None:
    service.script = [last] * 100
    assert service.push(file) == 2
    assert len(service.asked) == 6
    assert service.waited == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert "line 1" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [httpx.UnsupportedProtocol("no scheme"), httpx.LocalProtocolError("illegal header")])
def test_what_can_never_be_sent_is_not_tried_again(service: Service, file: Path, fault: Exception) -> None:
    service.script = [fault]
    assert service.push(file) == 2
    assert (len(service.asked), service.waited) == (1, [])


@pytest.mark.parametrize(
    "answer", [httpx.Response(202, text="<html>"), httpx.Response(202, json=[]), told({"id": "x"}, "done")]
)
def test_an_answer_of_something_else_ends_the_run(service: Service, file: Path, answer: httpx.Response) -> None:
    service.script = [answer]
    assert service.push(file) == 2
    assert len(service.asked) == 1


def test_a_client_signs_in_and_again_when_its_token_has_expired(service: Service, file: Path) -> None:
    service.script = [httpx.Response(200, json={"access_token": "first"}), refused(401, "token_expired")]
    assert service.push(file, Credentials(None, "hr-system", SECRET)) == 0
    paths = [(path, authorization) for path, authorization, _ in service.asked]
    again = ("/v1/hr/events", "Bearer t3")
    assert paths == [("/oauth/token", ""), ("/v1/hr/events", "Bearer first"), ("/oauth/token", ""), *[again] * 3]
    form = service.asked[0][2]
    assert "grant_type=client_credentials" in form
    assert "scope=hr%3Awrite" in form


@pytest.mark.parametrize(
    ("script", "credentials", "fault"),
    [
        ([refused(401, "token_expired")], Credentials(TOKEN), "line 1: 401 token_expired"),
        ([refused(403, "insufficient_scope")], Credentials(TOKEN), "line 1: 403 insufficient_scope"),
        (
            [httpx.Response(401, json={"error": "invalid_client"})],
            Credentials(None, "hr-system", SECRET),
            "signing in: 401 invalid_client",
        ),
        ([httpx.Response(502, text="gateway")], Credentials(None, "hr-system", SECRET), "signing in: 502"),
        ([], Credentials(None, "hr-system", None), "give --token"),
        ([], Credentials(), "give --token"),
    ],
)
def test_without_a_right_nothing_is_sent_on(
    service: Service,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    script: list[httpx.Response | Exception],
    credentials: Credentials,
    fault: str,
) -> None:
    service.script = [*script, *script]
    assert service.push(file, credentials) == 2
    assert len(service.asked) == len(script)
    output = capsys.readouterr()
    assert fault in output.err
    assert SECRET not in output.err + output.out
    assert TOKEN not in output.err + output.out + repr(credentials)


def test_help_loads_neither_the_client_nor_the_service() -> None:
    code = "import sys, app.cli.hr; print({'httpx', 'sqlalchemy', 'fastapi', 'app.cli.pushing'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_help_tells_the_exit_codes() -> None:
    outcome = CliRunner().invoke(app, ["push", "--help"], terminal_width=200)
    assert outcome.exit_code == 0
    assert "0 all applied" in " ".join(outcome.output.split())


def test_a_missing_file_is_an_unusable_input(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["push", str(tmp_path / "none.jsonl"), "--token", TOKEN]).exit_code == 2


def test_the_example_is_what_the_generator_makes() -> None:
    """Mend with: python -c 'from app.demo.events import lines; print(lines(), end="")' > docs/examples/hr-events.jsonl."""
    assert EXAMPLE.read_text(encoding="utf-8") == lines()
    assert lines() == lines()


def test_the_example_has_every_type_that_is_acted_on_and_holds_together() -> None:
    events = [HrEventIn.model_validate(each) for each in hr_events()]
    assert (len(events), len({event.id for event in events})) == (241, 241)
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert Counter(event.type for event in events) == {
        "employee.joined": JOINED, "employee.moved": MOVED, "employee.updated": UPDATED, "employee.left": LEFT,
        "employee.rehired": REHIRED, "employee.leaving": LEAVING, "employee.cancelled": STAYED,
        "department.created": 3, "department.updated": 1, "department.moved": 1, "department.closed": 1,
        "department.merged": 1,
    }  # fmt: skip
    assert {event.type for event in events} == DATA.keys()
    by_id = {event.id: event for event in events}
    for event in events:
        if isinstance(event.data, CancelledData):
            said = by_id[event.data.event]
            assert (said.type, said.subject, said.time < event.time) == ("employee.leaving", event.subject, True)
    last: dict[str, int] = {}
    for event in events:
        assert event.sequence == last.get(event.subject, 0) + 1
        last[event.subject] = event.sequence
    cards = {event.subject: event.data for event in events if isinstance(event.data, JoinedData)}
    leavers = [event.subject for event in events if event.type == "employee.left"]
    assert (len(cards), len(leavers), len(set(leavers))) == (JOINED, LEFT, LEFT)
    assert events[0].subject == "E9001"
    assert {event.subject for event in events} == {*cards, *FOUNDED}
    assert set(leavers) <= cards.keys()
    assert {card.department for card in cards.values()} == set(DEPARTMENTS)
    known: set[str] = set()
    for subject, card in cards.items():
        assert card.manager is None or card.manager in known
        assert str(card.email).endswith("@example.com")
        known.add(subject)
    mobiles = [each["data"]["mobile"] for each in hr_events() if "mobile" in each["data"]]
    assert len(mobiles) == len(set(mobiles)) > JOINED
    assert all(mobile.startswith("1380000") for mobile in mobiles)
    assert len({card.user_name for card in cards.values()}) == JOINED
    surnames = {card.name[:2] for card in cards.values()} | {card.name[0] for card in cards.values()}
    assert {"欧阳", "尉迟", "曾", "解", "仇", "区", "查"} <= surnames


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """Serve the world's application on a port of its own; give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(world.app, lifespan="off", log_config=None))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:  # noqa: ASYNC110 — uvicorn tells it in no other way
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the command ended."""

    code: int | None
    output: str
    errors: str


async def command(*arguments: str, token: str) -> Outcome:
    """Run the command in a process of its own, beside the server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from app.cli.hr import app; app()", "push", *arguments),
        cwd=ROOT,
        env={**os.environ, "DUANHAO_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return Outcome(process.returncode, output.decode(), errors.decode())


@pytest.mark.slow
async def test_the_example_reaches_a_served_directory(sqlite_world: World, tmp_path: Path) -> None:
    """The command's main job on its real input, whole: everything applies, and who is found at the end is who should be."""
    application, events = sqlite_world.application, list(hr_events())
    async with application.database.unit_of_work() as unit:
        for code in sorted(set(DEPARTMENTS) - sqlite_world.departments.keys()):
            await application.departments.create(unit, OPERATOR, DepartmentCreate(code=code, name=f"部门{code}"))
    stranger = {**left("E9999"), "source": SOURCE}
    path = written(tmp_path, [*events, stranger])
    token = await sqlite_world.token("hr-system")
    async with served(sqlite_world) as url:
        once = await command(str(path), "--url", url, token=token)
        again = await command(str(path), "--url", url, "--json", token=token)
    assert once.code == 1, once.errors
    assert f"{stranger['id']}: waiting: unknown_subject" in once.errors
    assert once.output == "242 sent 已发送: 241 applied 已生效, 1 waiting 等待中, 0 failed 未生效; 0 sent before 重复\n"
    counts = json.loads(again.output)
    assert (again.code, counts["sent"], counts["applied"], counts["replayed"], counts["waiting"]) == (
        1,
        242,
        241,
        242,
        1,
    )
    async with application.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(HrEvent)) == len(events) + 1
    reader = await sqlite_world.as_("colleague")
    places: dict[str, str | None] = {}
    for event in events:
        if event["type"] == "employee.left":
            places[event["subject"]] = None
        elif "department" in event["data"]:
            places[event["subject"]] = event["data"]["department"]
    assert len(places) == JOINED
    for subject, department in list(places.items())[:60]:
        items = (await reader.get("/v1/contacts", params={"q": subject})).json()["items"]
        assert [card["department"]["code"] for card in items] == ([] if department is None else [department])
        assert {card["mobile"]["state"] for card in items} <= {"masked"}
    tree = await application.standings.tree()
    assert tree.by_code[FOUNDED[0]].name == "数据与智能部"
    assert tree.by_code.keys().isdisjoint(FOUNDED[1:])
