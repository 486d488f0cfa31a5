"""The policy pack, read slowly and plainly: one field of one contact for one viewer at one moment, rule by rule, nothing kept.

It follows section (c.3) of the reference and nothing else: a forbid hides; otherwise the lowest cap over the highest grant; what nobody
grants is hidden; an exception with the person's consent stands above caps that are liftable and no mark's. The compiled plan is held to
it by a property test, so the two are written apart on purpose: this one works on the pack's plain data and knows no cohorts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.permissions.outcomes import Outcome, Purpose
from app.permissions.pack import Pack
from app.permissions.plan import CohortKey, LiveGrant, Standing

_CLASSES: Final = ("C1", "C2", "C3", "C4", "C5")
_HERE: Final = timedelta(hours=8)
_MET: Final = {"watermark", "no_export", "no_forward"}
_POWERS: Final = {"match": "matches", "order": "orders", "count": "counts", "export": "exports", "edit": "edits"}
_OUTWARDS: Final = (
    "self",
    "assigned_ticket",
    "assigned_order",
    "assigned_account",
    "assigned",
    "headed",
    "own_department",
    "own_subtree",
    "same_region",
    "same_legal_entity",
    "other_region",
    "other_legal_entity",
    "emergency",
    "others",
    "any",
)
_SEARCHED: Final = {
    "mobile.exact": "C3",
    "mobile.last4": "C3",
    "email.exact": "C2",
    "name.exact": "C2",
    "wechat.exact": "C4",
    "id_number.exact": "C5",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the pack says of one field of one contact."""

    visible: bool
    shown: Outcome
    revealed: Outcome
    following: str | None
    obligations: frozenset[str]
    powers: Mapping[str, frozenset[str]] = field(default_factory=lambda: dict.fromkeys(_POWERS, frozenset[str]()))
    lookups: frozenset[str] = frozenset()
    reason: str | None = None
    demanded: str = "none"
    changed_by: str | None = None


