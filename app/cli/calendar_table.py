"""What the commands of ``calendar`` do: open the store, and show a year or revise it as the operating-system user."""

import json
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from app.api.calendar_questions import RevisionCreate
from app.application import Application
from app.calendar.revisions import Revision
from app.calendar.rules import LAW, Day, Kind, is_weekend
from app.cli.session import operator, run
from app.kit.errors import Invalid

DONE: Final = 0
FAULTY: Final = 1
_WORDS: Final = {Kind.WORKING: "working · 上班", Kind.OFF: "off · 休息"}


def show_year(year: int, *, as_json: bool) -> None:
    """Print a year: how sure it is, and the days that are not as their weekday or that have a name."""

    async def work(application: Application) -> tuple[str | None, int, list[Day]]:
        calendar = await application.calendar.service.current()
        first, last = date(year, 1, 1), date(year, 12, 31)
        days = (calendar.day(first + timedelta(each)) for each in range((last - first).days + 1))
        told = [each for each in days if each.name_zh or (each.kind is Kind.OFF) is not is_weekend(each.date)]
        return calendar.years.get(year), calendar.between(first, last), told

    source, working, days = run(work)
    status = "predicted" if source is None else "confirmed"
    if as_json:
        told = [{"date": each.date.isoformat(), "kind": each.kind, "source": each.source} for each in days]
        whole = {"year": year, "status": status, "source": source or LAW, "working_days": working, "days": told}
        _say([json.dumps(whole, ensure_ascii=False)])
        return
    known = "predicted · 预测" if source is None else "confirmed · 已公布"
    _say([f"{year}: {known}, {source or LAW}; {working} working days · 个工作日"])
    _say(f"  {each.date} {each.date:%a}  {_WORDS[each.kind]}  {each.name_zh or ''}  {each.source}" for each in days)


def import_revision(file: str) -> int:
    """Revise as a file says; print what changed, or what cannot be right, and give the exit code."""
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    try:
        body = RevisionCreate.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        _complain(f"/{'/'.join(map(str, each['loc']))} {each['msg']}" for each in faults)
        return FAULTY

    async def work(application: Application) -> Revision:
        async with application.database.unit_of_work() as unit:
            return await application.calendar.keeper.revise_as(operator(), unit, body)

    try:
        revision = run(work)
    except Invalid as invalid:
        _complain(f"{each.pointer or '/'} {each.code}: {each.detail} · {each.detail_zh}" for each in invalid.errors)
        return FAULTY
    year = "" if revision.year is None else f" {revision.year} confirmed · 已公布;"
    _say([f"revision {revision.seq}:{year} {len(revision.changes)} days changed · 天有变化"])
    _say(f"  {each['date']}  {each['before']['kind']} → {each['after']['kind']}" for each in revision.changes)
    return DONE


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _complain(lines: Iterable[str]) -> None:
    sys.stderr.writelines(f"{line}\n" for line in lines)
