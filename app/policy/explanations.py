"""Explaining to somebody why they see of a contact what they see; to the security team, why somebody else does.

An explanation is a look: it is recorded before it is given, and about a contact that the caller may not know of it says what a missing one
says. It reads rules and standing, never a value.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.auth.repository import AccountRepository
from app.auth.subject import Person
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.disclosure.errors import UnknownField
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import FieldError, NotFound
from app.permissions.errors import NotPermitted
from app.permissions.explaining import Change, Explanation, Question, Tried, Way, explain
from app.permissions.outcomes import STATE_OF, FieldClass, Purpose, Tier
from app.permissions.pack import Rule
from app.permissions.standing import Standings, Viewer
from app.policy.explanation_schemas import ExplanationRequest, ExplanationView

_ACTION: Final = "policy.explanation"
_CARD: Final = ("card", FieldClass.C1)
"""What stands for the C1 members, which are shown together or not at all."""


def may_see_others_view(viewer: Viewer) -> bool:
    """Tell whether somebody's task is to know what others see: tier T5."""
    return viewer.standing.kind == "person" and viewer.standing.tier is Tier.T5


class Explanations:
    """Explains."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        gate: Gate,
        standings: Standings,
        accounts: AccountRepository,
        reader: Reader,
        clock: Clock,
    ) -> None:
        """Take the rows, the gate, who viewers are, their accounts, the reader and the clock."""
        self._contacts, self._gate, self._standings = contacts, gate, standings
        self._accounts, self._reader, self._clock = accounts, reader, clock
        self._rights = CurrentRights(standings)

    async def explain(self, viewer: Viewer, request: ExplanationRequest) -> Disclosed[ExplanationView]:
        """Explain a view of one contact. Raises ``NotFound``, ``NotPermitted``, ``UnknownField`` and ``LogUnavailable``."""
        seek(_ACTION, request.purpose, request.contact)

        async def attempt(viewer: Viewer) -> Disclosed[ExplanationView]:
            record = await self._contacts.by_id(request.contact, viewer.tree)
            if record is None or self._gate.verdict(viewer.plan(request.purpose), record) is None:
                raise NotFound
            subject = await self._subject(viewer, request.viewer)
            question = Question(
                pack=viewer.pack,
                standing=subject.standing,
                purpose=request.purpose,
                now=self._clock.now(),
                key=record.cohort,
                contact_id=record.subject,
            )
            explained = explain(question, _fields(record.cohort.kind, request.fields))
            about = [record.subject, *([] if subject is viewer else [UUID(subject.standing.actor_id)])]
            look = Look(action=_ACTION, purpose=request.purpose, fields=request.fields)
            note = await self._gate.disclose_plain(viewer, look, count=len(about), contacts=about)
            body = {
                "contact": record.subject,
                "viewer": _viewer(subject),
                "purpose": request.purpose.value,
                "visible": question.cohort(question.plan()).visible,
                "policy_version": viewer.plan(request.purpose).pack_label,
                "fields": [_explanation(each, record.subject, request.purpose) for each in explained],
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body))

        return await self._rights.of(viewer, attempt)

    async def _subject(self, viewer: Viewer, contact_id: UUID | None) -> Viewer:
        """Give whose view it is: the caller's own, or for T5 anybody's who may sign in."""
        if contact_id is None or contact_id == viewer.standing.contact_id:
            return viewer
        if not may_see_others_view(viewer):
            raise NotPermitted
        account = await self._accounts.by_contact(self._reader, contact_id)
        if account is None:
            raise NotFound
        subject = Person(account.user_name, viewer.standing.client_id, frozenset())
        return await self._standings.of(subject, fresh=True)


def _fields(kind: str, names: Sequence[str]) -> list[tuple[str, FieldClass]]:
    """Give the fields to explain with their classes: those named, or all that a contact of ``kind`` carries, the card first."""
    carried = {field.name: field.field_class for field in CATALOGUE.of_kind(kind)}
    carried.update({name: field.field_class for name, field in CATALOGUE.apart.items() if kind in field.kinds})
    if not names:
        return [_CARD, *carried.items()]
    unknown = [name for name in names if name not in carried]
    if unknown:
        raise UnknownField(errors=[FieldError("/fields", UnknownField.code, UnknownField.title, UnknownField.title_zh)])
    return [(name, carried[name]) for name in dict.fromkeys(names)]


def _viewer(subject: Viewer) -> dict[str, Any]:
    standing = subject.standing
    return {
        "id": standing.actor_id,
        "name": standing.name,
        "tier": standing.tier.value,
        "roles": sorted(standing.roles),
        "marks": sorted(standing.marks),
    }


def _explanation(told: Explanation, contact: UUID, purpose: Purpose) -> dict[str, Any]:
    return {
        "field": told.name,
        "class": told.field_class.value,
        "state": STATE_OF[told.shown].value,
        "outcome": told.shown.name.lower(),
        "revealed": told.revealed.name.lower(),
        "reason": told.reason.value,
        "decided_by": list(told.winning),
        "forbids": [{**rule_view(each.rule), "applied": each.applied} for each in told.forbids],
        "caps": [_tried(each) for each in told.caps],
        "grants": [{**_tried(each), "reason": each.rule.reason.value} for each in told.grants],
        "exceptions": [
            {"id": each.id, "outcome": each.outcome.name.lower(), "ends_at": _instant(each.ends_at)}
            for each in told.exceptions
        ],
        "obligations": list(told.obligations),
        "change": None if told.change is None else _change(told, told.change, contact, purpose),
    }


def _instant(at: datetime) -> str:
    return at.isoformat()


def rule_view(rule: Rule) -> dict[str, Any]:
    """Name a rule as people read it: id, clauses, titles."""
    return {"id": rule.id, "clauses": list(rule.clauses), "zh": rule.zh, "en": rule.en}


def _tried(each: Tried) -> dict[str, Any]:
    return {
        **rule_view(each.rule),
        "applied": each.applied,
        "shows": None if each.shown is None else each.shown.name.lower(),
        "reveals": None if each.revealed is None else each.revealed.name.lower(),
        "liftable": each.rule.liftable,
    }


def _change(told: Explanation, change: Change, contact: UUID, purpose: Purpose) -> dict[str, Any]:
    request = {
        "kind": change.value,
        "subject": {"type": "contact", "id": contact},
        "form": {"fields": [told.name], "purpose": purpose.value},
    }
    return {
        "way": change.way.value,
        "value": change.value,
        "leads_to": change.leads_to.name.lower(),
        "reason": None if change.reason is None else change.reason.value,
        "request": request if change.way is Way.REQUEST else None,
    }
