"""``duanhao numbers``: one call that is done once, told on a line or as JSON, and an exit code that a script can branch on."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest
import uvicorn

from app.cli.numbering import DONE, NOT_DONE, REFUSED_BY_PLAN, Service, allocate, forecast, release
from app.cli.pushing import Credentials
from benchmarks.processes import clean_environment
from tests.numbers.calls import add_pool
from tests.support.application import World
from tests.support.server import free_port
from tests.support.tree import ROOT

GIVEN: Final = {"numbers": [{"digits": "78000", "state": "assigned", "assignment_id": "a", "until": None}]}
BODY: Final = {"holder": {"type": "contact", "id": "x"}, "count": 1}


class Script:
    """Stands in for the network: gives its answers in turn."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []

    def service(self, credentials: Credentials | None = None) -> Service:
        def connect(url: str) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(self.handle), base_url=url)

        found = credentials or Credentials(token="t")
        return Service(url="http://service.test", credentials=found, connect=connect, sleep=self.waited.append)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(status: int, code: str, **more: Any) -> httpx.Response:  # noqa: ANN401 — members of a problem
    return httpx.Response(status, json={"code": code, "detail": "So it is", "errors": [], **more})


def test_a_lost_answer_is_asked_for_again_under_one_key(capsys: pytest.CaptureFixture[str]) -> None:
    script = Script(
        httpx.ReadError("gone"),
        refused(503, "unavailable"),
        refused(409, "idempotency_in_progress"),
        httpx.Response(201, json=GIVEN),
    )
    assert allocate(script.service(), "desk", BODY, as_json=False) == DONE
    assert capsys.readouterr().out == "78000\n"
    assert {each.url.path for each in script.asked} == {"/v1/number-pools/desk/allocations"}
    assert len({each.headers["Idempotency-Key"] for each in script.asked}) == 1
    assert script.waited == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (refused(409, "pool_exhausted", requested=5, available=2), REFUSED_BY_PLAN, "requested 5, available 2"),
        (
            refused(409, "number_not_available", state="assigned", available_from=None),
            REFUSED_BY_PLAN,
            "state assigned",
        ),
        (refused(404, "not_found"), NOT_DONE, "404 not_found"),
        (refused(403, "insufficient_scope"), NOT_DONE, "403 insufficient_scope"),
        (httpx.Response(502, text="<html>"), NOT_DONE, "502 without a problem document"),
        (httpx.Response(201, json=["what"]), NOT_DONE, "not that of a Duanhao service"),
    ],
)
def test_a_refusal_is_one_line_and_a_code(
    answer: httpx.Response, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert allocate(Script(answer).service(), "desk", BODY, as_json=False) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert told.err.count("\n") == 1


def test_machines_are_told_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    script = Script(refused(409, "pool_exhausted", requested=5, available=2), httpx.Response(201, json=GIVEN))
    assert allocate(script.service(), "desk", BODY, as_json=True) == REFUSED_BY_PLAN
    told = json.loads(capsys.readouterr().out)["problem"]
    assert (told["status"], told["code"], told["requested"], told["available"]) == (409, "pool_exhausted", 5, 2)
    assert allocate(script.service(), "desk", BODY, as_json=True) == DONE
    assert json.loads(capsys.readouterr().out) == GIVEN


def test_a_client_signs_in_for_its_scope(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"digits": "78000", "state": "quarantined", "available_from": "2027-01-01T00:00:00+00:00"}
    script = Script(httpx.Response(200, json={"access_token": "minted"}), httpx.Response(201, json=told))
    credentials = Credentials(client_id="it-scripts", client_secret="s")
    assert release(script.service(credentials), "78000", "moved", "main", as_json=False) == DONE
    assert "78000 quarantined" in capsys.readouterr().out
    assert b"scope=numbers%3Aallocate" in script.asked[0].content
    assert script.asked[1].headers["Authorization"] == "Bearer minted"
    assert script.asked[1].url.query == b"domain=main"
    assert json.loads(script.asked[1].content) == {"reason": "moved"}


@pytest.mark.parametrize(("short", "code"), [(False, DONE), (True, REFUSED_BY_PLAN)])
def test_a_forecast_is_a_line_and_a_code(short: bool, code: int, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001 — a case
    told = {
        "pool": "desk",
        "free": 70,
        "announced": 4,
        "weekly": {"net": 7.0, "low": 6.0, "high": 8.0},
        "exhausted_on": "2027-01-31",
        "earliest": "2027-01-22",
        "latest": None,
        "short": short,
    }
    script = Script(httpx.Response(200, json={"access_token": "minted"}), httpx.Response(200, json=told))
    credentials = Credentials(client_id="it-scripts", client_secret="s")
    assert forecast(script.service(credentials), "desk", {"joiners": "3"}, as_json=False) == code
    line = capsys.readouterr().out
    assert "announced 已公布入职 4" in line
    assert "2027-01-31 (2027-01-22 … ?)" in line
    assert b"scope=numbers%3Aread" in script.asked[0].content
    assert (script.asked[1].method, script.asked[1].url.path) == ("GET", "/v1/number-pools/desk/forecast")
    assert script.asked[1].url.query == b"joiners=3"


def test_a_forecast_without_a_slope(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"pool": "desk", "free": 70, "weekly": None, "exhausted_on": None, "earliest": None, "latest": None}
    answer = httpx.Response(200, json={**told, "short": False})
    assert forecast(Script(answer).service(), "desk", {}, as_json=False) == DONE
    assert "用尽 -" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: allocate(Script().service(Credentials()), "desk", BODY, as_json=False), "--token"),
        (
            lambda: allocate(
                Script(httpx.Response(401, json={"error": "invalid_client"})).service(
                    Credentials(client_id="x", client_secret="y")
                ),
                "desk",
                BODY,
                as_json=False,
            ),
            "signing in: 401 invalid_client",
        ),
        (
            lambda: allocate(
                Script(*(httpx.ConnectError("no") for _ in range(6))).service(), "desk", BODY, as_json=False
            ),
            "cannot be reached (ConnectError)",
        ),
    ],
)
def test_what_cannot_be_done_is_said(call: Callable[[], int], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call() == NOT_DONE
    assert words in capsys.readouterr().err


async def test_the_commands_against_a_service(sqlite_world: World) -> None:
    world = sqlite_world
    pool, token = await add_pool(world), await world.token("it-scripts")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn offers a flag and no event
        await asyncio.sleep(0.01)
    environment = clean_environment({"DUANHAO_URL": f"http://127.0.0.1:{port}", "DUANHAO_TOKEN": token})

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", "numbers", *arguments, stdout=PIPE, stderr=PIPE, cwd=ROOT, env=environment
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    person = str(world.people["staff"])
    try:
        assert await run("allocate", pool.code, "--holder", person) == (0, f"{pool.digits(0)}\n")
        two = ("allocate", pool.code, "--holder", person, "--count", "2", "--consumer-ref", "t-1", "--json")
        code, first = await run(*two)
        assert (code, [each["digits"] for each in json.loads(first)["numbers"]]) == (
            0,
            [pool.digits(1), pool.digits(2)],
        )
        assert await run(*two) == (0, first)
        assert (await run("allocate", pool.code, "--holder", "department:RD", "--digits", pool.digits(9)))[0] == 0
        assert (await run("allocate", pool.code, "--holder", person, "--count", "400"))[0] == 1
        assert (await run("allocate", "nowhere", "--holder", person))[0] == 2
        assert (await run("release", pool.digits(9), "--reason", "moved"))[0] == 0
        assert (await run("release", pool.digits(9)))[0] == 1
        assert (await run("release", "99"))[0] == 2
        assert (await run("release", pool.digits(0), "--reason", "boredom"))[0] == 2
    finally:
        server.should_exit = True
        await serving
