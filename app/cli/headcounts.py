"""The client behind ``duanhao hr reconcile``: hands a head-count in, waits, shows the diff as a table, and applies it where that is asked.

What is applied is the diff that was shown, by its digest. A blown fuse is told with its counts and the request that lets it pass.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from app.cli.calling import Caller, CallStopped
from app.cli.keyfiles import Stopped, read, stopped
from app.cli.numbering import Service
from app.cli.patience import Patience

DONE: Final = 0
DIFFERS: Final = 1
NOT_DONE: Final = 2
FUSE: Final = 3

Language = Literal["en", "zh"]
_SCOPE: Final = "hr:write"
_AT: Final = "/v1/hr/reconciliations"
_FORMATS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
}
_MOST_SHOWN: Final = 2000
_PATIENCE: Final = 600.0
_WAITS: Final = frozenset({"queued", "comparing"})
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "joiner": ("joins", "入职"),
    "returned": ("returns", "返聘"),
    "changed": ("changes", "变更"),
    "leaver": ("leaves", "离职"),
    "newer": ("newer here", "本系统较新"),
    "unknown_department": ("unknown department", "部门不存在"),
    "unreadable": ("unreadable", "无法读取"),
    "unchanged": ("unchanged", "无变化"),
}
_OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "applied": ("applied", "已生效"),
    "scheduled": ("scheduled", "待生效"),
    "waiting": ("waiting", "等待中"),
    "superseded": ("superseded", "已被取代"),
    "settled": ("nothing left to do", "已无差异"),
    "failed": ("failed", "未生效"),
}
_HEADS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("line", "employee no.", "what", "members", "why", "outcome"),
    "zh": ("行", "工号", "差异", "字段", "原因", "结果"),
}
_FUSE: Final[Mapping[Language, str]] = {
    "en": "the fuse has blown: {leavers} of {people} would leave ({reason}, {extent}); people of HR may file hr.mass_leaving for {id}",
    "zh": "保险已触发：{people} 人中将有 {leavers} 人离职（{reason}，{extent}）；人事可就 {id} 提交 hr.mass_leaving 申请",
}
_BAD: Final = frozenset({"unknown_department", "unreadable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A head-count, what it is of, and whether its diff is to be applied."""

    file: Path
    format: str | None
    source: str | None
    as_of: str | None
    department: str | None
    apply: bool
    language: Language


def reconcile(service: Service, asked: Asked, *, as_json: bool) -> int:
    """Hand a head-count in, show its diff, apply it where asked; give the exit code, having said what happened."""
    try:
        with service.connect(service.url) as client:
            client.timeout = _PATIENCE
            caller = Caller(client, service.credentials, scope=_SCOPE, sleep=service.sleep)
            return _Run(service, caller, asked, as_json=as_json).run()
    except httpx.InvalidURL as error:
        return stopped(f"--url: {error}")
    except CallStopped as refusal:
        return stopped(refusal.line)
    except (ValueError, KeyError, TypeError):
        return stopped("the answer is not that of a Duanhao service")
    except Stopped as refusal:
        return stopped(str(refusal))


