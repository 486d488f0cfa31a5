"""An explanation says what decides, and its way forward leads where it says."""

from dataclasses import replace
from typing import Final

import pytest

from app.contacts.fields import CATALOGUE
from app.permissions.explaining import Change, Question, Way, explain
from app.permissions.outcomes import FieldClass, Outcome, Purpose, Reason
from app.permissions.pack import load
from app.permissions.plan import CohortKey, Standing
from tests.permissions.strategies import CONTACTS, Chance
from tests.permissions.test_plan import _pack, key, person
from tests.support.clock import NOON

FIELDS: Final = tuple((field.name, field.field_class) for field in CATALOGUE.protected)
MOBILE: Final = (("mobile", FieldClass.C3),)


def asked(standing: Standing, row: CohortKey, purpose: Purpose = Purpose.WORK_CONTACT, who: int = 1) -> Question:
    return Question(load(), standing, purpose, NOON, row, CONTACTS[who])


def test_it_tells_what_the_plan_decides_and_its_way_forward_leads_there() -> None:
    """For random viewers and contacts under random packs; every kind of way is met."""
    met: dict[Way, int] = dict.fromkeys(Way, 0)
    for seed in range(500):
        chance = Chance(seed)
        pack, standing, (identity, row) = _pack(chance), chance.standing(), chance.contact()
        question = Question(pack, standing, Purpose.WORK_CONTACT, NOON, row, identity)
        cohort = question.cohort(question.plan())
        for told in explain(question, FIELDS):
            assert told.shown is cohort.shown(told.name, told.field_class)
            assert told.revealed is cohort.revealed(told.name, told.field_class)
            assert any(each.applied for each in told.forbids) <= (not cohort.visible)
            assert set(told.winning) <= {each.rule.id for each in told.grants} | {
                str(each) for each in cohort.granted_by
            }
            if told.change is None:
                continue
            met[told.change.way] += 1
            assert led(question, told.name, told.field_class, told.change) >= told.change.leads_to
            assert told.change.leads_to > told.shown
    assert all(met.values()), met


def led(question: Question, name: str, field_class: FieldClass, change: Change) -> Outcome:
    """Make the change, and see."""
    standing, value, plan = question.standing, change.value or "", question.plan()
    match change.way:
        case Way.PURPOSE:
            plan = question.plan(purpose=Purpose(value))
        case Way.STEP_UP:
            plan = question.plan(standing=replace(standing, step_up=True))
        case Way.SETTLE:
            plan = question.plan(standing=replace(standing, marks=standing.marks - {value}))
        case Way.REQUEST:
            return Outcome.CLEAR
        case Way.REVEAL:
            pass
    return question.cohort(plan).revealed(name, field_class)


@pytest.mark.parametrize(
    ("standing", "row", "wins", "way"),
    [
        (person(), key(), "staff.own_department", Way.REVEAL),
        (person(), key(department=1), "staff.directory", Way.REQUEST),
        (person(marks=frozenset({"overdue_return"})), key(), "staff.own_department", Way.SETTLE),
        (
            person(roles=frozenset({"safety"})),
            key(department=1)._replace(tags=("safety_officer",)),
            "staff.directory",
            Way.PURPOSE,
        ),
        (person(worker_kind="intern"), key(), None, None),
    ],
)
def test_the_shipped_rules_explain_themselves(
    standing: Standing, row: CohortKey, wins: str | None, way: Way | None
) -> None:
    (told,) = explain(asked(standing, row), MOBILE)
    assert (wins in told.winning) if wins else told.winning == ()
    assert (told.change.way if told.change else None) is way


def test_a_second_proof_is_the_way_to_ones_own_sensitive_fields() -> None:
    (told,) = explain(asked(person(), key(), who=0), (("id_number", FieldClass.C5),))
    assert told.change == Change(Way.STEP_UP, None, Outcome.CLEAR, Reason.NONE)
