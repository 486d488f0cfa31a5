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

from app.contacts.fields import CATALOGUE
from app.contacts.forms import Forms
from app.contacts.forms import load as load_forms
from app.contacts.pinyin import read_name
from app.contacts.schemas import ContactCreate, Membership
from app.contacts.values import normal
from app.demo.company import Company, DemoContact, company, id_number
from app.demo.events import DEPARTMENTS, FOUNDED, hr_events
from app.demo.introduction import JOINED_FIRST
from app.demo.names import COMPOUND, DOT, HETERONYM
from app.demo.names import ENGLISH as ENGLISH_NAMES
from app.demo.partners import EXTERNAL
from app.demo.plan import POOLS
from app.demo.staffing import CLIENTS, PRINCIPALS
from app.departments.schemas import DepartmentCreate
from app.disclosure.places import place_of
from tests.demo.readme import ROOT

DIGEST: Final = "ae66dc2440e90493bf4769777fe64107e8845e712c90dad492787e10eaa0a9f0"
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
    return [each for each in made.contacts if each.kind not in {"hotline", EXTERNAL}]


def values(made: Company, name: str) -> list[Any]:
    return [each.members[name] for each in made.contacts if name in each.members]


def by_user_name(made: Company) -> dict[str, DemoContact]:
    return {each.members["user_name"]: each for each in people(made)}


def test_the_company_is_the_same_everywhere(made: Company) -> None:
    written = orjson.dumps([made.departments, made.contacts, made.standings], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(written).hexdigest() == DIGEST


def test_making_it_twice_makes_the_same(made: Company) -> None:
    assert company() == made


def test_there_are_2000_people_six_hotlines_and_40_contacts_outside(made: Company) -> None:
    assert len(people(made)) == 2000
    kinds = Counter(each.kind for each in made.contacts)
    assert (kinds["hotline"], kinds[EXTERNAL]) == (6, 40)
    assert kinds.keys() == {"employee", "temporary", "hotline", EXTERNAL}


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
        "wecom_id",
        "fax",
    ],
)
def test_nobody_shares_a_value(made: Company, name: str) -> None:
    found = values(made, name)
    assert len(found) > 50
    assert len(set(found)) == len(found)


