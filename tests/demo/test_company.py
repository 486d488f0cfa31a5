"""The demo company is the same everywhere, can be loaded as it is, and can be mistaken for nobody."""

import hashlib
import re
from collections import Counter
from datetime import date
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.fields import CATALOGUE, COLLECTED_KINDS
from app.contacts.schemas import ContactCreate, Membership
from app.contacts.values import normal
from app.demo.company import Company, DemoContact, company, id_number
from app.demo.names import COMPOUND, HETERONYM, Draw, Names
from app.demo.staffing import CLIENTS, PRINCIPALS
from app.departments.schemas import DepartmentCreate

DIGEST: Final = "64f151b6cd907ea48c2472a9c272758b45e4786206d1a05e9cfe2499b4bf94db"
"""SHA-256 of its departments, contacts and standings: another one means other people in every demo."""

PROMISED_DEPARTMENTS: Final = {"EXEC", "RD", "SALES", "PROD", "CS", "HR", "ADMIN", "IT", "SEC", "FIN", "SAFETY"}
PROMISED_PEOPLE: Final = {
    "demo-staff",
    "demo-colleague",
    "demo-outsider",
    "demo-head",
    "demo-hr",
    "demo-infosec",
    "demo-auditor",
    "demo-admin",
    "demo-it",
    "demo-director",
    "demo-ceo",
    "demo-sales",
    "demo-service",
    "demo-production",
    "demo-safety",
    "demo-intern",
}


@pytest.fixture(scope="module")
def made() -> Company:
    return company()


def people(made: Company) -> list[DemoContact]:
    return [each for each in made.contacts if each.kind != "hotline"]


def values(made: Company, name: str) -> list[Any]:
    return [each.members[name] for each in made.contacts if name in each.members]


def by_user_name(made: Company) -> dict[str, DemoContact]:
    return {each.members["user_name"]: each for each in people(made)}


def test_the_company_is_the_same_everywhere(made: Company) -> None:
    written = orjson.dumps([made.departments, made.contacts, made.standings], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(written).hexdigest() == DIGEST


def test_making_it_twice_makes_the_same(made: Company) -> None:
    assert company() == made


def test_there_are_300_people_and_six_hotlines(made: Company) -> None:
    assert Counter(each.kind == "hotline" for each in made.contacts) == {False: 300, True: 6}


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "user_name",
        "employee_no",
        "office_phone",
        "email",
        "mobile",
        "personal_mobile",
        "wechat",
        "qq",
        "plate",
        "id_number",
    ],
)
def test_nobody_shares_a_value(made: Company, name: str) -> None:
    found = values(made, name)
    assert len(found) > 50
    assert len(set(found)) == len(found)


def test_work_and_private_mobiles_are_all_different(made: Company) -> None:
    both = values(made, "mobile") + values(made, "personal_mobile")
    assert len(set(both)) == len(both)


def test_every_protected_value_can_be_read(made: Company) -> None:
    for contact in made.contacts:
        for field in CATALOGUE.protected:
            if field.name in contact.members:
                assert contact.kind in field.kinds
                assert normal(field.mask, contact.members[field.name], region="CN")


def test_every_contact_is_one_that_a_caller_could_write(made: Company) -> None:
    for contact in made.contacts:
        members = {name: value for name, value in contact.members.items() if name != "status"}
        ContactCreate.model_validate({"kind": contact.kind, **members})
        assert contact.kind in COLLECTED_KINDS
        for code, title in contact.memberships:
            Membership(department=code, title=title)


def test_telephones_are_numbers_of_their_country(made: Company) -> None:
    mobile, landline = re.compile(r"\+861380000\d{4}"), re.compile(r"\+86(10|512)8888\d{4}|\+656555\d{4}")
    fields = CATALOGUE.by_name
    assert all(mobile.fullmatch(normal(fields["mobile"].mask, value, region="CN")) for value in values(made, "mobile"))
    phones = values(made, "office_phone") + values(made, "fax")
    assert all(landline.fullmatch(normal(fields["office_phone"].mask, value, region="CN")) for value in phones)


