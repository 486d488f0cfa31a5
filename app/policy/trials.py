"""A pack's own tests, tried: each example becomes a standing and a contact, and the compiled plan is asked.

Pure. Relations are said in words in a test; here they become departments that the two share or do not. What a test does not mention is not
compared. The plan itself is held to a plain reading of the pack elsewhere (``tests/support/reference_evaluator.py``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from app.permissions.emergency import Emergency
from app.permissions.outcomes import CLASSES, TAG_CLASS, FieldClass, Outcome, Power, Reason, Tier
from app.permissions.pack import Pack
from app.permissions.pack_tests import Expectation, PackTest, TestContact, TestViewer
from app.permissions.plan import Cohort, CohortKey, Engagement, Fact, Place, Plan, Standing

_NOW: Final = datetime(2026, 1, 5, 4, tzinfo=UTC)
_VIEWER: Final = UUID(int=1)
_CONTACT: Final = UUID(int=2)
_VIEWERS: Final = UUID(int=101)
_CONTACTS: Final = UUID(int=102)
_YESTERDAY: Final = date(2026, 1, 4)
_FACTS: Final[tuple[Fact, ...]] = ("account", "order", "ticket")
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Failure:
    """What one test expected and found otherwise: of which field or class, which member, what was wanted, what there is."""

    test: str
    about: str
    member: str
    wanted: str
    found: str

    def __str__(self) -> str:
        """Say it on a line."""
        return f"{self.test}: {self.about} {self.member}: expected {self.wanted}, found {self.found}"


def try_pack(pack: Pack, classes: Mapping[str, FieldClass]) -> tuple[Failure, ...]:
    """Try every test of ``pack``; ``classes`` gives the class of every field that a test may name. No failure: all hold."""
    return tuple(failure for test in pack.tests for failure in try_one(pack, test, classes))


def try_one(pack: Pack, test: PackTest, classes: Mapping[str, FieldClass]) -> Iterator[Failure]:
    """Try one test."""
    identity = _VIEWER if "self" in test.contact.relation else _CONTACT
    plan = Plan(pack, standing_of(test.viewer, test.contact), test.purpose, _NOW)
    cohort = plan.cohort(key_of(test.contact), identity)
    if test.visible is not None and cohort.visible is not test.visible:
        yield Failure(test.id, "contact", "visible", _yes(test.visible), _yes(cohort.visible))
    if test.obligations is not None and set(test.obligations) != set(cohort.obligations):
        yield Failure(test.id, "contact", "obligations", _all(test.obligations), _all(cohort.obligations))
    for about, expected in test.expect.items():
        field_class = _class_of(about, classes)
        if field_class is None:
            yield Failure(test.id, about, "field", "a field or class that there is", "none")
            continue
        for member, wanted, found in compared(expected, cohort, about, field_class):
            if wanted != found:
                yield Failure(test.id, about, member, wanted, found)


def rules_of(pack: Pack, test: PackTest) -> frozenset[str]:
    """Name the rules that decide a test: those that speak of its viewer and its contact."""
    identity = _VIEWER if "self" in test.contact.relation else _CONTACT
    plan = Plan(pack, standing_of(test.viewer, test.contact), test.purpose, _NOW)
    return frozenset(plan.cohort(key_of(test.contact), identity).rules)


def compared(
    expected: Expectation, cohort: Cohort, name: str, field_class: FieldClass
) -> Iterator[tuple[str, str, str]]:
    """Give, for every member that is expected, its name, what is wanted and what there is."""
    if expected.outcome is not None:
        shown = cohort.shown(name, field_class) if cohort.visible else Outcome.HIDDEN
        yield "outcome", expected.outcome.name.lower(), shown.name.lower()
    if expected.reveals is not None:
        revealed = cohort.revealed(name, field_class) if cohort.visible else Outcome.HIDDEN
        yield "reveals", expected.reveals.name.lower(), revealed.name.lower()
    if expected.next is not None:
        following = cohort.next_step(name, field_class) if cohort.visible else None
        yield "next", expected.next, following or _NOTHING
    if expected.reason is not None:
        demanded = cohort.demanded(name, field_class) if cohort.visible else Reason.NONE
        yield "reason", expected.reason.value, demanded.value
    if expected.powers is not None:
        yield "powers", _all(expected.powers), _all(powers_of(cohort, field_class))


def powers_of(cohort: Cohort, field_class: FieldClass) -> frozenset[str]:
    """Name the powers beside showing that a cohort gives over a class; a look-up counts for the class of what is looked for."""
    if not cohort.visible:
        return frozenset()
    named = {power.value for power, classes in cohort.powers.items() if field_class in classes}
    if any(TAG_CLASS[tag] is field_class for tag in cohort.lookups):
        named.add(Power.LOOKUP.value)
    return frozenset(named)


def standing_of(viewer: TestViewer, contact: TestContact) -> Standing:
    """Make the standing of a test's viewer: what they have in common with the contact, the contact's department stands for."""
    related = frozenset(contact.relation)
    theirs = frozenset({_CONTACTS})
    person = viewer.kind == "person"
    shared = bool(related & {"self", "own_department"})
    own = (theirs if shared else frozenset({_VIEWERS})) if person else frozenset()
    facts: frozenset[Fact] = frozenset(fact for fact in _FACTS if f"assigned_{fact}" in related)
    working = facts or "assigned" in related
    return Standing(
        kind=viewer.kind,
        actor_id="viewer",
        name="viewer",
        client_id="client",
        scopes=frozenset(viewer.scopes),
        tier=viewer.tier if person else Tier.T0,
        roles=frozenset(viewer.roles),
        marks=frozenset(viewer.marks),
        worker_kind=viewer.worker_kind,
        contact_id=_VIEWER if person else None,
        main_department=next(iter(own), None),
        departments=own,
        subtree=own | (theirs if "own_subtree" in related else frozenset()),
        headed=theirs if "headed" in related else frozenset(),
        region=_place("region", related),
        legal_entity=_place("legal_entity", related),
        engagements=(Engagement(_CONTACT, facts),) if working else (),
        emergency=Emergency(_CONTACT, _NOW + timedelta(hours=1), departments=theirs, confirmed=True)
        if "emergency" in related
        else None,
        step_up=viewer.step_up,
        ceiling=viewer.ceiling,
    )


def key_of(contact: TestContact) -> CohortKey:
    """Make what policy reads of a test's contact."""
    return CohortKey(
        contact.kind,
        contact.worker_kind,
        contact.status,
        contact.secrecy,
        (_CONTACTS,),
        contact.tags,
        _YESTERDAY if contact.ended else None,
    )


def _place(name: str, related: frozenset[str]) -> Place:
    theirs: frozenset[UUID] = frozenset({_CONTACTS})
    if f"same_{name}" in related:
        return Place(same=theirs)
    return Place(same=frozenset({_VIEWERS}), other=theirs) if f"other_{name}" in related else Place()


def _class_of(about: str, classes: Mapping[str, FieldClass]) -> FieldClass | None:
    return FieldClass(about) if about in CLASSES else classes.get(about)


def _yes(value: bool) -> str:  # noqa: FBT001 — a word for a truth value
    return "yes" if value else "no"


def _all(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or _NOTHING