class ReferenceEvaluator:
    """Evaluates one pack."""

    def __init__(self, pack: Pack) -> None:
        """Take the pack as the plain data that a reader would have before them."""
        self._rules: list[dict[str, Any]] = pack.model_dump(mode="json", include={"rules"})["rules"]

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
        rules = [rule for rule in self._rules if self._matches(rule, viewer, contact, contact_id, purpose, at)]
        forbidden = any(rule["effect"] == "forbid" for rule in rules)
        unbelieved = any(department in viewer.distrusted for department in contact.departments)
        if forbidden or unbelieved:
            return Answer(
                visible=False,
                shown=Outcome.HIDDEN,
                revealed=Outcome.HIDDEN,
                following=None,
                obligations=frozenset(),
            )
        caps = [rule for rule in rules if rule["effect"] == "cap"]
        grants = [rule for rule in rules if rule["effect"] == "grant" and _MET.issuperset(rule["obligations"])]
        inside = _in_emergency(viewer, contact, purpose, at)
        top = self._ceiling(caps, field_class, viewer, inside=inside)
        live = [each for each in viewer.grants if self._covers(each, viewer, contact, contact_id, purpose, at)]
        hard = [rule for rule in caps if not rule["liftable"] or rule["viewer"]["marks"]]
        consented = self._ceiling(hard, field_class, viewer, inside=inside)
        exceptions = [min(consented if each.lifts else top, each.outcome) for each in live if field in each.fields]
        shown = max([min(top, _highest(grants, "shows", field_class)), *exceptions])
        revealed = max(shown, min(top, _highest(grants, "reveals", field_class)))
        following = None
        if shown is not Outcome.CLEAR:
            if revealed > shown:
                following = "reveal"
            else:
                kinds = [rule["requests"][field_class] for rule in grants if field_class in rule["requests"]]
                final = any(
                    not rule["liftable"] and self._ceiling([rule], field_class, None) < Outcome.CLEAR for rule in caps
                )
                following = f"request:{kinds[-1]}" if kinds and not final else None
        public = self._ceiling(caps, "C1", viewer, inside=inside)
        denied = {power for rule in caps for power in rule["denies"]}
        if inside:
            denied.add("export")
        clear = {
            each
            for each in _CLASSES
            if min(self._ceiling(caps, each, viewer, inside=inside), _highest(grants, "shows", each)) is Outcome.CLEAR
            or (each == "C1" and live and public is Outcome.CLEAR)
        }
        furthest = min(top, _highest(grants, "reveals", field_class))
        reasons = [
            rule["reason"]
            for rule in grants
            if field_class in rule["reveals"] and min(top, Outcome(rule["reveals"][field_class])) == furthest
        ]
        reason = next((each for each in ("none", "purpose", "text", "case") if each in reasons), None)
        return Answer(
            visible=public > Outcome.HIDDEN and (bool(live) or _highest(grants, "shows", "C1") > Outcome.HIDDEN),
            shown=shown,
            revealed=revealed,
            following=following,
            obligations=frozenset(each for rule in (*caps, *grants) for each in rule["obligations"]),
            powers={
                power: frozenset(
                    each
                    for rule in grants
                    for each in rule[member]
                    if power not in denied and (power == "edit" or each in clear)
                )
                for power, member in _POWERS.items()
            },
            lookups=frozenset(
                tag
                for rule in grants
                for tag in rule["lookups"]
                if "lookup" not in denied
                and self._ceiling(caps, _SEARCHED[tag], viewer, inside=inside) > Outcome.HIDDEN
            ),
            reason=reason,
            changed_by=_changed_by(grants, field_class),
            demanded=reason if reason is not None and furthest > shown else "none",
        )

    @staticmethod
    def _ceiling(
        caps: Iterable[Mapping[str, Any]], field_class: str, viewer: Standing | None, *, inside: bool = False
    ) -> Outcome:
        lowest = Outcome.CLEAR
        for rule in caps:
            lifted = inside and rule["liftable"] and field_class in {"C1", "C2", "C3"}
            if lifted and (rule["viewer"]["marks"] or rule["contact"]["relation"] == "other_region"):
                lifted = viewer is not None and viewer.emergency is not None and viewer.emergency.confirmed
            if field_class in rule["shows"] and not lifted:
                met = _MET.issuperset(rule["obligations"])
                lowest = min(lowest, Outcome(rule["shows"][field_class]) if met else Outcome.HIDDEN)
        if viewer is None:
            return lowest
        if viewer.ceiling is not None and _CLASSES.index(field_class) > _CLASSES.index(viewer.ceiling.value):
            lowest = Outcome.HIDDEN
        return lowest

    @staticmethod
    def _covers(
        grant: LiveGrant, viewer: Standing, contact: CohortKey, contact_id: UUID, purpose: Purpose, at: datetime
    ) -> bool:
        if at < grant.starts_at or at >= grant.ends_at or grant.purpose != purpose:
            return False
        own = any(each in grant.departments for each in contact.departments)
        return {
            "contact": grant.scope.value == str(contact_id),
            "department": own,
            "subtree": own,
            "legal_entity": own,
            "region": own,
            "company": True,
            "kind": grant.scope.value == contact.kind,
            "tag": grant.scope.value in contact.tags,
            "assigned": _works_on(viewer, contact_id, at) and grant.scope.value in {"", str(contact_id)},
        }[grant.scope.kind]

    @staticmethod
    def _matches(
        rule: Mapping[str, Any], viewer: Standing, contact: CohortKey, contact_id: UUID, purpose: Purpose, at: datetime
    ) -> bool:
        of_viewer, of_contact = rule["viewer"], rule["contact"]
        speaks_of_viewer = [
            viewer.kind in of_viewer["kinds"],
            viewer.tier.value in of_viewer["tiers"] or not of_viewer["tiers"],
            any(role in viewer.roles for role in of_viewer["roles"]) or not of_viewer["roles"],
            not any(role in viewer.roles for role in of_viewer["not_roles"]),
            any(mark in viewer.marks for mark in of_viewer["marks"]) or not of_viewer["marks"],
            any(scope in viewer.scopes for scope in of_viewer["scopes"]) or not of_viewer["scopes"],
            not any(scope in viewer.scopes for scope in of_viewer["not_scopes"]),
            viewer.worker_kind in of_viewer["worker_kinds"] or not of_viewer["worker_kinds"],
            of_viewer["step_up"] in {None, viewer.step_up},
            purpose.value in rule["purposes"] or not rule["purposes"],
        ]
        if not all(speaks_of_viewer):
            return False
        speaks_of_contact = [
            contact.kind in of_contact["kinds"] or not of_contact["kinds"],
            contact.status in of_contact["statuses"] or not of_contact["statuses"],
            contact.secrecy in of_contact["secrecy"] or not of_contact["secrecy"],
            any(tag in contact.tags for tag in of_contact["tags"]) or not of_contact["tags"],
            of_contact["ended"] in {None, contact.until is not None and contact.until < (at + _HERE).date()},
        ]
        if not all(speaks_of_contact):
            return False
        own = viewer.contact_id is not None and viewer.contact_id == contact_id
        related: bool = {
            "any": True,
            "self": own,
            "others": not own,
            "own_department": any(each in viewer.departments for each in contact.departments),
            "own_subtree": any(each in viewer.subtree for each in contact.departments),
            "headed": any(each in viewer.headed for each in contact.departments),
            "same_region": any(each in viewer.region.same for each in contact.departments),
            "other_region": not any(each in viewer.region.same for each in contact.departments)
            and any(each in viewer.region.other for each in contact.departments),
            "same_legal_entity": any(each in viewer.legal_entity.same for each in contact.departments),
            "other_legal_entity": not any(each in viewer.legal_entity.same for each in contact.departments)
            and any(each in viewer.legal_entity.other for each in contact.departments),
            "assigned": _works_on(viewer, contact_id, at),
            "assigned_account": _works_on(viewer, contact_id, at, "account"),
            "assigned_order": _works_on(viewer, contact_id, at, "order"),
            "assigned_ticket": _works_on(viewer, contact_id, at, "ticket"),
            "emergency": _in_emergency(viewer, contact, purpose, at),
        }[of_contact["relation"]]
        return related


