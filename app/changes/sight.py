"""What decides what a caller may see, written down: it is another when the sight is another without a change in the directory.

A new grant, another department of one's own, another pack: nobody's card changed, and yet other cards are to be seen. Who follows changes
reads the directory again then. Where rules ask whose contract is over, days end contracts, and the day counts too.
"""

from typing import Any
from weakref import WeakKeyDictionary

import orjson

from app.permissions.plan import Place, Plan


class Sights:
    """Writes them, once for each plan."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: WeakKeyDictionary[Plan, bytes] = WeakKeyDictionary()

    def of(self, plan: Plan) -> bytes:
        """Give the bytes of a plan: the same for the same rights, whichever process asks."""
        known = self._known.get(plan)
        if known is None:
            known = self._known[plan] = orjson.dumps(_facts(plan), default=str)
        return known


def _facts(plan: Plan) -> list[Any]:
    standing = plan.standing
    rules = (*plan.forbids, *plan.caps, *plan.grants)
    return [
        plan.pack_label,
        plan.purpose.value,
        plan.today if any(rule.contact.ended is not None for rule in rules) else None,
        sorted(rule.id for rule in rules),
        [standing.kind, standing.client_id, standing.tier.value, standing.ceiling, standing.step_up],
        [sorted(standing.roles), sorted(standing.marks), sorted(standing.scopes), standing.worker_kind],
        standing.contact_id,
        [_sorted(each) for each in (standing.departments, standing.subtree, standing.headed, standing.distrusted)],
        [*_place(standing.region), *_place(standing.legal_entity)],
        _sorted(grant.id for grant in plan.live),
        {relation.value: _sorted(contacts) for relation, contacts in sorted(plan.engaged.items())},
        None if plan.emergency is None else plan.emergency.session_id,
    ]


def _place(place: Place) -> list[list[str]]:
    return [_sorted(place.same), _sorted(place.other)]


def _sorted(ids: Any) -> list[str]:  # noqa: ANN401 — ids in no order
    return sorted(map(str, ids))
