"""Waiting for work that nobody takes up: said once, in both languages, and given up after half an hour; a test sleeps not at all."""

from pathlib import Path

import httpx
import pytest

from app.cli.headcounts import NOT_DONE as NOT_COUNTED
from app.cli.headcounts import reconcile
from app.cli.importing import NOT_DONE, hand_in
from app.cli.keyfiles import Stopped
from app.cli.patience import GIVEN_UP_AFTER, SAID_AFTER, Patience
from tests.cli import test_headcounts
from tests.cli.test_import import asked, service


@pytest.fixture
def slept() -> list[float]:
    return []


def test_work_that_is_taken_up_is_waited_for_in_silence(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    patience = Patience(slept.append)
    for _ in range(1000):
        patience.wait(queued=False)
    assert slept[:6] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
    assert capsys.readouterr().err == ""


def test_a_queue_is_said_once_and_given_up_in_the_end(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    patience = Patience(slept.append)
    while sum(slept) < SAID_AFTER:
        assert capsys.readouterr().err == ""
        patience.wait(queued=True)
    told = capsys.readouterr().err
    assert told.count("`duanhao worker`") == 2, "once in each language"

    def wait_on() -> None:
        while sum(slept) < 2 * GIVEN_UP_AFTER:
            patience.wait(queued=True)

    with pytest.raises(Stopped, match="duanhao worker"):
        wait_on()
    assert GIVEN_UP_AFTER <= sum(slept) < GIVEN_UP_AFTER + 5
    assert capsys.readouterr().err == ""


def test_waiting_begins_anew_for_whoever_was_taken_up(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    patience = Patience(slept.append)
    for at in range(100):
        patience.wait(queued=at % 2 == 0)
    assert capsys.readouterr().err == ""


def test_both_commands_end_with_what_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    file.write_text("employee_no\nE1\n")

    def handle(request: httpx.Request) -> httpx.Response:
        status = 202 if request.method == "POST" else 200
        progress = {"done": 0, "total": None}
        told = {"id": "i", "state": "queued", "finished_at": None, "problem": None, "progress": progress}
        return httpx.Response(status, json=told)

    assert hand_in(service(handle), asked(file), as_json=False) == NOT_DONE
    assert capsys.readouterr().err.count("duanhao worker") == 4
    assert reconcile(service(handle), test_headcounts.asked(file), as_json=False) == NOT_COUNTED
    told = capsys.readouterr().err
    assert ("尚无工作进程处理" in told, "nobody took up the job" in told) == (True, True)
