"""The compiled plan says what the plain reading of the pack says, for any viewer, contact, pack and moment.

And rules only ever do what their kind may do: a cap or a forbid never reveals, a grant never hides.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import create_engine, insert, select

from app.contacts.criteria import COLUMNS
from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact, ContactDepartment, ContactTag
from app.crypto.sealed import Sealed
from app.kit.models import Base
from app.permissions.outcomes import FieldClass, Outcome, Power, Purpose, Tag, Tier
from app.permissions.pack import NEAREST, Effect, Pack, Relation, Rule, asked_by, load
from app.permissions.plan import Cohort, CohortKey, GrantScope, Place, Plan, Standing
from app.permissions.predicate import visible
from tests.permissions.strategies import CONTACTS, DEPARTMENTS, PURPOSES, Chance
from tests.support.clock import NOON
from tests.support.reference_evaluator import ReferenceEvaluator

CASES: Final = 1000
PART: Final = 10_000


def drawn(quick: int, slow: int) -> pytest.MarkDecorator:
    """Let a test draw ``quick`` cases, and ``slow`` among the slow ones."""
    return pytest.mark.parametrize("cases", [quick, pytest.param(slow, marks=pytest.mark.slow)])


SHIPPED: Final = (load("default"), load("strict"))
READ: Final = tuple((pack, ReferenceEvaluator(pack)) for pack in SHIPPED)
FIELDS: Final = tuple((field.name, field.field_class) for field in CATALOGUE.protected)


def _pack(chance: Chance) -> Pack:
    return chance.one(SHIPPED) if chance.yes(0.4) else chance.pack()


def _plainly(pack: Pack) -> ReferenceEvaluator:
    return next((read for known, read in READ if known is pack), None) or ReferenceEvaluator(pack)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        (0, CASES),
        *(pytest.param(first, first + PART, marks=pytest.mark.slow) for first in range(0, 100_000, PART)),
    ],
)
def test_the_plan_is_the_plain_reading(first: int, end: int) -> None:
    """Hard test 71: over random viewers, contacts, grants, packs and moments; the slow ones in parts, for processes to share."""
    cases = end - first
    visible_cases = shown_cases = granted_cases = named_cases = changed_cases = 0
    for seed in range(first, end):
        chance = Chance(seed)
        pack, standing, purpose = _pack(chance), chance.standing(), chance.one(PURPOSES)
        reference, plan = _plainly(pack), Plan(pack, standing, purpose, NOON)
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
            for power, classes in wanted.powers.items():
                assert {each.value for each in cohort.powers[Power(power)]} == classes, f"{case} {power}"
            assert {each.value for each in cohort.lookups} == wanted.lookups, case
            assert cohort.reasons.get(field_class) == wanted.reason, case
            assert cohort.demanded(name, field_class) == wanted.demanded, case
            assert set(cohort.obligations) == wanted.obligations, case
            assert cohort.edit_requests.get(field_class) == wanted.changed_by, case
            changed_cases += wanted.changed_by == "contact.correction"
            visible_cases += wanted.visible
            shown_cases += Outcome.HIDDEN < wanted.shown < Outcome.CLEAR
            granted_cases += bool(cohort.granted)
            named_cases += wanted.demanded == "case"
    assert min(visible_cases, shown_cases, granted_cases, named_cases, changed_cases) > cases / 100, (
        "the cases must not all be dull"
    )


def test_every_relation_has_its_place() -> None:
    assert sorted(NEAREST) == sorted(Relation)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_change_is_asked_for_by_the_nearest_rule_wherever_it_stands(at: int) -> None:
    chance = Chance(1)
    rules = [chance.rule(f"test.{each}", Effect.GRANT) for each in range(3)]
    relations = [Relation.ANY, Relation.OWN_DEPARTMENT, Relation.OWN_DEPARTMENT]
    kinds = ["contact.correction", "contact.change", "contact.other"]
    made = [
        rule.model_copy(
            update={
                "contact": rule.contact.model_copy(update={"relation": relation}),
                "edit_requests": {FieldClass.C1: kind},
            }
        )
        for rule, relation, kind in zip(rules, relations, kinds, strict=True)
    ]
    turned = [*made[at:], *made[:at]]
    first = next(rule for rule in turned if rule.contact.relation is Relation.OWN_DEPARTMENT)
    assert asked_by(turned) == first.edit_requests


@drawn(60, 400)
def test_rows_by_sql_are_the_rows_of_the_plan(cases: int) -> None:
    """On a store of random rows, the predicate picks exactly what the plan's cohorts call visible."""
    engine = create_engine("sqlite://")
    tables = [Base.metadata.tables[each.__tablename__] for each in (Contact, ContactDepartment, ContactTag)]
    Base.metadata.create_all(engine, tables=tables)
    chance, rows = Chance(1), list[tuple[UUID, CohortKey]]()
    with engine.begin() as connection:
        for at in range(1, 251):
            _, row = chance.contact()
            row = row if row.kind == "temporary" else row._replace(until=None)
            rows.append((UUID(int=at), row))
            connection.execute(insert(Contact).values(**_stored(UUID(int=at), row)))
            for department in row.departments:
                connection.execute(insert(ContactDepartment).values(contact_id=UUID(int=at), department_id=department))
            for tag in row.tags:
                connection.execute(insert(ContactTag).values(contact_id=UUID(int=at), tag=tag))
        seen = 0
        for seed in range(cases):
            chance = Chance(10_000 + seed)
            plan = Plan(_pack(chance), chance.standing(), chance.one(PURPOSES), NOON)
            for powers in ((), *((each,) for each in _OVER_C1), _OVER_C1):
                found = set(connection.scalars(select(Contact.id).where(visible(plan, COLUMNS, powers))))
                wanted = {identity for identity, row in rows if _has(plan.cohort(row, identity), powers)}
                assert found == wanted, (seed, powers)
                seen += len(wanted)
    assert seen > 12 * cases


