"""The compiled plan says what the plain reading of the pack says, for any viewer, contact, pack and moment.

And rules only ever do what their kind may do: a cap or a forbid never reveals, a grant never hides.
"""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import create_engine, insert, inspect, select

from app.contacts.criteria import COLUMNS
from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact, ContactDepartment
from app.crypto.sealed import Sealed
from app.kit.models import Base
from app.permissions.outcomes import FieldClass, Outcome, Purpose, Tier
from app.permissions.pack import Effect, Pack, load
from app.permissions.plan import CohortKey, Plan, Standing
from app.permissions.predicate import visible
from tests.permissions.strategies import CONTACTS, DEPARTMENTS, PURPOSES, Chance
from tests.support.clock import NOON
from tests.support.reference_evaluator import ReferenceEvaluator

CASES: Final = int(os.environ.get("PLAN_CASES", "6000"))
SHIPPED: Final = (load("default"), load("strict"))
FIELDS: Final = tuple((field.name, field.field_class) for field in CATALOGUE.protected)


def _pack(chance: Chance) -> Pack:
    return chance.one(SHIPPED) if chance.yes(0.4) else chance.pack()


def test_the_plan_is_the_plain_reading() -> None:
    visible_cases = shown_cases = granted_cases = 0
    for seed in range(CASES):
        chance = Chance(seed)
        pack, standing, purpose = _pack(chance), chance.standing(), chance.one(PURPOSES)
        reference, plan = ReferenceEvaluator(pack), Plan(pack, standing, purpose, NOON)
        for _ in range(2):
            identity, key = chance.contact()
            cohort = plan.cohort(key, identity)
            name, field_class = chance.one(FIELDS)
            wanted = reference.ask(
                standing, key, identity, field=name, field_class=field_class.value, purpose=purpose, at=NOON
            )
            case = f"seed {seed}: {standing} looks at {key} {identity} {name}"
            assert cohort.visible == wanted.visible, case
            assert cohort.shown(name, field_class) == wanted.shown, case
            assert cohort.revealed(name, field_class) == wanted.revealed, case
            assert cohort.next_step(name, field_class) == wanted.following, case
            assert {each.value for each in cohort.edits} == wanted.edits, case
            assert set(cohort.obligations) == wanted.obligations, case
            visible_cases += wanted.visible
            shown_cases += Outcome.HIDDEN < wanted.shown < Outcome.CLEAR
            granted_cases += bool(cohort.granted)
    assert min(visible_cases, shown_cases, granted_cases) > CASES / 50, "the cases must not all be dull"


def test_rows_by_sql_are_the_rows_of_the_plan() -> None:
    """On a store of random rows, the predicate picks exactly what the plan's cohorts call visible."""
    engine = create_engine("sqlite://")
    contact, side = inspect(Contact).local_table, inspect(ContactDepartment).local_table
    Base.metadata.create_all(engine, tables=[contact, side])  # type: ignore[list-item]  # both are tables
    chance, rows = Chance(1), list[tuple[UUID, CohortKey]]()
    with engine.begin() as connection:
        for at in range(1, 251):
            _, row = chance.contact()
            rows.append((UUID(int=at), row))
            connection.execute(insert(Contact).values(**_stored(UUID(int=at), row)))
            for department in row.departments:
                connection.execute(insert(ContactDepartment).values(contact_id=UUID(int=at), department_id=department))
        seen = 0
        for seed in range(400):
            chance = Chance(10_000 + seed)
            plan = Plan(_pack(chance), chance.standing(), chance.one(PURPOSES), NOON)
            found = set(connection.scalars(select(Contact.id).where(visible(plan, COLUMNS))))
            wanted = {identity for identity, row in rows if plan.cohort(row, identity).visible}
            assert found == wanted, seed
            seen += len(wanted)
    assert seen > 1000


def _stored(identity: UUID, row: CohortKey) -> dict[str, Any]:
    return {
        "id": identity,
        "kind": row.kind,
        "worker_kind": row.worker_kind,
        "status": row.status,
        "secrecy": row.secrecy,
        "archive": Sealed(bytes(60)) if row.status == "archived" else None,
        "memberships": [],
        "short_numbers": [],
        "tags": [],
        "digests": b"",
        "row_version": 1,
        "mac": b"",
        "created_at": NOON,
        "updated_at": NOON,
    }


def _with(pack: Pack, chance: Chance, effect: Effect) -> Pack:
    return pack.model_copy(update={"rules": (*pack.rules, chance.rule("rule.added", effect))})