def remainder(number: str) -> int:
    """Work out ISO 7064 MOD 11-2 from its definition, which is not how the number was made; 1 is right."""
    digits = [10 if digit == "X" else int(digit) for digit in number]
    total: int = sum(digit << (17 - at) for at, digit in enumerate(digits))
    return total % 11


def test_identity_numbers_are_right_and_of_no_region(made: Company) -> None:
    for contact in made.contacts:
        if "id_number" in contact.members:
            number = contact.members["id_number"]
            assert remainder(number) == 1
            assert number.startswith("99")
            assert number[6:14] == contact.members["birth_date"].replace("-", "")


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_any_identity_number_has_its_check_digit(born: date, order: int) -> None:
    assert remainder(id_number(born, order)) == 1


def test_values_can_be_nobodys(made: Company) -> None:
    domains = {value.rpartition("@")[2] for value in values(made, "email") + values(made, "personal_email")}
    assert domains == {"example.com", "example.net"}
    assert all(value.startswith("0") for value in values(made, "qq"))
    assert all(value[1] == "I" for value in values(made, "plate"))


def test_the_promised_departments_are_there(made: Company) -> None:
    codes = {each.code for each in made.departments}
    assert codes >= PROMISED_DEPARTMENTS | {"RD-CORE", "RD-APP"}
    assert {each.code for each in made.departments if each.parent is None} == PROMISED_DEPARTMENTS
    assert len({each.legal_entity for each in made.departments}) == 2
    assert {each.region for each in made.departments} == {"CN", "SG"}
    assert [each.code for each in made.departments if each.protected] == ["FIN-AUDIT"]


def test_departments_come_after_their_parents_and_are_headed_from_within(made: Company) -> None:
    home = {each.key: each.members["department"] for each in made.contacts}
    seen: set[str | None] = {None}
    for each in made.departments:
        assert each.parent in seen
        seen.add(each.code)
        assert home[each.head] == each.code
        assert each.deputy is not None
        assert home[each.deputy] == each.code
        assert each.deputy != each.head
        DepartmentCreate(code=each.code, name=each.name, region=each.region, legal_entity=each.legal_entity)


def test_nobody_heads_two_departments(made: Company) -> None:
    heads = [each.head for each in made.departments]
    assert len(set(heads)) == len(heads)


def test_managers_come_before_those_they_manage(made: Company) -> None:
    seen: set[str] = set()
    unmanaged = []
    for contact in people(made):
        if contact.manager is None:
            unmanaged.append(contact.members["user_name"])
        else:
            assert contact.manager in seen
        seen.add(contact.key)
    assert unmanaged == ["demo-ceo"]


def test_the_promised_people_and_accounts_are_there(made: Company) -> None:
    assert {each.user_name for each in PRINCIPALS} == PROMISED_PEOPLE
    assert by_user_name(made).keys() >= PROMISED_PEOPLE
    assert {each.client_id: set(each.scopes) for each in CLIENTS} == {
        "hr-system": {"hr:write", "scim"},
        "it-scripts": {"numbers:read", "numbers:allocate", "numbers:admin"},
        "intranet": set(),
        "siem": {"access-log:read"},
    }
    (front_end,) = [each for each in made.clients if not each.confidential]
    assert (front_end.client_id, front_end.ceiling) == ("intranet", None)


def test_no_two_principals_are_alike(made: Company) -> None:
    cards = [by_user_name(made)[each.user_name].members for each in PRINCIPALS]
    for name in (
        "name",
        "name_en",
        "alias",
        "email",
        "mobile",
        "personal_mobile",
        "wechat",
        "id_number",
        "home_address",
    ):
        assert len({card[name] for card in cards}) == len(PRINCIPALS), name


