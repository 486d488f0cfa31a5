"""``duanhao numbers check`` and ``reconcile``: exit codes of ``diff``, a table in either language, and no answer that was cut off."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from app.cli.numbering import Service
from app.cli.pushing import Credentials
from app.cli.reconciling import DIFFERS, NOT_DONE, SOUND, check, reconcile

COUNTS: Final = {"domains": 1, "pools": 1, "ranges": 1, "numbers": 9, "assignments": 4, "cards": 3, "privileges": 0}
CHECKED: Final[dict[str, Any]] = {"sound": True, "rules": 28, "checked": COUNTS, "broken": [], "findings": []}
BROKEN: Final = {
    **CHECKED,
    "sound": False,
    "broken": [{"rule": "place", "count": 7, "en": "a place", "zh": "位置"}],
    "findings": [{"rule": "place", "domain": "main", "pool": "desk", "digits": "7100", "contact": None, "other": "-5"}],
}
SUMMARY: Final = {"summary": {"domain": "main", "lines": 3, "numbers": 4, "withheld": 1, "drift": {"other_name": 1}}}
OTHER: Final = {
    "difference": {
        "kind": "other_name",
        "digits": "7100",
        "pool": "desk",
        "state": "assigned",
        "directory": "[red]王[/]",
        "exchange": "李",
        "line": 4,
        "contact": None,
    }
}
QUERY: Final = {"format": "sheet", "domain": "main"}


def service(answer: Callable[[httpx.Request], httpx.Response]) -> Service:
    def connect(url: str) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer), base_url=url)

    return Service(url="http://service.test", credentials=Credentials(token="t"), connect=connect, sleep=lambda _: None)


def lines(*given: object) -> Callable[[httpx.Request], httpx.Response]:
    text = "".join(json.dumps(each) + "\n" for each in given)
    return lambda _: httpx.Response(200, text=text)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    file = tmp_path / "dump.csv"
    file.write_text("号码,姓名\n7100,李\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("told", "code", "words"), [(CHECKED, SOUND, "28 rules over 9 numbers"), (BROKEN, DIFFERS, "place: 7 · a place")]
)
def test_a_check_is_a_line_and_a_code(
    told: dict[str, Any], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=told)

    assert check(service(answer), 20, "en", as_json=False) == code
    assert words in capsys.readouterr().out
    assert (asked[0].url.path, json.loads(asked[0].content)) == ("/v1/number-checks", {"findings": 20})
    assert check(service(answer), 20, "zh", as_json=False) == code
    assert "28 条规则" in capsys.readouterr().out
    assert check(service(answer), 20, "en", as_json=True) == code
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("given", "code"), [((SUMMARY,), SOUND), ((OTHER, SUMMARY), DIFFERS), ((OTHER,), NOT_DONE), ((), NOT_DONE)]
)
def test_drift_is_a_code_and_an_answer_that_was_cut_off_is_none(
    given: tuple[object, ...], code: int, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconcile(service(lines(*given)), dump, QUERY, "en", as_json=True) == code
    told = json.loads(capsys.readouterr().out)
    assert ("problem" in told) == (code == NOT_DONE)
    if code != NOT_DONE:
        assert told["summary"] == SUMMARY["summary"]


def test_a_table_in_either_language_shows_names_as_they_are(dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language, head, words in (("en", "difference", "another name"), ("zh", "差异", "姓名不一致")):
        assert reconcile(service(lines(OTHER, SUMMARY)), dump, QUERY, language, as_json=False) == DIFFERS  # type: ignore[arg-type]  # one of two
        told = capsys.readouterr().out
        assert all(each in told for each in (head, words, "[red]王[/]", "7100"))


def test_the_file_is_handed_in_as_it_is(dump: Path) -> None:
    asked = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return lines(SUMMARY)(request)

    assert reconcile(service(answer), dump, QUERY, "en", as_json=False) == SOUND
    assert asked[0].content == dump.read_bytes()
    assert dict(asked[0].url.params) == QUERY


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(403, json={"code": "insufficient_scope", "detail": "no", "errors": []}), "insufficient_scope"),
        (httpx.Response(200, text="<html>"), "not that of a Duanhao service"),
        (httpx.Response(200, json=[1]), "not that of a Duanhao service"),
    ],
)
def test_what_cannot_be_found_out_is_one_line(
    answer: httpx.Response, words: str, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconcile(service(lambda _: answer), dump, QUERY, "en", as_json=False) == NOT_DONE
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert words in told.err
    assert check(service(lambda _: answer), 1, "en", as_json=False) == NOT_DONE


def test_a_file_that_went_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconcile(service(lines(SUMMARY)), tmp_path / "none", QUERY, "en", as_json=False) == NOT_DONE
    assert "none" in capsys.readouterr().err