def _changed_by(grants: Iterable[Mapping[str, Any]], field_class: str) -> str | None:
    """Name the kind of request that changes a field: walk from the nearest relation outwards, and down the pack in each."""
    rules = list(grants)
    for relation in _OUTWARDS:
        for rule in rules:
            if rule["contact"]["relation"] == relation and field_class in rule["edit_requests"]:
                return str(rule["edit_requests"][field_class])
    return None


def _in_emergency(viewer: Standing, contact: CohortKey, purpose: Purpose, at: datetime) -> bool:
    """Tell whether break-glass reaches this contact: the purpose is said, the session runs, names them, and has its second person."""
    session = viewer.emergency
    if session is None or purpose.value != "emergency" or at >= session.until:
        return False
    if contact.secrecy != "normal" and not session.confirmed:
        return False
    in_department = any(each in session.departments for each in contact.departments)
    return in_department or any(each in session.tags for each in contact.tags)


def _works_on(viewer: Standing, contact_id: UUID, at: datetime, fact: str | None = None) -> bool:
    for each in viewer.engagements:
        over = each.until is not None and at >= each.until
        if each.contact_id == contact_id and not over and (fact is None or fact in each.facts):
            return True
    return False


def _highest(grants: Iterable[Mapping[str, Any]], power: str, field_class: str) -> Outcome:
    highest = Outcome.HIDDEN
    for rule in grants:
        if field_class in rule[power]:
            highest = max(highest, Outcome(rule[power][field_class]))
    return highest