def test_no_example_of_the_api_is_a_value_of_somebody(made: Company) -> None:
    examples = (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8")
    names = ("mobile", "personal_mobile", "business_phone", "email", "personal_email", "id_number")
    told = set(re.findall(r"[\w.-]+@[\w.-]+|\d{11,17}[\dXx]?", examples))
    assert "13800001234" in told
    assert told.isdisjoint(value for name in names for value in values(made, name))


def test_work_and_private_mobiles_are_all_different(made: Company) -> None:
    every = [*values(made, "mobile"), *values(made, "personal_mobile"), *values(made, "business_phone")]
    every += [event["data"]["mobile"] for event in hr_events() if event["data"].get("mobile")]
    every.append(JOINED_FIRST["data"]["mobile"])
    assert len(set(every)) == len(every) > 3600


def test_every_protected_value_can_be_read(made: Company) -> None:
    for contact in made.contacts:
        for name in contact.members:
            field = CATALOGUE.protects(contact.kind, name)
            assert field is not None or name in {*CATALOGUE.plain(contact.kind), "secrecy"}, (contact.kind, name)
            if field is not None:
                assert contact.kind in field.kinds
                assert normal(field.mask, contact.members[name], region="CN")


def test_every_contact_is_one_that_a_caller_could_write(made: Company) -> None:
    forms = Forms(load_forms(), switched_on=CATALOGUE.by_name)
    for contact in made.contacts:
        members = {name: value for name, value in contact.members.items() if name != "status"}
        ContactCreate.model_validate({"kind": contact.kind, **members})
        given = {name for name in contact.members if name != "secrecy"}
        assert {name for name in given if not forms.collects(contact.kind, name)} == set()
        assert forms.unconsented(contact.kind, given, ()) == set()
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


def test_personnel_events_are_about_nobody_of_the_company(made: Company) -> None:
    names = {value.lower() for name in ("employee_no", "user_name") for value in values(made, name)}
    events = [*hr_events(), JOINED_FIRST]
    told = {event["subject"].lower() for event in events} | {event["data"].get("user_name") for event in events}
    assert len(told) > 300
    assert names.isdisjoint(told)
    codes = {each.code for each in made.departments}
    assert codes.isdisjoint(FOUNDED)
    assert codes >= set(DEPARTMENTS)


def test_contacts_outside_have_an_owner_and_a_contract(made: Company) -> None:
    outside = [each.members for each in made.contacts if each.kind == EXTERNAL]
    codes = {each.code for each in made.departments}
    wanted = {"name", "department", "title", "organisation", "relation", "contract_ref", "contract_until"}
    for members in outside:
        assert members.keys() == wanted | {"business_phone", "business_email", "delivery_address"}
        assert place_of(members["delivery_address"]) is not None
        assert members["department"] in codes
        assert members["contract_until"] > date(2027, 1, 1)
    assert Counter(members["relation"] for members in outside) == {"客户": 14, "供应商": 13, "伙伴": 13}
    assert len({members["contract_ref"] for members in outside}) == 40
    assert len({members["organisation"] for members in outside}) == 10


def test_business_is_in_the_hands_of_those_whom_it_concerns(made: Company) -> None:
    keys = {each.key for each in made.contacts if each.kind == EXTERNAL}
    roles = {"account": {"demo-sales"}, "order": {"demo-sales", "demo-production"}, "ticket": {"demo-service"}}
    for each in made.engagements:
        assert each.contact in keys
        assert set(each.staff) <= roles[each.kind]
    named = [(each.kind, each.reference) for each in made.engagements]
    assert len(set(named)) == len(named)
    assert [each.contact for each in made.engagements if not each.staff] == ["X0013"]


def test_the_tree_is_three_levels_deep(made: Company) -> None:
    above = {each.code: each.parent for each in made.departments}

    def level(code: str) -> int:
        parent = above[code]
        return 1 if parent is None else level(parent) + 1

    assert Counter(map(level, above)) == {1: 11, 2: 36, 3: 37}


def test_numbers_are_held_once_and_lie_in_their_pool(made: Company) -> None:
    held = [(number, contact) for contact in made.contacts for number in contact.numbers]
    assert len({(number.pool, number.digits) for number, _ in held}) == len(held)
    pools = {pool.code: pool for pool in POOLS}
    assert all(pools[number.pool].stretch.holds(number.digits) for number, _ in held)
    taken = Counter(number.pool for number, _ in held)
    assert {code: pools[code].stretch.size - count >= 500 for code, count in taken.items()} == dict.fromkeys(
        pools, True
    )
    assert all(taken[code] > pools[code].stretch.size / 2 for code in ("desk", "mobile"))


def test_staff_have_extension_and_short_number_and_others_a_number_for_a_time(made: Company) -> None:
    def held(contact: DemoContact) -> list[tuple[str, str, bool]]:
        return [(each.pool, each.role, each.until is not None) for each in contact.numbers]

    wanted = {
        "regular": [("desk", "extension", False), ("mobile", "short", False)],
        "part_time": [("mobile", "short", False)],
        "intern": [("temp", "short", True)],
        "outsourced": [("temp", "short", True)],
    }
    for contact in people(made):
        absent = contact.leaves or contact.members.get("status") == "prehire"
        assert held(contact) == ([] if absent else wanted[contact.members["worker_kind"]])


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
        "it-scripts": {"devices:read", "devices:write", "numbers:read", "numbers:allocate", "numbers:admin"},
        "intranet": set(),
        "crm": {"engagements:write"},
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
    own = {field.name for field in CATALOGUE.protected if "employee" in field.kinds} - {
        "fax",
        "private_notes",
        "relations",
    }
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
        "demo-sales": ("T3", {"sales"}),
        "demo-service": ("T3", {"customer_service"}),
        "demo-production": ("T3", {"production"}),
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
    assert Counter(values(made, "status")) == {"frozen": 2, "leaving": 2, "prehire": 3}
    assert sum(each.leaves for each in made.contacts) == 5
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
        "任": "Ren",
        "盖": "Ge",
        "朴": "Piao",
        "尉迟": "Yuchi",
        "欧阳": "Ouyang",
        "司马": "Sima",
    }
    for surname, reading in wanted.items():
        assert {spelt for name, spelt in readings.items() if name.startswith(surname)} == {reading}


def test_everybody_is_found_by_the_reading_of_their_name(made: Company) -> None:
    """The reading that the demo writes is one that the search derives from the characters."""
    for contact in people(made):
        name = contact.members["name"]
        if DOT not in name:
            spelt = {"".join(each) for each in read_name(name)[0]}
            surname = contact.members["name_en"].split()[1].lower().replace("ü", "v")
            assert any(each.startswith(surname) for each in spelt), name


def test_some_have_a_dotted_or_an_english_name(made: Company) -> None:
    dotted = [each.members for each in people(made) if DOT in each.members["name"]]
    assert len(dotted) > 20
    assert all(
        re.fullmatch(r"\w{2,}·\w{2,}", each["name"]) and re.fullmatch(r"[a-z]+\.[a-z]+\d*", each["user_name"])
        for each in dotted
    )
    english = [each.members for each in people(made) if each.members.get("alias") in ENGLISH_NAMES]
    assert len(english) > 100
    assert all(each["name_en"].startswith(f"{each['alias']} ") for each in english)
