"""The one door past the log: hotlines, while the log cannot be written.

A hotline is nobody's data, and somebody may need it just when the log's disk is full. So its C1 members are answered all the same, every
sealed field withheld, since a box opens for a permit alone and there is none; the security log is told instead. What leaves here carries
leave for exactly its own bytes, which the last fence compares. Whatever is not a hotline whose row verifies is ``LogUnavailable`` here.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from app.disclosure.gate import Gate
from app.disclosure.looks import note
from app.disclosure.opened import Opened
from app.disclosure.records import Record
from app.kit.context import current_request
from app.kit.errors import LogUnavailable
from app.permissions.outcomes import Purpose
from app.permissions.plan import Cohort, Plan
from app.permissions.standing import Viewer

HOTLINE: Final = "hotline"
UNLOGGED: Final = "unlogged"
"""The obligation that says so to the reader."""

_MADE: Final = object()
_log = structlog.get_logger("duanhao.security")


class UnloggedHotlineAnswer:
    """Leave for one body to go out without a permit. Made by ``HotlineDoor`` alone."""

    __slots__ = ("_body",)

    def __init__(self, made: object, body: bytes) -> None:
        """Refuse whoever is not the door."""
        if made is not _MADE:
            message = "leave for an unlogged answer is given by the door of hotlines, never constructed"
            raise TypeError(message)
        self._body = body

    def covers(self, body: bytes) -> bool:
        """Tell whether these are the very bytes."""
        return body == self._body


class HotlineDoor:
    """Answers hotlines without a record."""

    def __init__(self, gate: Gate) -> None:
        """Take the gate, which decides who may see them and lays out a card of which nothing is opened."""
        self._gate = gate

    def card(self, viewer: Viewer, purpose: Purpose, record: Record | None) -> tuple[bytes, str]:
        """Write the card of one hotline, with its version; raise ``LogUnavailable`` for anything else, alike when there is nothing."""
        plan = viewer.plan(purpose)
        if record is None or (cohort := self._verdict(plan, record)) is None:
            raise LogUnavailable
        body, version = self._opened(viewer, plan, [(record, cohort)]).one()
        self._pass(viewer, plan, [record], body)
        return body, version

    def page(
        self, viewer: Viewer, purpose: Purpose, records: Sequence[Record], following: str | None, total: int | None
    ) -> bytes:
        """Write a page of hotlines; raise ``LogUnavailable`` when anybody else is on it. An edited row is left out, as everywhere."""
        plan = viewer.plan(purpose)
        if any(record.cohort.kind != HOTLINE for record in records):
            raise LogUnavailable
        admitted = [(record, cohort) for record in records if (cohort := self._verdict(plan, record)) is not None]
        body = self._opened(viewer, plan, admitted).page(following, total)
        self._pass(viewer, plan, [record for record, _ in admitted], body)
        return body

    def _verdict(self, plan: Plan, record: Record) -> Cohort | None:
        """Give the verdict on a hotline whose row verifies, or ``None``."""
        return self._gate.verdict(plan, record) if record.cohort.kind == HOTLINE else None

    def _opened(self, viewer: Viewer, plan: Plan, admitted: Sequence[tuple[Record, Cohort]]) -> Opened:
        obligations = {UNLOGGED}.union(*(cohort.obligations for _, cohort in admitted))
        cards = [self._gate.closed_card(record) for record, _ in admitted]
        return Opened(cards, note(viewer, plan, None, sorted(obligations)), None)

    def _pass(self, viewer: Viewer, plan: Plan, records: Sequence[Record], body: bytes) -> None:
        """Tell security of the look, and give leave for ``body``."""
        context = current_request()
        if context is None:
            raise LogUnavailable
        _log.warning(
            "unlogged_hotline_answer",
            actor_id=viewer.standing.actor_id,
            client_id=viewer.standing.client_id,
            purpose=plan.purpose.value,
            policy_version=plan.pack_label,
            contacts=[str(record.subject) for record in records],
            request_id=context.request_id,
        )
        context.unlogged_hotline_answer = UnloggedHotlineAnswer(_MADE, body)