@pytest.mark.parametrize("effect", [Effect.CAP, Effect.FORBID])
def test_a_cap_or_a_forbid_never_reveals(effect: Effect) -> None:
    lowered = 0
    for seed in range(1500):
        chance = Chance(seed)
        pack, standing, (identity, key) = _pack(chance), chance.standing(), chance.contact()
        before = Plan(pack, standing, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        after = Plan(_with(pack, chance, effect), standing, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        assert after.visible <= before.visible
        assert after.edits <= before.edits
        for name, field_class in FIELDS:
            assert after.shown(name, field_class) <= before.shown(name, field_class), seed
            assert after.revealed(name, field_class) <= before.revealed(name, field_class), seed
            lowered += after.shown(name, field_class) < before.shown(name, field_class)
    assert lowered > 50


def test_a_grant_never_hides() -> None:
    raised = 0
    for seed in range(1500):
        chance = Chance(seed)
        pack, standing, (identity, key) = _pack(chance), chance.standing(), chance.contact()
        before = Plan(pack, standing, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        after = Plan(_with(pack, chance, Effect.GRANT), standing, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        assert after.visible >= before.visible
        assert after.edits >= before.edits
        for name, field_class in FIELDS:
            assert after.shown(name, field_class) >= before.shown(name, field_class), seed
            assert after.revealed(name, field_class) >= before.revealed(name, field_class), seed
            raised += after.shown(name, field_class) > before.shown(name, field_class)
    assert raised > 50


def person(**members: object) -> Standing:
    given: dict[str, object] = {
        "kind": "person",
        "actor_id": "x",
        "name": "x",
        "client_id": "x",
        "scopes": frozenset(),
        "tier": Tier.T1,
        "contact_id": CONTACTS[0],
        "departments": frozenset(DEPARTMENTS[:1]),
        **members,
    }
    return Standing(**given)  # type: ignore[arg-type]  # members of a standing, by name


def key(status: str = "active", secrecy: str = "normal", department: int = 0, kind: str = "employee") -> CohortKey:
    return CohortKey(kind, "regular", status, secrecy, (DEPARTMENTS[department],))


class TestShippedPacks:
    """Sentences of the tier table that a single card cannot show."""

    def plan(self, name: str = "default", **members: object) -> Plan:
        return Plan(load(name), person(**members), Purpose.WORK_CONTACT, NOON)

    def test_two_roles_where_one_is_forbidden_see_nothing(self) -> None:
        """A steward sees who left; being in HR as well takes nothing away, being neither shows nothing."""
        both = self.plan(roles=frozenset({"hr", "directory_steward"}), tier=Tier.T4)
        assert both.cohort(key("left"), CONTACTS[1]).visible
        assert not self.plan(roles=frozenset({"hr"}), tier=Tier.T4).cohort(key("left"), CONTACTS[1]).visible

    def test_nobody_sees_the_archived_not_even_themselves(self) -> None:
        for roles in (frozenset[str](), frozenset({"directory_steward", "hr", "executive"})):
            assert not self.plan(roles=roles).cohort(key("archived"), CONTACTS[0]).visible

    def test_a_second_proof_opens_ones_own_sensitive_fields_and_nobody_elses(self) -> None:
        plan = self.plan(step_up=True)
        assert plan.cohort(key(), CONTACTS[0]).shown("id_number", FieldClass.C5) is Outcome.CLEAR
        assert plan.cohort(key(), CONTACTS[1]).shown("id_number", FieldClass.C5) is Outcome.HIDDEN
        assert self.plan().cohort(key(), CONTACTS[0]).shown("id_number", FieldClass.C5) is Outcome.HIDDEN

    def test_staff_of_the_strict_profile_know_their_own_department_alone(self) -> None:
        plan = self.plan("strict")
        assert plan.cohort(key(department=0), CONTACTS[1]).visible
        assert not plan.cohort(key(department=1), CONTACTS[1]).visible

    def test_a_front_ends_ceiling_caps_its_people(self) -> None:
        cohort = self.plan(ceiling=FieldClass.C2).cohort(key(), CONTACTS[0])
        assert cohort.shown("email", FieldClass.C2) is Outcome.CLEAR
        assert cohort.revealed("mobile", FieldClass.C3) is Outcome.HIDDEN

    def test_who_has_not_started_is_shown_to_no_mirror_and_still_written_by_hr(self) -> None:
        mirror = person(kind="service", tier=Tier.T0, contact_id=None, scopes=frozenset({"contacts:read", "hr:write"}))
        cohort = Plan(load(), mirror, Purpose.SYSTEM_SYNC, NOON).cohort(key("prehire"), CONTACTS[1])
        assert not cohort.visible
        assert cohort.edits >= {FieldClass.C1, FieldClass.C3}

    @pytest.mark.parametrize("name", ["default", "strict"])
    def test_clear_values_of_others_beyond_c2_are_never_on_a_plain_card(self, name: str) -> None:
        for seed in range(2000):
            chance = Chance(seed)
            standing, (identity, cohort_key) = chance.standing(), chance.contact()
            if identity == standing.contact_id or cohort_key.kind == "hotline":
                continue
            plan = Plan(load_once(name), replace(standing, grants=()), Purpose.WORK_CONTACT, NOON)
            cohort = plan.cohort(cohort_key, identity)
            for field, field_class in FIELDS:
                if field_class > FieldClass.C2:
                    assert cohort.shown(field, field_class) < Outcome.CLEAR


def load_once(name: str) -> Pack:
    return SHIPPED[name == "strict"]


class TestLiveGrants:
    def granted(self, **members: object) -> Standing:
        grant = replace(Chance(3).grant(NOON), fields={"mobile": FieldClass.C3}, outcome=Outcome.CLEAR)
        grant = replace(
            grant,
            **{  # type: ignore[arg-type]  # members of a grant, by name
                "contact_id": CONTACTS[1],
                "department_id": None,
                "purpose": Purpose.WORK_CONTACT,
                "starts_at": NOON,
                "ends_at": NOON + timedelta(minutes=15),
                **members,
            },
        )
        return person(departments=frozenset(), grants=(grant,))

    def shown(
        self, standing: Standing, at: timedelta, purpose: Purpose = Purpose.WORK_CONTACT, who: int = 1
    ) -> Outcome:
        plan = Plan(load(), standing, purpose, NOON + at)
        return plan.cohort(key(), CONTACTS[who]).shown("mobile", FieldClass.C3)

    @pytest.mark.parametrize(
        ("at", "clear"),
        [
            (timedelta(microseconds=-1), False),
            (timedelta(), True),
            (timedelta(minutes=15, microseconds=-1), True),
            (timedelta(minutes=15), False),
        ],
    )
    def test_a_grant_lives_from_its_first_moment_to_just_before_its_last(self, at: timedelta, clear: bool) -> None:  # noqa: FBT001
        assert (self.shown(self.granted(), at) is Outcome.CLEAR) is clear

    def test_a_grant_speaks_of_its_contact_alone(self) -> None:
        assert self.shown(self.granted(), timedelta(), who=2) is Outcome.MASK_COARSE

    def test_a_grant_on_a_department_speaks_of_everybody_in_it(self) -> None:
        standing = self.granted(contact_id=None, department_id=DEPARTMENTS[0])
        assert self.shown(standing, timedelta(), who=2) is Outcome.CLEAR
        plan = Plan(load(), standing, Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(department=1), CONTACTS[2]).shown("mobile", FieldClass.C3) is Outcome.MASK_COARSE

    def test_a_grant_holds_for_its_purpose_alone(self) -> None:
        assert self.shown(self.granted(purpose=Purpose.HR_ADMIN), timedelta()) is Outcome.MASK_COARSE
        assert self.shown(self.granted(purpose=Purpose.HR_ADMIN), timedelta(), Purpose.HR_ADMIN) is Outcome.CLEAR

    def test_a_cap_holds_over_a_grant(self) -> None:
        plan = Plan(load(), self.granted(), Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(secrecy="executive"), CONTACTS[1]).shown("mobile", FieldClass.C3) is Outcome.HIDDEN

    def test_a_grant_makes_nobody_visible(self) -> None:
        cohort = Plan(load(), self.granted(), Purpose.WORK_CONTACT, NOON).cohort(key("left"), CONTACTS[1])
        assert not cohort.visible
        assert cohort.shown("mobile", FieldClass.C3) is Outcome.HIDDEN

    def test_a_plan_says_when_it_ends(self) -> None:
        standing = self.granted()
        assert Plan(load(), standing, Purpose.WORK_CONTACT, NOON).not_after == NOON + timedelta(minutes=15)
        early = Plan(load(), standing, Purpose.WORK_CONTACT, NOON - timedelta(hours=1))
        assert early.not_after == NOON
        late = Plan(load(), standing, Purpose.WORK_CONTACT, NOON + timedelta(hours=1))
        assert late.not_after is None