def test_a_principal_has_a_full_card(made: Company) -> None:
    own = {field.name for field in CATALOGUE.protected if "employee" in field.kinds} - {"fax", "private_notes"}
    for each in PRINCIPALS:
        assert by_user_name(made)[each.user_name].members.keys() >= own


def test_the_colleague_has_an_empty_field_to_show(made: Company) -> None:
    assert "fax" not in by_user_name(made)["demo-colleague"].members


def test_principals_stand_where_the_documentation_says(made: Company) -> None:
    cards = by_user_name(made)
    home = {name: cards[name].members["department"] for name in PROMISED_PEOPLE}
    assert {home["demo-staff"], home["demo-colleague"], home["demo-head"]} == {"RD"}
    assert (home["demo-outsider"], home["demo-ceo"]) == ("SALES", "EXEC")
    assert cards["demo-ceo"].members["secrecy"] == "executive"
    assert (cards["demo-intern"].kind, cards["demo-intern"].members["worker_kind"]) == ("temporary", "intern")
    standings = {each.user_name: (each.tier, set(each.roles)) for each in made.standings}
    assert {name: standing for name, standing in standings.items() if name.startswith("demo-")} == {
        "demo-ceo": ("T2", {"executive"}),
        "demo-director": ("T2", {"executive"}),
        "demo-head": ("T2", set()),
        "demo-sales": ("T3", set()),
        "demo-service": ("T3", set()),
        "demo-production": ("T3", set()),
        "demo-hr": ("T4", {"hr"}),
        "demo-admin": ("T4", {"administration", "directory_steward"}),
        "demo-it": ("T1", {"it", "system_admin"}),
        "demo-infosec": ("T5", {"infosec"}),
        "demo-auditor": ("T5", {"auditor"}),
    }
    assert {set(roles) == {"executive"} for name, (_, roles) in standings.items() if not name.startswith("demo-")} == {
        True
    }


def test_every_kind_of_person_is_there(made: Company) -> None:
    assert set(values(made, "worker_kind")) == {"regular", "part_time", "intern", "outsourced"}
    assert set(values(made, "secrecy")) == {"normal", "core", "executive"}
    assert sorted(values(made, "status")) == ["frozen", "leaving", "prehire"]
    assert sum(each.leaves for each in made.contacts) == 2
    assert any(each.memberships for each in made.contacts)


def test_surnames_of_two_characters_and_many_readings_are_there(made: Company) -> None:
    names = [each.members["name"] for each in people(made)]
    assert all(any(name.startswith(surname) for name in names) for surname, _ in (*COMPOUND, *HETERONYM))


def test_a_surname_is_read_as_a_surname(made: Company) -> None:
    readings = {each.members["name"]: each.members["name_en"].split()[1] for each in people(made)}
    wanted = {
        "曾": "Zeng",
        "解": "Xie",
        "仇": "Qiu",
        "区": "Ou",
        "查": "Zha",
        "单": "Shan",
        "朴": "Piao",
        "尉迟": "Yuchi",
    }
    for surname, reading in wanted.items():
        assert {spelt for name, spelt in readings.items() if name.startswith(surname)} == {reading}


def test_names_are_never_given_twice() -> None:
    names = Names(Draw(1), taken=["ruoxi.wang"])
    given_out = [names.next() for _ in range(2000)]
    assert len({each.han for each in given_out}) == 2000
    assert len({each.user_name for each in given_out}) == 2000
    assert "ruoxi.wang" not in {each.user_name for each in given_out}
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*", each.user_name) for each in given_out)


@given(st.integers(0, 2**32), st.integers(-5, 5), st.integers(0, 20))
def test_a_draw_stays_between_its_ends(seed: int, least: int, span: int) -> None:
    draw = Draw(seed)
    assert all(least <= draw.number(least, least + span) <= least + span for _ in range(50))


def test_seeds_differ() -> None:
    assert len({Draw(seed).number(0, 10**9) for seed in range(20)}) == 20
