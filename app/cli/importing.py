"""The client behind ``duanhao import``: hands in a file, waits until its rows are settled, and tells what became of them."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from app.cli.calling import Caller, CallStopped
from app.cli.keyfiles import Stopped, read, stopped
from app.cli.numbering import Service
from app.cli.patience import Patience

DONE: Final = 0
SOME_NOT: Final = 1
NOT_DONE: Final = 2

_SCOPES: Final = {"number_plan": "numbers:admin", "contacts": "hr:write"}
_IMPORTS: Final = "/v1/imports"
_FORMATS: Final = {".csv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".conf": "asterisk", ".xml": "freeswitch"}
_OUTCOMES: Final = {"adopted": "已写入", "unchanged": "无变化", "conflict": "冲突", "problem": "有误"}
_NOT_TAKEN: Final = ("conflict", "problem")
_MOST_SHOWN: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A file, and what is to be done with it; ``format`` is told by the file's name where it is left out."""

    file: Path
    kind: str
    format: str | None
    domain: str
    profile: str
    dry_run: bool
    overrule: bool


def hand_in(service: Service, asked: Asked, *, as_json: bool) -> int:
    """Hand a file in and wait; give the exit code, having said what happened."""
    try:
        query = {
            "kind": asked.kind,
            "format": asked.format or _format(asked.file),
            "domain": asked.domain,
            "profile": asked.profile,
            "dry_run": str(asked.dry_run).lower(),
            "overrule": str(asked.overrule).lower(),
        }
        with service.connect(service.url) as client:
            caller = Caller(client, service.credentials, scope=_SCOPES[asked.kind], sleep=service.sleep)
            taken = caller.upload(_IMPORTS, asked.file.name, read(asked.file), query=query).json()
            told = _settled(service, caller, taken["id"])
            rows = list(_rows(caller, taken["id"]))
            return _tell(told, rows, as_json=as_json)
    except httpx.InvalidURL as error:
        return stopped(f"--url: {error}")
    except CallStopped as refusal:
        return stopped(refusal.line)
    except (ValueError, KeyError, TypeError):
        return stopped("the answer is not that of a Duanhao service")
    except Stopped as refusal:
        return stopped(str(refusal))


def _format(file: Path) -> str:
    found = _FORMATS.get(file.suffix.lower())
    if found is None:
        message = f"{file}: say with --format how it is written 请用 --format 指明文件格式"
        raise Stopped(message)
    return found


def _settled(service: Service, caller: Caller, identity: str) -> Mapping[str, Any]:
    """Wait until an import has ended, a little longer each time."""
    patience = Patience(service.sleep)
    while True:
        told: Mapping[str, Any] = caller.get(f"{_IMPORTS}/{identity}").json()
        if told["finished_at"] is not None:
            return told
        patience.wait(queued=told["state"] == "queued")


def _rows(caller: Caller, identity: str) -> Iterator[Mapping[str, Any]]:
    """Give the rows that were not taken over, so many as anybody reads."""
    for outcome in _NOT_TAKEN:
        query, left = {"outcome": outcome, "limit": "200"}, _MOST_SHOWN
        while left > 0:
            page = caller.get(f"{_IMPORTS}/{identity}/rows", query=query).json()
            yield from page["items"]
            left -= len(page["items"])
            if page["next"] is None:
                break
            query["cursor"] = page["next"]


def _tell(told: Mapping[str, Any], rows: list[Mapping[str, Any]], *, as_json: bool) -> int:
    counts: Mapping[str, int] = told["counts"]
    failed = told["state"] != "done"
    if as_json:
        kept = {name: value for name, value in told.items() if name != "disclosure"}
        sys.stdout.write(json.dumps({**kept, "rows": rows}, ensure_ascii=False) + "\n")
    else:
        for each in rows:
            sys.stdout.write(_line(each))
        for each in (told["proposals"] or {}).get("ranges", ()):
            sys.stdout.write(f"no range has 号段缺失: {each['start']}-{each['end']} ({each['size']})\n")
        for each in (told["proposals"] or {}).get("columns", ()):
            sys.stdout.write(f"{each['heading']}: {each['message']} {each['message_zh']}\n")
        totals = ", ".join(f"{counts.get(name, 0)} {name} {chinese}" for name, chinese in _OUTCOMES.items())
        sys.stdout.write(("dry run 试运行: " if told["dry_run"] else "applied 已执行: ") + totals + "\n")
        more = sum(counts.get(name, 0) for name in _NOT_TAKEN) - len(rows)
        if more > 0:
            sys.stdout.write(f"{more} more rows 其余各行: GET {_IMPORTS}/{told['id']}/rows\n")
    if failed:
        return NOT_DONE if as_json else stopped(f"the import failed 导入失败: {told['problem']}")
    return SOME_NOT if any(counts.get(name, 0) for name in _NOT_TAKEN) else DONE


def _line(row: Mapping[str, Any]) -> str:
    place = f"line {row['line']}" + (f" {row['column']}" if row["column"] else "")
    item = f" {row['item']}" if row["item"] else ""
    return f"{place}:{item} {row['code']}: {row['message']} {row['message_zh']}\n"
