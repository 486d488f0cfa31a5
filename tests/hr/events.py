"""Events as a source writes them, about people who do not exist."""

from typing import Any
from uuid import uuid4

SOURCE = "https://hr.example.com"


def joined(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that somebody joined; ``None`` takes a member out."""
    card = {
        "name": f"逄试{subject[-4:]}",
        "user_name": f"test.{subject.lower()}",
        "department": "RD",
        "title": "工程师",
        "mobile": f"1370000{subject[-4:]}",
        "email": f"test.{subject.lower()}@example.com",
    } | data
    return _event("employee.joined", subject, {name: value for name, value in card.items() if value is not None})


def left(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that somebody left."""
    return _event("employee.left", subject, data)


def leaving(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that somebody is about to leave, at the end of the year unless it is said."""
    return _event("employee.leaving", subject, {"last_day": "2026-12-31"} | data)


def cancelled(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that an event is withdrawn."""
    return _event("employee.cancelled", subject, data)


def moved(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that somebody moved."""
    return _event("employee.moved", subject, data)


def updated(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that something on somebody's card changed."""
    return _event("employee.updated", subject, data)


def rehired(subject: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that somebody came back, to ``SALES`` unless it is said."""
    return _event("employee.rehired", subject, {"department": "SALES"} | data)


def department(what: str, code: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
    """Write that a department was ``created``, ``updated``, ``moved``, ``closed`` …."""
    return _event(f"department.{what}", code, data)


def _event(kind: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"evt-{uuid4().hex}",
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "time": "2026-01-05T09:00:00+08:00",
        "data": data,
    }
