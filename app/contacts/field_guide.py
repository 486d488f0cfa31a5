"""What the fields of a contact are, and what the caller is shown of each: the catalogue, read with the caller's plan.

Nobody's data: every verdict is about a contact that does not exist, ordinary and active, in the caller's own department, in one that the
caller heads, or in none of these. So it says what policy says and nothing of anybody.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import Response

from app.contacts.fields import CATALOGUE
from app.contacts.forms import Forms
from app.disclosure.fields import ProtectedField
from app.disclosure.gate import Gate
from app.kit.dependencies import names_version
from app.kit.models import new_id
from app.permissions.outcomes import STATE_OF, FieldClass, Outcome, Purpose, State
from app.permissions.pack import Kind
from app.permissions.plan import CohortKey, Plan
from app.permissions.standing import Viewer

_KINDS: Final[tuple[Kind, ...]] = ("employee", "temporary", "external", "student", "applicant", "hotline")
_PATHS: Final = {"photo": "/v1/contacts/{id}/photo"}


class FieldGuide:
    """Tells what the fields are."""

    def __init__(self, *, gate: Gate, forms: Forms) -> None:
        """Take the gate, for versions, and the collection forms."""
        self._gate, self._forms = gate, forms

    def told(self, viewer: Viewer, *, known: str | None = None) -> Response:
        """Tell every field as ``viewer`` meets it; 304 when ``known`` (``If-None-Match``) names that."""
        plan = viewer.plan(Purpose.WORK_CONTACT)
        items = [*self._public(plan), *(self._protected(field, plan) for field in CATALOGUE.declared)]
        body = orjson.dumps({"items": items, "policy_version": plan.pack_label})
        version = self._gate.version(body)
        headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if known is not None and names_version(known, version):
            return Response(status_code=304, headers=headers)
        return Response(
            b'%b,"version":"%b"}' % (body[:-1], version.encode()), media_type="application/json", headers=headers
        )

    def _public(self, plan: Plan) -> Iterator[dict[str, Any]]:
        sights: dict[Kind, dict[str, dict[str, str]]] = {}
        for field in CATALOGUE.public:
            kinds = [kind for kind in _KINDS if kind in field.kinds]
            sight = sights.get(kinds[0])
            if sight is None:
                sight = sights[kinds[0]] = {
                    relation: {"state": (State.SHOWN if plan.cohort(key, identity).visible else State.WITHHELD).value}
                    for relation, (key, identity) in _relations(plan, kinds[0]).items()
                }
            yield {
                "name": field.name,
                "zh": field.zh,
                "en": field.en,
                "class": FieldClass.C1.value,
                "kinds": kinds,
                "protected": False,
                "mask": None,
                "collected": True,
                "path": None,
                "sight": sight,
            }

    def _protected(self, field: ProtectedField, plan: Plan) -> dict[str, Any]:
        kinds = [kind for kind in _KINDS if kind in field.kinds]
        return {
            "name": field.name,
            "zh": field.zh,
            "en": field.en,
            "class": field.field_class.value,
            "kinds": kinds,
            "protected": True,
            "mask": field.mask.value,
            "collected": any(self._forms.collects(kind, field.name) for kind in kinds),
            "path": _PATHS.get(field.name),
            "sight": {
                relation: _sight(field, plan, key, identity)
                for relation, (key, identity) in _relations(plan, kinds[0]).items()
            },
        }


def _relations(plan: Plan, kind: Kind) -> Mapping[str, tuple[CohortKey, UUID]]:
    """Give a contact that does not exist for each way in which one can stand to the viewer; oneself does exist."""
    standing, worker = plan.standing, "regular" if kind in {"employee", "temporary"} else None

    def ordinary(*departments: UUID) -> CohortKey:
        return CohortKey(kind, worker, "active", "normal", departments)

    found = {"others": (ordinary(), new_id())}
    if standing.departments - standing.headed:
        found["own_department"] = (ordinary(min(standing.departments - standing.headed)), new_id())
    if standing.headed:
        found["headed"] = (ordinary(min(standing.headed)), new_id())
    if standing.contact_id is not None and kind == "employee":
        found["self"] = (ordinary(*sorted(standing.departments)), standing.contact_id)
    return found


def _sight(field: ProtectedField, plan: Plan, key: CohortKey, identity: UUID) -> dict[str, str]:
    cohort = plan.cohort(key, identity)
    outcome = cohort.shown(field.name, field.field_class) if cohort.visible else Outcome.HIDDEN
    if not field.on_card:
        return {"state": (State.SHOWN if outcome is Outcome.CLEAR else State.WITHHELD).value}
    following = cohort.next_step(field.name, field.field_class) if cohort.visible else None
    return {"state": STATE_OF[outcome].value, **({"next": following} if following else {})}
