"""Personnel events to try the intake with: 200 of people who do not exist, in the order in which they happened.

Pure and the same on every machine; ``docs/examples/hr-events.jsonl`` is what ``lines()`` gives. 180 people join the departments of the demo
company, the first of each department first, so that the others can name a manager; then every ninth of them leaves. Times lie in the
past of any machine with a working clock.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from app.demo.names import Draw, Name, Names

SOURCE: Final = "https://hr.example.com"
DEPARTMENTS: Final = ("EXEC", "RD", "RD-CORE", "SALES", "PROD", "CS", "HR", "ADMIN", "IT", "SEC", "FIN", "SAFETY")
JOINED: Final = 180
LEFT: Final = 20

_SEED: Final = 9001
_FIRST_NUMBER: Final = 9001
_STEP: Final = JOINED // LEFT
_OPENING: Final = datetime(2025, 3, 3, 9, 0, tzinfo=timezone(timedelta(hours=8)))
_PAUSE: Final = timedelta(days=60)
_TITLES: Final = {
    "EXEC": "总经理助理",
    "RD": "研发工程师",
    "RD-CORE": "后端工程师",
    "SALES": "客户经理",
    "PROD": "操作员",
    "CS": "客服专员",
    "HR": "人事专员",
    "ADMIN": "行政专员",
    "IT": "系统工程师",
    "SEC": "安全工程师",
    "FIN": "会计",
    "SAFETY": "安全员",
}
_WORKER_KINDS: Final = ("regular",) * 8 + ("part_time", "intern", "outsourced")


def hr_events() -> Iterator[dict[str, Any]]:
    """Give the events, each as the body of ``POST /v1/hr/events``."""
    names = Names(Draw(_SEED))
    for at in range(JOINED):
        data = _card(at, names.next())
        yield _event(at + 1, "employee.joined", at, 1, _OPENING + timedelta(minutes=10 * at), data)
    for at in range(LEFT):
        moment = _OPENING + _PAUSE + timedelta(minutes=10 * at)
        yield _event(JOINED + at + 1, "employee.left", (at + 1) * _STEP - 1, 2, moment, {})


def lines() -> str:
    """Write the events as JSON lines."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in hr_events())


def _event(
    number: int, kind: str, person: int, sequence: int, moment: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"evt-{number:04d}",
        "source": SOURCE,
        "type": kind,
        "subject": _employee_no(person),
        "time": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sequence": sequence,
        "data": {**data, "effective_at": moment.isoformat()},
    }


def _card(at: int, name: Name) -> dict[str, Any]:
    number = _FIRST_NUMBER + at
    department = DEPARTMENTS[at % len(DEPARTMENTS)]
    worker_kind = _WORKER_KINDS[at % len(_WORKER_KINDS)]
    user_name = f"{name.user_name}.{number}"
    card = {
        "name": name.han,
        "name_en": name.english,
        "user_name": user_name,
        "department": department,
        "title": _TITLES[department],
        "worker_kind": worker_kind,
        "mobile": f"1380000{number:04d}",
        "email": f"{user_name}@example.com",
    }
    if at >= len(DEPARTMENTS):
        card["manager"] = _employee_no(at % len(DEPARTMENTS))
    if worker_kind in {"intern", "outsourced"}:
        card["until"] = date(2099, 12, 31).isoformat()
    return card


def _employee_no(person: int) -> str:
    return f"E{_FIRST_NUMBER + person}"