_OVER_C1: Final = (Power.MATCH, Power.ORDER, Power.COUNT, Power.EXPORT)


def _has(cohort: Cohort, powers: Iterable[Power]) -> bool:
    return cohort.visible and all(FieldClass.C1 in cohort.powers[power] for power in powers)


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
        "tags": list(row.tags),
        "contract_until": row.until,
        "digests": b"",
        "row_version": 1,
        "mac": b"",
        "created_at": NOON,
        "updated_at": NOON,
    }


def _with(pack: Pack, chance: Chance, effect: Effect) -> Pack:
    return pack.model_copy(update={"rules": (*pack.rules, chance.rule("rule.added", effect))})


@pytest.mark.parametrize("effect", [Effect.CAP, Effect.FORBID])
@drawn(400, 1500)
def test_a_cap_or_a_forbid_never_reveals(effect: Effect, cases: int) -> None:
    lowered = 0
    for seed in range(cases):
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
    assert lowered > cases / 100


@drawn(800, 5000)
def test_an_exception_never_hides_whether_it_lifts_or_not(cases: int) -> None:
    raised = 0
    for seed in range(cases):
        chance = Chance(seed)
        pack, standing, (identity, key) = _pack(chance), chance.standing(), chance.contact()
        more = replace(standing, grants=(*standing.grants, chance.grant(NOON)))
        before = Plan(pack, standing, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        after = Plan(pack, more, Purpose.WORK_CONTACT, NOON).cohort(key, identity)
        assert after.visible >= before.visible
        for name, field_class in FIELDS:
            assert after.shown(name, field_class) >= before.shown(name, field_class), seed
            raised += after.shown(name, field_class) > before.shown(name, field_class)
    assert raised > cases / 400


@drawn(400, 1500)
def test_a_grant_never_hides(cases: int) -> None:
    raised = 0
    for seed in range(cases):
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
    assert raised > cases / 400


@drawn(600, 3000)
def test_an_emergency_session_shows_more_of_its_people_up_to_c3_and_hides_nothing(cases: int) -> None:
    raised = lifted = 0
    for seed in range(cases):
        chance = Chance(seed)
        pack, standing, (identity, key) = _pack(chance), chance.standing(), chance.contact()
        inside = replace(standing, emergency=chance.emergency(NOON))
        outside = replace(standing, emergency=None)
        for purpose in PURPOSES:
            before = Plan(pack, outside, purpose, NOON).cohort(key, identity)
            plan = Plan(pack, inside, purpose, NOON)
            after = plan.cohort(key, identity)
            if purpose is not Purpose.EMERGENCY or not plan.in_emergency(key):
                assert (after.visible, after.shows, after.powers) == (before.visible, before.shows, before.powers), seed
                continue
            assert after.visible >= before.visible
            assert after.edits == before.edits
            assert not after.powers[Power.EXPORT]
            hidden = any(plan.applies(rule, key, identity) for rule in plan.forbids)
            assert not (hidden and after.visible), "what is forbidden nothing lifts"
            for name, field_class in FIELDS:
                assert after.shown(name, field_class) >= before.shown(name, field_class), seed
                if field_class > FieldClass.C3:
                    assert after.shown(name, field_class) == before.shown(name, field_class), seed
                    assert after.revealed(name, field_class) == before.revealed(name, field_class), seed
                raised += after.shown(name, field_class) > before.shown(name, field_class)
            lifted += any(plan.lifts(rule, FieldClass.C3, key) for rule in plan.caps)
    assert min(raised, lifted) > cases / 100


def test_66_alone_nobody_breaks_the_glass_in_front_of_what_they_owe_or_of_a_border() -> None:
    """Reference d.6: without a second person a session lifts no cap for a mark of the viewer's or for a region; with one it does."""
    debts = kept = backed = 0
    for seed in range(3000):
        chance = Chance(seed)
        pack, standing, (identity, key) = _pack(chance), chance.standing(), chance.contact()
        session = chance.emergency(NOON)
        alone, both = (replace(standing, emergency=replace(session, confirmed=each)) for each in (False, True))
        one, two = (Plan(pack, each, Purpose.EMERGENCY, NOON) for each in (alone, both))
        if not one.in_emergency(key):
            continue
        for rule in one.caps:
            owes = bool(rule.viewer.marks) or rule.contact.relation is Relation.OTHER_REGION
            if not owes or not rule.liftable or not one.applies(rule, key, identity):
                continue
            debts += 1
            assert rule.takes_second
            for name, field_class in FIELDS:
                if field_class <= FieldClass.C3 and field_class in rule.shows:
                    kept += one.cohort(key, identity).shown(name, field_class) <= rule.shows[field_class]
                    assert one.cohort(key, identity).shown(name, field_class) <= rule.shows[field_class] or one.live, (
                        seed
                    )
            backed += any(two.lifts(rule, each, key) for each in FieldClass)
            assert not any(one.lifts(rule, each, key) for each in FieldClass)
    assert min(debts, kept, backed) > 20


@pytest.mark.parametrize("profile", ["default", "strict"])
@pytest.mark.parametrize("rule", ["viewer.untrained", "viewer.overdue_return", "overlay.foreign_region"])
def test_the_packs_that_ship_ask_for_a_second_person_by_name(profile: str, rule: str) -> None:
    (found,) = [each for each in load(profile).rules if each.id == rule]
    assert found.takes_second
    assert found.liftable


def test_a_pack_gives_nothing_but_c1_to_c3_inside_a_session() -> None:
    for given in (
        {"shows": {FieldClass.C4: Outcome.CLEAR}},
        {"reveals": {FieldClass.C5: Outcome.CLEAR}},
        {"shows": {FieldClass.C1: Outcome.CLEAR}, "exports": (FieldClass.C1,)},
        {"shows": {FieldClass.C1: Outcome.CLEAR}, "edits": (FieldClass.C1,)},
        {"lookups": (Tag.ID_NUMBER,)},
    ):
        with pytest.raises(ValueError, match="an emergency session shows C1 to C3"):
            Rule(
                id="rule.one",
                effect=Effect.GRANT,
                clauses=("X-1",),
                zh="规则",
                en="rule",
                contact={"relation": "emergency"},  # type: ignore[arg-type]  # as a pack has it
                **given,
            )


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
                "scope": GrantScope("contact", str(CONTACTS[1])),
                "purpose": Purpose.WORK_CONTACT,
                "lifts": False,
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
        scope = GrantScope("department", str(DEPARTMENTS[0]))
        standing = self.granted(scope=scope, departments=frozenset(DEPARTMENTS[:1]))
        assert self.shown(standing, timedelta(), who=2) is Outcome.CLEAR
        plan = Plan(load(), standing, Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(department=1), CONTACTS[2]).shown("mobile", FieldClass.C3) is Outcome.MASK_COARSE

    def test_a_grant_holds_for_its_purpose_alone(self) -> None:
        assert self.shown(self.granted(purpose=Purpose.HR_ADMIN), timedelta()) is Outcome.MASK_COARSE
        assert self.shown(self.granted(purpose=Purpose.HR_ADMIN), timedelta(), Purpose.HR_ADMIN) is Outcome.CLEAR

    def test_a_cap_holds_over_a_grant(self) -> None:
        plan = Plan(load(), self.granted(), Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(secrecy="executive"), CONTACTS[1]).shown("mobile", FieldClass.C3) is Outcome.HIDDEN

    def test_a_grant_with_consent_lifts_what_protects_the_person(self) -> None:
        plan = Plan(load(), self.granted(lifts=True), Purpose.WORK_CONTACT, NOON)
        cohort = plan.cohort(key(secrecy="executive"), CONTACTS[1])
        assert cohort.shown("mobile", FieldClass.C3) is Outcome.CLEAR
        assert cohort.shown("personal_mobile", FieldClass.C4) is Outcome.HIDDEN, "of its own fields alone"
        assert Power.LOOKUP not in {each for each in cohort.powers if cohort.powers[each]}
        other = plan.cohort(key(secrecy="executive"), CONTACTS[2])
        assert other.shown("mobile", FieldClass.C3) is Outcome.HIDDEN, "of its own contact alone"

    @pytest.mark.parametrize(
        ("members", "most"),
        [
            ({"marks": frozenset({"overdue_return"})}, Outcome.MASK_FULL),
            ({"marks": frozenset({"untrained"})}, Outcome.MASK_COARSE),
            ({"marks": frozenset({"suspended"})}, Outcome.HIDDEN),
            ({"worker_kind": "intern"}, Outcome.HIDDEN),
            ({"ceiling": FieldClass.C2}, Outcome.HIDDEN),
        ],
    )
    def test_consent_lifts_nothing_that_is_the_viewers_own(self, members: dict[str, Any], most: Outcome) -> None:
        standing = replace(self.granted(lifts=True), **members)
        plan = Plan(load(), standing, Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(secrecy="executive"), CONTACTS[1]).shown("mobile", FieldClass.C3) is most

    def test_consent_shows_nobody_who_left(self) -> None:
        plan = Plan(load(), self.granted(lifts=True), Purpose.WORK_CONTACT, NOON)
        assert not plan.cohort(key("left", secrecy="executive"), CONTACTS[1]).visible

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
        midnight_here = NOON.replace(hour=16)
        assert late.not_after == midnight_here

    def test_a_grant_over_a_hidden_contact_shows_that_there_is_one(self) -> None:
        """Strict profile: a share across departments needs the card to hang on; no cap is lifted by it."""
        plan = Plan(load("strict"), self.granted(), Purpose.WORK_CONTACT, NOON)
        assert plan.cohort(key(department=1), CONTACTS[1]).visible
        assert not plan.cohort(key(department=1), CONTACTS[2]).visible


class TestFailingClosed:
    """Hard tests 8 and 9: what nobody would do gives nothing, and what cannot be done lowers all the same."""

    def pack(self, **members: object) -> Pack:
        rule = Rule(
            id="rule.one",
            clauses=("X-1",),
            zh="规则",
            en="rule",
            **members,  # type: ignore[arg-type]  # members of a rule, by name
        )
        return SHIPPED[0].model_copy(update={"rules": (*SHIPPED[0].rules, rule)})

    def test_a_grant_with_an_unknown_obligation_gives_nothing(self) -> None:
        shows = {FieldClass.C4: Outcome.CLEAR}
        given = Plan(self.pack(effect="grant", shows=shows), person(), Purpose.WORK_CONTACT, NOON)
        asked = self.pack(effect="grant", shows=shows, obligations=("sing_a_song",))
        unmet = Plan(asked, person(), Purpose.WORK_CONTACT, NOON)
        assert given.cohort(key(), CONTACTS[1]).shown("wechat", FieldClass.C4) is Outcome.CLEAR
        assert unmet.cohort(key(), CONTACTS[1]).shown("wechat", FieldClass.C4) is Outcome.MASK_COARSE

    def test_a_cap_with_an_unknown_obligation_hides_what_it_lowers(self) -> None:
        asked = self.pack(effect="cap", shows={FieldClass.C2: Outcome.MASK_FINE}, obligations=("sing_a_song",))
        cohort = Plan(asked, person(), Purpose.WORK_CONTACT, NOON).cohort(key(), CONTACTS[1])
        assert cohort.shown("email", FieldClass.C2) is Outcome.HIDDEN
        assert cohort.visible


class TestPowers:
    """A power reaches only what is clear, and a cap takes it away whoever gives it."""

    def test_whose_view_is_masked_has_no_power_over_it(self) -> None:
        for seed in range(1500):
            chance = Chance(seed)
            identity, row = chance.contact()
            cohort = Plan(_pack(chance), chance.standing(), Purpose.WORK_CONTACT, NOON).cohort(row, identity)
            for power, classes in cohort.powers.items():
                if power is not Power.EDIT:
                    assert all(cohort.shows[each] is Outcome.CLEAR for each in classes)

    def test_executives_are_not_found_by_their_number(self) -> None:
        plan = Plan(load(), person(), Purpose.WORK_CONTACT, NOON)
        assert Tag.MOBILE in plan.cohort(key(), CONTACTS[1]).lookups
        assert not plan.cohort(key(secrecy="executive"), CONTACTS[1]).lookups

    def test_by_its_last_digits_a_mobile_is_found_in_ones_own_department_alone(self) -> None:
        plan = Plan(load(), person(), Purpose.WORK_CONTACT, NOON)
        assert Tag.MOBILE_LAST4 in plan.cohort(key(), CONTACTS[1]).lookups
        assert Tag.MOBILE_LAST4 not in plan.cohort(key(department=1), CONTACTS[1]).lookups

    @pytest.mark.parametrize(
        ("mark", "mobile", "edits"),
        [
            ("untrained", Outcome.MASK_COARSE, False),
            ("overdue_return", Outcome.MASK_FULL, True),
            ("suspended", Outcome.HIDDEN, False),
        ],
    )
    def test_a_mark_lowers_the_view_of_others_and_not_of_oneself(self, mark: str, mobile: Outcome, edits: bool) -> None:  # noqa: FBT001
        plan = Plan(load(), person(marks=frozenset({mark}), roles=frozenset({"hr"})), Purpose.WORK_CONTACT, NOON)
        other, own = plan.cohort(key(), CONTACTS[1]), plan.cohort(key(), CONTACTS[0])
        assert other.shown("mobile", FieldClass.C3) is mobile
        assert bool(other.edits) is edits
        assert own.shown("mobile", FieldClass.C3) is Outcome.CLEAR


class TestWhere:
    def test_temporary_staff_disappear_the_day_after_their_contract(self) -> None:
        plan = Plan(load(), person(), Purpose.WORK_CONTACT, NOON)
        today = NOON.date()
        for until, seen in ((today - timedelta(days=1), False), (today, True), (None, True)):
            assert plan.cohort(key(kind="temporary")._replace(until=until), CONTACTS[1]).visible is seen

    @pytest.mark.parametrize("profile", ["default", "strict"])
    def test_whose_contract_is_over_is_shown_to_nobody_and_prolonged_by_hr(self, profile: str) -> None:
        """The tier table's last row, H throughout; to prolong a contract takes the power to edit, and no look."""
        row = key(kind="temporary")._replace(until=NOON.date() - timedelta(days=1))
        for tier, role, edits in (
            (Tier.T4, "hr", True),
            (Tier.T4, "directory_steward", True),
            (Tier.T5, "infosec", False),
            (Tier.T2, "dept_head", False),
            (Tier.T1, "executive", False),
        ):
            viewer = person(tier=tier, roles=frozenset({role}), headed=frozenset(DEPARTMENTS))
            for purpose in Purpose:
                for contact in CONTACTS[:2]:
                    cohort = Plan(load(profile), viewer, purpose, NOON).cohort(row, contact)
                    assert not cohort.visible
                    assert {*cohort.shows.values(), *cohort.reveals.values()} == {Outcome.HIDDEN}
                    assert (FieldClass.C1 in cohort.edits) == edits, role

    def test_a_day_begins_by_the_clocks_here(self) -> None:
        plan = Plan(load(), person(), Purpose.WORK_CONTACT, NOON.replace(hour=16))
        row = key(kind="temporary")._replace(until=NOON.date())
        assert not plan.cohort(row, CONTACTS[1]).visible

    def test_abroad_is_seen_coarsely_where_both_places_are_known(self) -> None:
        here, there = Place(frozenset(DEPARTMENTS[:1]), frozenset(DEPARTMENTS[1:2])), Place()
        for place, wanted in ((here, Outcome.HIDDEN), (there, Outcome.MASK_FINE)):
            viewer = person(region=place, roles=frozenset({"hr"}), tier=Tier.T4)
            cohort = Plan(load(), viewer, Purpose.HR_ADMIN, NOON).cohort(key(department=1), CONTACTS[1])
            assert cohort.shown("wechat", FieldClass.C4) is wanted

    def test_safety_reaches_its_officers_for_safety_alone(self) -> None:
        viewer, officer = person(roles=frozenset({"safety"})), key(department=1)._replace(tags=("safety_officer",))
        for purpose, row, wanted in (
            (Purpose.SAFETY, officer, Outcome.CLEAR),
            (Purpose.WORK_CONTACT, officer, Outcome.MASK_COARSE),
            (Purpose.SAFETY, key(department=1), Outcome.MASK_COARSE),
        ):
            cohort = Plan(load(), viewer, purpose, NOON).cohort(row, CONTACTS[1])
            assert cohort.revealed("mobile", FieldClass.C3) is wanted
