"""How sessions and appointments are told: ids, codes and times, nothing sealed. And who may know of a session."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from app.emergency.rules import Appointment, Review, Session
from app.emergency.sealing import fingerprint
from app.permissions.standing import Viewer

OVERSEERS: Final = frozenset({"infosec", "hr", "auditor"})
"""Who knows of every session."""


def session_view(session: Session, reviews: Iterable[Review], now: datetime) -> dict[str, Any]:
    """Write a session as ``schemas.SessionView``."""
    live = session.live(now)
    over = None if live else session.ended_at or min(session.until, session.hard_stop)
    return {
        "id": session.id,
        "actor": session.actor_id,
        "scenario": session.scenario.value,
        "key_people": session.key_people,
        "departments": list(session.named),
        "state": "open" if live else "ended" if session.reviewed_at is None else "reviewed",
        "opened_at": session.opened_at,
        "until": session.until,
        "hard_stop": session.hard_stop,
        "renewed_at": session.renewed_at,
        "confirmed_by": session.confirmed_by,
        "confirmed_at": session.confirmed_at,
        "ended_at": over,
        "cause": None if live else session.cause.value if session.cause else "expired",
        "subjects_told_at": session.digested_at,
        "subjects_told_by": session.digest_at,
        "deferred_by": session.deferred_by,
        "review_due": session.review_due,
        "review_predicted": session.predicted,
        "overdue": session.overdue(now),
        "reviews": [
            {"side": each.side.value, "reviewer": each.reviewer_id, "verdict": each.verdict.value, "at": each.at}
            for each in reviews
        ],
        "verdict": session.verdict.value if session.verdict else None,
    }


def appointment_view(appointment: Appointment, now: datetime) -> dict[str, Any]:
    """Write an appointment as ``schemas.AppointmentView``."""
    return {
        "id": appointment.id,
        "person": appointment.person_id,
        "office": appointment.office.value,
        "since": appointment.since,
        "until": appointment.until,
        "state": "live" if appointment.live(now) else "ended",
        "named_by": appointment.named_by,
        "confirmed_by": appointment.confirmed_by,
        "key": fingerprint(appointment.public_key) if appointment.public_key else None,
    }


def oversees(viewer: Viewer) -> bool:
    """Tell whether the viewer's office is to know of every session."""
    return not viewer.standing.roles.isdisjoint(OVERSEERS)
