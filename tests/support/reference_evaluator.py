"""The policy pack, read slowly and plainly: one field of one contact for one viewer at one moment, rule by rule, nothing kept.

It follows section (c.3) of the reference and nothing else: a forbid hides; otherwise the lowest cap over the highest grant; what nobody
grants is hidden. The compiled plan is held to it by a property test, so the two are written apart on purpose: this one works on the
pack's plain data and knows no cohorts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.permissions.outcomes import Outcome, Purpose
from app.permissions.pack import Pack
from app.permissions.plan import CohortKey, Standing

_CLASSES: Final = ("C1", "C2", "C3", "C4", "C5")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the pack says of one field of one contact."""

    visible: bool
    shown: Outcome
    revealed: Outcome
    following: str | None
    edits: frozenset[str]
    obligations: frozenset[str]


class ReferenceEvaluator:
    """Evaluates one pack."""

    def __init__(self, pack: Pack) -> None:
        """Take the pack as the plain data that a reader would have before them."""
        self._rules: list[dict[str, Any]] = pack.model_dump(mode="json")["rules"]

    def ask(
        self,
        viewer: Standing,
        contact: CohortKey,
        contact_id: UUID,
        *,
        field: str,
        field_class: str,
        purpose: Purpose,
        at: datetime,
    ) -> Answer:
        """Answer for one field."""
        rules = [rule for rule in self._rules if self._matches(rule, viewer, contact, contact_id, purpose)]
        forbidden = any(rule["effect"] == "forbid" for rule in rules)
        unbelieved = any(department in viewer.distrusted for department in contact.departments)
        if forbidden or unbelieved:
            return Answer(
                visible=False,
                shown=Outcome.HIDDEN,
                revealed=Outcome.HIDDEN,
                following=None,
                edits=frozenset(),
                obligations=frozenset(),
            )
        caps = [rule for rule in rules if rule["effect"] == "cap"]
        grants = [rule for rule in rules if rule["effect"] == "grant"]
        top = self._ceiling(caps, field_class, viewer)
        exceptions = [min(top, each) for each in self._exceptions(viewer, contact, contact_id, field, purpose, at)]
        shown = max([min(top, _highest(grants, "shows", field_class)), *exceptions])
        revealed = max(shown, min(top, _highest(grants, "reveals", field_class)))
        following = None
        if shown is not Outcome.CLEAR:
            if revealed > shown:
                following = "reveal"
            else:
                kinds = [rule["requests"][field_class] for rule in grants if field_class in rule["requests"]]
                final = any(
                    not rule["liftable"] and rule["shows"].get(field_class, Outcome.CLEAR) < Outcome.CLEAR
                    for rule in caps
                )
                following = f"request:{kinds[-1]}" if kinds and not final else None
        return Answer(
            visible=min(self._ceiling(caps, "C1", viewer), _highest(grants, "shows", "C1")) > Outcome.HIDDEN,
            shown=shown,
            revealed=revealed,
            following=following,
            edits=frozenset(each for rule in grants for each in rule["edits"]),
            obligations=frozenset(each for rule in (*caps, *grants) for each in rule["obligations"]),
        )

    @staticmethod
    def _ceiling(caps: Iterable[Mapping[str, Any]], field_class: str, viewer: Standing) -> Outcome:
        lowest = Outcome.CLEAR
        for rule in caps:
            if field_class in rule["shows"]:
                lowest = min(lowest, Outcome(rule["shows"][field_class]))
        if viewer.ceiling is not None and _CLASSES.index(field_class) > _CLASSES.index(viewer.ceiling.value):
            lowest = Outcome.HIDDEN
        return lowest

    @staticmethod
    def _exceptions(
        viewer: Standing, contact: CohortKey, contact_id: UUID, field: str, purpose: Purpose, at: datetime
    ) -> list[Outcome]:
        found = []
        for grant in viewer.grants:
            if at < grant.starts_at or at >= grant.ends_at or grant.purpose != purpose or field not in grant.fields:
                continue
            if grant.contact_id is not None and grant.contact_id == contact_id:
                found.append(grant.outcome)
            if grant.department_id is not None and grant.department_id in contact.departments:
                found.append(grant.outcome)
        return found

    @staticmethod
    def _matches(
        rule: Mapping[str, Any], viewer: Standing, contact: CohortKey, contact_id: UUID, purpose: Purpose
    ) -> bool:
        of_viewer, of_contact = rule["viewer"], rule["contact"]
        speaks_of_viewer = [
            viewer.kind in of_viewer["kinds"],
            viewer.tier.value in of_viewer["tiers"] or not of_viewer["tiers"],
            any(role in viewer.roles for role in of_viewer["roles"]) or not of_viewer["roles"],
            not any(role in viewer.roles for role in of_viewer["not_roles"]),
            any(scope in viewer.scopes for scope in of_viewer["scopes"]) or not of_viewer["scopes"],
            viewer.worker_kind in of_viewer["worker_kinds"] or not of_viewer["worker_kinds"],
            of_viewer["step_up"] in {None, viewer.step_up},
            purpose.value in rule["purposes"] or not rule["purposes"],
        ]
        speaks_of_contact = [
            contact.kind in of_contact["kinds"] or not of_contact["kinds"],
            contact.status in of_contact["statuses"] or not of_contact["statuses"],
            contact.secrecy in of_contact["secrecy"] or not of_contact["secrecy"],
        ]
        own = viewer.contact_id is not None and viewer.contact_id == contact_id
        related = {
            "any": True,
            "self": own,
            "others": not own,
            "own_department": any(each in viewer.departments for each in contact.departments),
            "headed": any(each in viewer.headed for each in contact.departments),
        }[of_contact["relation"]]
        return related and all(speaks_of_viewer) and all(speaks_of_contact)


def _highest(grants: Iterable[Mapping[str, Any]], power: str, field_class: str) -> Outcome:
    highest = Outcome.HIDDEN
    for rule in grants:
        if field_class in rule[power]:
            highest = max(highest, Outcome(rule[power][field_class]))
    return highest
