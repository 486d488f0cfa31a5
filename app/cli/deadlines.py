"""The client behind ``duanhao hr deadlines``: the breach report, asked over HTTP, told in a table or as JSON.

Exit codes are those of ``diff``: 0 no deadline was broken, 1 one was, 2 it could not be found out.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.calling import Caller, CallStopped
from app.cli.numbering import Service

KEPT: Final = 0
BROKEN: Final = 1
NOT_DONE: Final = 2
NUMBERS: Final = ("met", "late", "open", "overdue", "withdrawn")

Language = Literal["en", "zh"]

_SCOPE: Final = "contacts:read"
_HEADS: Final[Mapping[Language, Sequence[str]]] = {
    "en": ("month", "kind", "department", "met", "late", "open", "overdue", "withdrawn"),
    "zh": ("月份", "类别", "部门", "按期", "逾期完成", "进行中", "逾期未完成", "已撤销"),
}
_KINDS: Final[Mapping[str, Mapping[Language, str]]] = {
    "joiner": {"en": "joiner", "zh": "入职"},
    "mover": {"en": "mover", "zh": "调动"},
    "leaver": {"en": "leaver", "zh": "离职"},
}
_TOTAL: Final[Mapping[Language, str]] = {"en": "in all", "zh": "合计"}
_PERIOD: Final[Mapping[Language, str]] = {
    "en": "due from {since} to {until}; working days given: joiner {joiner}, mover {mover}, leaver {leaver}",
    "zh": "到期日 {since} 至 {until}；规定工作日：入职 {joiner}、调动 {mover}、离职 {leaver}",
}


def report(service: Service, query: Mapping[str, str], language: Language, *, as_json: bool) -> int:
    """Tell what became of deadlines; give the exit code."""
    try:
        with service.connect(service.url) as client:
            caller = Caller(client, service.credentials, scope=_SCOPE, sleep=service.sleep)
            told: dict[str, Any] = caller.get("/v1/deadlines/summary", query=query).json()
        items = told["items"]
        totals = {name: sum(int(each[name]) for each in items) for name in NUMBERS}
        line = _PERIOD[language].format(since=told["from"], until=told["to"], **told["days"])
        table = _table(items, totals, language)
    except (KeyError, TypeError, ValueError):
        return _stopped("the answer is not that of a Duanhao service")
    except CallStopped as reason:
        return _stopped(reason.line)
    except httpx.InvalidURL as error:
        return _stopped(f"--url: {error}")
    if as_json:
        sys.stdout.write(json.dumps({**told, "totals": totals}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{line}\n")
        Console(file=sys.stdout).print(table)
    return BROKEN if totals["late"] or totals["overdue"] else KEPT


def _table(items: Sequence[Mapping[str, Any]], totals: Mapping[str, int], language: Language) -> Table:
    table = Table(*_HEADS[language])
    for each in items:
        code = "" if each["department"] is None else each["department"]["code"]
        numbers = (str(each[name]) for name in NUMBERS)
        table.add_row(each["month"], _KINDS[each["kind"]][language], Text(code), *numbers)
    table.add_row(_TOTAL[language], "", "", *(str(totals[name]) for name in NUMBERS))
    return table


def _stopped(line: str) -> int:
    sys.stderr.write(f"duanhao: {line}\n")
    return NOT_DONE
