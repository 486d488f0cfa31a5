"""The clients behind ``duanhao numbers check`` and ``duanhao numbers reconcile``: asked over HTTP, told in a table or as JSON.

Exit codes are those of ``diff``: 0 nothing is wrong, 1 something is, 2 it could not be found out. An answer without its last line was cut
off and is no answer.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.calling import Caller, CallStopped
from app.cli.numbering import Service
from app.switching.drift import WORDS, Drift

SOUND: Final = 0
DIFFERS: Final = 1
NOT_DONE: Final = 2

Language = Literal["en", "zh"]

_SCOPE: Final = "numbers:admin"
_PATIENCE: Final = httpx.Timeout(30.0, read=1800.0)
"""A plan of a million numbers takes its time."""
_HEADS: Final[Mapping[Language, Sequence[str]]] = {
    "en": ("number", "pool", "difference", "directory", "exchange", "line"),
    "zh": ("号码", "号池", "差异", "目录", "交换机", "行"),
}
_CHECKED: Final[Mapping[Language, str]] = {
    "en": "{rules} rules over {numbers} numbers, {assignments} assignments, {cards} cards: {verdict}",
    "zh": "{rules} 条规则，{numbers} 个号码，{assignments} 条分配，{cards} 张名片：{verdict}",
}
_VERDICT: Final = {True: {"en": "sound", "zh": "一致"}, False: {"en": "broken", "zh": "存在问题"}}
_SUMMED: Final[Mapping[Language, str]] = {
    "en": "{lines} lines of the exchange, {numbers} numbers assigned in {domain}, {withheld} of them without names",
    "zh": "交换机 {lines} 行，{domain} 域已分配 {numbers} 个号码，其中 {withheld} 个未比对姓名",
}


def check(service: Service, most: int, language: Language, *, as_json: bool) -> int:
    """Check the plan; give the exit code, having said what was found."""
    try:
        with service.connect(service.url) as client:
            client.timeout = _PATIENCE
            caller = Caller(client, service.credentials, scope=_SCOPE, sleep=service.sleep)
            told = _document(caller.post("/v1/number-checks", {"findings": most}))
            lines = [*_broken(told, language)]
            verdict = _VERDICT[told["sound"]][language]
            lines.append(_CHECKED[language].format(rules=told["rules"], verdict=verdict, **told["checked"]))
    except (KeyError, TypeError, AttributeError):
        return _stopped(_strange(), as_json=as_json)
    except CallStopped as reason:
        return _stopped(reason, as_json=as_json)
    except httpx.InvalidURL as error:
        return _stopped(CallStopped(f"--url: {error}"), as_json=as_json)
    sys.stdout.write((json.dumps(told, ensure_ascii=False) if as_json else "\n".join(lines)) + "\n")
    return SOUND if told["sound"] else DIFFERS


def reconcile(service: Service, file: Path, query: Mapping[str, str], language: Language, *, as_json: bool) -> int:
    """Compare the plan with a dump; give the exit code, having said where they differ."""
    try:
        content = file.read_bytes()
        with service.connect(service.url) as client:
            client.timeout = _PATIENCE
            caller = Caller(client, service.credentials, scope=_SCOPE, sleep=service.sleep)
            answer = caller.send("/v1/number-reconciliations", content, query=query)
            found, summary = _whole(answer.text)
            line = _SUMMED[language].format(**summary)
            table = _table(found, language)
    except OSError as error:
        return _stopped(CallStopped(f"{file}: {error.strerror}"), as_json=as_json)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _stopped(_strange(), as_json=as_json)
    except CallStopped as reason:
        return _stopped(reason, as_json=as_json)
    except httpx.InvalidURL as error:
        return _stopped(CallStopped(f"--url: {error}"), as_json=as_json)
    if as_json:
        sys.stdout.write(json.dumps({"differences": found, "summary": summary}, ensure_ascii=False) + "\n")
    else:
        if found:
            Console(file=sys.stdout, highlight=False).print(table)
        sys.stdout.write(line + "\n")
    return DIFFERS if found else SOUND


def _whole(text: str) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Read the lines of an answer; raise ``CallStopped`` for one that was cut off."""
    lines = [json.loads(each) for each in text.splitlines() if each]
    last = lines[-1] if lines else {}
    if "summary" not in last:
        message = f"the answer was cut off: {last.get('code', 'no last line')}"
        raise CallStopped(message, status=last.get("status"), document=last)
    return [each["difference"] for each in lines[:-1]], last["summary"]


def _broken(told: Mapping[str, Any], language: Language) -> Iterable[str]:
    for rule in told["broken"]:
        yield f"{rule['rule']}: {rule['count']} · {rule[language]}"
        for each in told["findings"]:
            if each["rule"] == rule["rule"]:
                about = (each["domain"], each["digits"], each["contact"], each["other"])
                yield "  " + " ".join(str(part) for part in about if part is not None)


def _table(found: Sequence[Mapping[str, Any]], language: Language) -> Table:
    table = Table(*_HEADS[language])
    for each in found:
        what = WORDS[Drift(each["kind"])][0 if language == "en" else 1]
        cells = (each["digits"], each["pool"], what, each["directory"], each["exchange"], each["line"])
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))
    return table


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise _strange() from error
    return dict(found)


def _strange() -> CallStopped:
    return CallStopped("the answer is not that of a Duanhao service")


def _stopped(reason: CallStopped, *, as_json: bool) -> int:
    if as_json:
        problem = {"status": reason.status, "code": reason.document.get("code"), "detail": reason.line}
        sys.stdout.write(json.dumps({"problem": problem}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"duanhao: {reason.line}\n")
    return NOT_DONE
