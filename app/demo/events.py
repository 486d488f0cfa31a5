"""Personnel events to try the intake with: every type, about people who do not exist, in the order in which they happened.

Pure and the same on every machine; ``docs/examples/hr-events.jsonl`` is what ``lines()`` gives. 180 people join the departments of the demo
company, the first of each department first, so that the others can name a manager; three departments are made, some people move there or
change, some say that they will leave and two of those stay, every ninth leaves, a few of them come back, and of the new departments one is
closed and one merged again. Times lie in the past of any machine with a working clock.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from app.demo.names import Draw, Name, Names

SOURCE: Final = "https://hr.example.com"
DEPARTMENTS: Final = ("EXEC", "RD", "RD-CORE", "SALES", "PROD", "CS", "HR", "ADMIN", "IT", "SEC", "FIN", "SAFETY")
JOINED: Final = 180
MOVED: Final = 10
UPDATED: Final = 10
LEAVING: Final = 6
STAYED: Final = 2
LEFT: Final = 20
REHIRED: Final = 6
FOUNDED: Final = ("RD-INSIGHT", "SALES-POPUP", "SALES-PARTNER")
"""Departments that the events make; at the end the second one is closed, and the third one merged into the one above it."""

_SEED: Final = 9001
_FIRST_NUMBER: Final = 9001
_STEP: Final = JOINED // LEFT
_MOVERS: Final = 27
_CHANGERS: Final = 46
_STAYERS: Final = 60
_OPENING: Final = datetime(2025, 3, 3, 9, 0, tzinfo=timezone(timedelta(hours=8)))
_MONTH: Final = timedelta(days=30)
_BETWEEN: Final = timedelta(minutes=10)
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
    told: Counter[str] = Counter()
    announced: dict[str, str] = {}
    for number, (kind, subject, moment, data) in enumerate(_happened(), start=1):
        told[subject] += 1
        if kind == "employee.leaving":
            announced[subject] = f"evt-{number:04d}"
        elif kind == "employee.cancelled":
            data = {"event": announced[subject]}  # noqa: PLW2901 — which event it withdraws, only the numbering knows
        yield {
            "id": f"evt-{number:04d}",
            "source": SOURCE,
            "type": kind,
            "subject": subject,
            "time": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sequence": told[subject],
            "data": {**data, "effective_at": moment.isoformat()},
        }


def lines() -> str:
    """Write the events as JSON lines."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in hr_events())


def _happened() -> Iterator[tuple[str, str, datetime, dict[str, Any]]]:
    """Give type, subject, time and data of everything that happened."""
    names = Names(Draw(_SEED))
    for at in range(JOINED):
        yield "employee.joined", _employee_no(at), _OPENING + at * _BETWEEN, _card(at, names.next())
    acts: tuple[Iterable[tuple[str, str, dict[str, Any]]], ...] = (
        _foundings(),
        (("employee.moved", _employee_no(_MOVERS + at), _move(at)) for at in range(MOVED)),
        (("employee.updated", _employee_no(_CHANGERS + at), _update(at)) for at in range(UPDATED)),
        (("employee.leaving", who, {"last_day": "2025-08-29"}) for who in (*_leavers(LEAVING - STAYED), *_stayers())),
        (("employee.cancelled", who, {}) for who in _stayers()),
        (("employee.left", who, {}) for who in _leavers(LEFT)),
        (("employee.rehired", who, _return(at)) for at, who in enumerate(_leavers(REHIRED))),
        _closings(),
    )
    for month, act in enumerate(acts, start=1):
        for at, (kind, subject, data) in enumerate(act):
            yield kind, subject, _OPENING + month * _MONTH + at * _BETWEEN, data


def _foundings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    insight, popup, partner = FOUNDED
    yield "department.created", insight, {"name": "数据平台部", "parent": "RD", "head": _employee_no(1), "order": 90}
    yield (
        "department.created",
        popup,
        {"name": "快闪项目部", "parent": "SALES", "legal_entity": "示例科技（北京）有限公司"},
    )
    yield "department.created", partner, {"name": "渠道合作部", "parent": "SALES"}
    yield "department.updated", insight, {"name": "数据与智能部", "deputy": _employee_no(2)}


def _closings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "department.moved", FOUNDED[1], {"parent": "CS"}
    yield "department.closed", FOUNDED[1], {}
    yield "department.merged", FOUNDED[2], {"into": "SALES"}


def _leavers(count: int) -> list[str]:
    return [_employee_no((at + 1) * _STEP - 1) for at in range(count)]


def _stayers() -> list[str]:
    return [_employee_no(_STAYERS + at) for at in range(STAYED)]


def _move(at: int) -> dict[str, Any]:
    if at % 2 == 0:
        return {"department": FOUNDED[0], "title": "数据工程师", "manager": _employee_no(1)}
    return {
        "department": "CS",
        "title": "客服专员",
        "manager": None,
        "memberships": [{"department": "SALES", "title": "支持"}],
    }


def _update(at: int) -> dict[str, Any]:
    number = _FIRST_NUMBER + JOINED + at
    forms: tuple[dict[str, Any], ...] = (
        {"mobile": f"1380000{number:04d}"},
        {"title": "高级工程师", "location": "A 座 3 层"},
        {"wechat": f"wx_demo_{number}", "office_phone": f"010-8888{number:04d}"},
        {"name_en": None, "alias": "小北"},
        {"worker_kind": "regular", "until": None},
    )
    return forms[at % len(forms)]


def _return(at: int) -> dict[str, Any]:
    return {
        "department": DEPARTMENTS[at % len(DEPARTMENTS)],
        "title": "顾问",
        "worker_kind": "part_time",
        "until": "2099-12-31",
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