class _Run:
    """One run of the command."""

    def __init__(self, service: Service, caller: Caller, asked: Asked, *, as_json: bool) -> None:
        self._service, self._caller, self._asked, self._as_json = service, caller, asked, as_json
        self._console = Console(stderr=True, quiet=as_json)

    def run(self) -> int:
        """Do it all."""
        taken = self._caller.upload(_AT, self._asked.file.name, read(self._asked.file), query=self._query()).json()
        found = self._until(str(taken["id"]), _WAITS)
        if found["state"] != "compared":
            return self._tell(found, [], NOT_DONE, f"{found['problem']}")
        differences = list(self._rows(found["id"]))
        if not self._as_json:
            self._show(found, differences)
        if not self._asked.apply:
            return self._tell(found, differences, DIFFERS if set(found["counts"]) - {"unchanged"} else DONE)
        try:
            self._caller.post(f"{_AT}/{found['id']}/applications", {"digest": found["digest"]})
        except CallStopped as refusal:
            if refusal.document.get("code") != "fuse_blown":
                raise
            told = _FUSE[self._asked.language].format(**{**refusal.document, "id": found["id"]})
            return self._tell(found, differences, FUSE, told)
        return self._applied(str(found["id"]))

    def _applied(self, identity: str) -> int:
        done = self._until(identity, frozenset({"applying"}))
        failed = list(self._rows(identity, outcome="failed"))
        if done["state"] != "applied":
            return self._tell(done, failed, NOT_DONE, f"{done['problem']}")
        if failed and not self._as_json:
            self._table(failed)
        left = failed or _BAD & set(done["counts"])
        return self._tell(done, failed, DIFFERS if left else DONE)

    def _query(self) -> dict[str, str]:
        asked = self._asked
        form = asked.format or _FORMATS.get(asked.file.suffix.lower())
        if form is None:
            message = f"{asked.file}: say with --format how it is written 请用 --format 指明文件格式"
            raise Stopped(message)
        as_of = asked.as_of or datetime.fromtimestamp(asked.file.stat().st_mtime, UTC).isoformat()
        told = {"format": form, "source": asked.source, "as_of": as_of, "department": asked.department}
        return {name: value for name, value in told.items() if value is not None}

    def _until(self, identity: str, states: frozenset[str]) -> Mapping[str, Any]:
        """Wait until it is in none of these states any more, or its application has stopped; a little longer each time."""
        patience = Patience(self._service.sleep)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("hr reconcile", total=None)
            while True:
                told: Mapping[str, Any] = self._caller.get(f"{_AT}/{identity}").json()
                progress.update(
                    task, description=told["state"], completed=told["progress"]["done"], total=told["progress"]["total"]
                )
                if told["state"] not in states or told["problem"] is not None:
                    return told
                patience.wait(queued=told["state"] == "queued")

    def _rows(self, identity: str, **narrowed: str) -> Iterator[Mapping[str, Any]]:
        query, left = {"limit": "200", **narrowed}, _MOST_SHOWN
        while left > 0:
            page = self._caller.get(f"{_AT}/{identity}/rows", query=query).json()
            yield from page["items"]
            left -= len(page["items"])
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def _show(self, found: Mapping[str, Any], differences: Sequence[Mapping[str, Any]]) -> None:
        if differences:
            self._table(differences)
        more = sum(count for kind, count in found["counts"].items() if kind != "unchanged") - len(differences)
        if more > 0:
            sys.stdout.write(f"{more} more rows 其余各行: GET {_AT}/{found['id']}/rows\n")
        for code, count in found["unknown_departments"].items():
            sys.stdout.write(f"unknown department 部门不存在: {code} ({count})\n")
        if found["ignored_columns"]:
            sys.stdout.write(f"ignored columns 未识别的列: {', '.join(found['ignored_columns'])}\n")

    def _table(self, differences: Sequence[Mapping[str, Any]]) -> None:
        zh = self._asked.language == "zh"
        table = Table(*_HEADS[self._asked.language])
        for each in differences:
            why = (each["message_zh"] if zh else each["message"]) or each["result"] or each["code"]
            place = f"{each['column']}: " if each["column"] and why else ""
            outcome = each["outcome"] and _OUTCOMES[each["outcome"]][zh]
            members = ", ".join(each["members"]) if each["kind"] == "changed" else None
            cells = (each["line"], each["employee_no"], _KINDS[each["kind"]][zh], members, why and place + why, outcome)
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))
        Console(file=sys.stdout, highlight=False).print(table)

    def _tell(
        self, found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], code: int, stop: str | None = None
    ) -> int:
        if self._as_json:
            kept = {name: value for name, value in found.items() if name != "disclosure"}
            sys.stdout.write(json.dumps({**kept, "rows": rows, "stopped": stop}, ensure_ascii=False) + "\n")
            return code
        zh = self._asked.language == "zh"
        words, counts = (_OUTCOMES, found["outcomes"]) if found["outcomes"] else (_KINDS, found["counts"])
        totals = ", ".join(f"{counts[name]} {words[name][zh]}" for name in words if counts.get(name))
        sys.stdout.write(f"{found['id']}: {totals or '-'}\n")
        if stop is not None:
            sys.stderr.write(f"duanhao: {stop}\n")
        return code
