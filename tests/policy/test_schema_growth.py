"""What nobody has ruled on is shown to nobody: roles that would inherit, and columns that nobody has declared. Hard tests 6 and 7."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import permutations
from typing import Any, Final, cast
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table

from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact
from app.contacts.record import RowShape
from app.crypto.sealed import FIELD_CLASS, SealedType
from app.permissions.outcomes import CLASSES, FieldClass, Outcome, Purpose, Tier
from app.permissions.pack import BadPackError, load, parse, texts
from app.permissions.plan import CohortKey, Plan, Standing
from tests.support.application import World
from tests.support.problems import problem

NOW: Final = datetime(2026, 11, 22, 4, tzinfo=UTC)
ROWS: Final = CohortKey("employee", "regular", "active", "normal", ())
SOMEBODY: Final = UUID(int=2)
NESTED: Final = """
version: 0.0.1
profile: open
zh: 三层角色
en: Roles three deep
rules:
  - {id: a.forbids, effect: forbid, clauses: [X-1], zh: 甲甲, en: AA, viewer: {roles: [infosec]}}
  - {id: b.masks, effect: cap, clauses: [X-1], zh: 乙乙, en: BB, viewer: {roles: [executive]}, shows: {C3: mask_coarse}}
  - {id: c.gives, effect: grant, clauses: [X-1], zh: 丙丙, en: CC, viewer: {roles: [hr]}, shows: {C1: clear, C2: clear, C3: clear}}
"""


def person(*roles: str) -> Standing:
    return Standing(
        kind="person",
        actor_id=str(UUID(int=1)),
        name="",
        client_id="intranet",
        scopes=frozenset(),
        tier=Tier.T1,
        roles=frozenset(roles),
        contact_id=UUID(int=1),
    )


def seen(text: str, *roles: str) -> dict[FieldClass, Outcome]:
    plan = Plan(parse(text), person(*roles), Purpose.WORK_CONTACT, NOW)
    return dict(plan.cohort(ROWS, SOMEBODY).shows)


class Test06NestedRoles:
    def test_three_roles_are_the_lowest_of_their_caps_over_the_highest_of_their_grants_in_any_order(self) -> None:
        for roles in permutations(("hr", "executive", "infosec")):
            assert set(seen(NESTED, *roles).values()) == {Outcome.HIDDEN}
            one = seen(NESTED, *(each for each in roles if each != "infosec"))
            assert (one[FieldClass.C2], one[FieldClass.C3]) == (Outcome.CLEAR, Outcome.MASK_COARSE)

    def test_no_role_has_what_another_has(self) -> None:
        assert seen(NESTED, "hr")[FieldClass.C3] is Outcome.CLEAR
        for other in ("executive", "directory_steward", "system_admin", "dept_head", "deputy", "committee"):
            assert set(seen(NESTED, other).values()) == {Outcome.HIDDEN}, other

    @pytest.mark.parametrize("member", ["inherits", "extends", "parent", "includes", "implies"])
    def test_a_pack_cannot_nest_them(self, member: str) -> None:
        rules, tests = texts("default")
        with pytest.raises(BadPackError):
            parse(
                rules.replace("    viewer: {roles: [hr", f"    {member}: [infosec]\n    viewer: {{roles: [hr", 1), tests
            )
        with pytest.raises(BadPackError):
            parse(rules.replace("viewer: {roles: [hr", f"viewer: {{{member}: [infosec], roles: [hr", 1), tests)
        with pytest.raises(BadPackError):
            parse(rules.replace("\nrules:\n", f"\nroles: {{hr: {{{member}: [infosec]}}}}\nrules:\n", 1), tests)


class Test07UnknownFields:
    @pytest.mark.parametrize("profile", ["default", "strict"])
    def test_a_class_that_no_rule_names_is_hidden_from_every_role(self, profile: str) -> None:
        """Fields are shown by their class; take every word on a class out of a pack and nobody sees a field of it."""
        pack = load(profile)
        for field_class in CLASSES[1:]:
            mute = pack.model_copy(
                update={
                    "rules": tuple(
                        rule.model_copy(
                            update={
                                name: {
                                    each: value
                                    for each, value in getattr(rule, name).items()
                                    if each is not field_class
                                }
                                for name in ("shows", "reveals")
                            }
                        )
                        for rule in pack.rules
                    )
                }
            )
            for role in ("employee", "hr", "directory_steward", "infosec", "executive", "system_admin"):
                for tier in Tier:
                    standing = person(role)
                    plan = Plan(mute, standing, Purpose.HR_ADMIN, NOW)
                    for identity in (SOMEBODY, standing.contact_id or SOMEBODY):
                        cohort = plan.cohort(ROWS, identity)
                        found = (cohort.shown("brand_new", field_class), cohort.revealed("brand_new", field_class))
                        assert found == (Outcome.HIDDEN, Outcome.HIDDEN), (role, tier)

    def test_a_sealed_column_without_a_class_does_not_come_into_being(self) -> None:
        table = cast("Table", Contact.__table__)
        sealed = [each for each in table.columns if isinstance(each.type, SealedType)]
        assert len(sealed) > len(CATALOGUE.protected)
        assert all(FIELD_CLASS in each.info for each in sealed)

    def test_a_column_is_on_a_card_only_if_its_row_names_it(self) -> None:
        beside = Table("contact", MetaData(), Column("brand_new"))
        assert beside.columns.keys()[0] not in RowShape.PLAIN
        assert "brand_new" not in CATALOGUE.by_name

    async def test_what_somebody_adds_to_the_table_leaves_by_no_answer(self, sqlite_world: World) -> None:
        secret = "nobody-ruled-on-this"
        with closing(sqlite3.connect(sqlite_world.application.database.business_path)) as store, store:
            store.execute(f"ALTER TABLE contact ADD COLUMN brand_new TEXT DEFAULT '{secret}'")
        staff = sqlite_world.people["staff"]
        ask: tuple[tuple[str, str, Any], ...] = (
            ("GET", f"/v1/contacts/{staff}", None),
            ("GET", "/v1/contacts?limit=50", None),
            ("GET", f"/v1/contacts?q={secret}", None),
            ("GET", f"/v1/contacts/{staff}/history", None),
            ("GET", f"/v1/contacts/{staff}/card.vcf", None),
            ("GET", "/v1/suggestions?q=brand", None),
            ("GET", "/v1/fields", None),
            ("POST", f"/v1/contacts/{staff}/reveals", {"fields": ["brand_new"], "purpose": "hr_admin", "reason": "what is new here"}),
            ("PATCH", f"/v1/contacts/{staff}", {"brand_new": "x"}),
        )  # fmt: skip
        for who in ("hr", "steward", "infosec", "ceo", "staff"):
            client = await sqlite_world.as_(who)
            for method, path, body in ask:
                answer = await client.request(method, path, json=body, headers={"If-Match": "*"})
                assert secret not in answer.text.replace(f"q={secret}", ""), (who, path)
                if method == "POST":
                    problem(answer, 422, "unknown_field")
                elif method == "PATCH":
                    assert answer.status_code in {403, 422}, answer.text
