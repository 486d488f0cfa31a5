"""What was typed becomes what is looked for: one normal form, every fault named at once; and the day's quota."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Final

import pytest

from app.contacts.tag_rules import DEFAULT_KINDS
from app.departments.tree import Tree
from app.kit.errors import Invalid
from app.lookups.quota import LookupLimits
from app.lookups.reading import Term, grouped, read
from app.permissions.outcomes import Tag
from app.permissions.plan import Standing

NOBODY_HOME: Final = Tree(())
EVERYTHING: Final = frozenset(Tag)
WIDE: Final = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
"""Full-width digits, as Chinese keyboards give them."""


def one(member: str, text: str, offered: frozenset[Tag] = EVERYTHING) -> Term:
    (term,) = read({member: (text,)}, (), tree=NOBODY_HOME, region="CN", offered=offered)
    return term


@pytest.mark.parametrize(
    "text",
    [
        "13800001234",
        "138 0000 1234",
        "+86 138-0000-1234",
        "0086 13800001234",
        "13800001234".translate(WIDE),
        " +8613800001234 ",
    ],
)
def test_every_way_to_write_a_mobile_is_one(text: str) -> None:
    assert one("numbers", text).form == "+8613800001234"
    assert one("numbers", text).told == "+8613800001234"


def test_a_short_number_is_asked_of_the_number_plan_alone() -> None:
    term = one("numbers", "61234".translate(WIDE))
    assert (term.digits, term.kind, term.told) == ("61234", None, "61234")


def test_a_bare_mobile_may_be_a_short_number_too() -> None:
    assert one("numbers", "13800001234").digits == "13800001234"
    assert one("numbers", "+8613800001234").digits is None


def test_a_landline_is_a_number_that_nobody_is_found_by() -> None:
    term = one("numbers", "+861088880001")
    assert (term.digits, term.kind) == (None, None)


@pytest.mark.parametrize(
    ("member", "text", "kind", "form"),
    [
        ("emails", "Someone@EXAMPLE.com", Tag.EMAIL, "someone@example.com"),
        ("names", " 欧阳若砚 ", Tag.NAME, "欧阳若砚"),
        ("wechats", "WX_1", Tag.WECHAT, "wx_1"),
        ("id_numbers", "11010519491231002x", Tag.ID_NUMBER, "11010519491231002X"),
    ],
)
def test_other_values_are_read_as_contacts_read_them(member: str, text: str, kind: Tag, form: str) -> None:
    assert (one(member, text).kind, one(member, text).form) == (kind, form)


def test_every_fault_is_named_at_once_and_none_is_quoted() -> None:
    lists = {"numbers": ("13800001234", "call me"), "emails": ("nobody",), "wechats": ("wx",), "id_numbers": ("1",)}
    with pytest.raises(Invalid) as refused:
        read(
            lists,
            [SimpleNamespace(digits="0001", department="NOWHERE")],
            tree=NOBODY_HOME,
            region="CN",
            offered=DEFAULT_KINDS,
        )
    faults = {fault.pointer: fault.code for fault in refused.value.errors}
    assert faults == {
        "/numbers/1": "malformed_phone",
        "/emails/0": "malformed_email",
        "/wechats/0": "not_offered",
        "/id_numbers/0": "not_offered",
        "/last4/0/department": "unknown_department",
    }
    assert not any("call me" in fault.detail for fault in refused.value.errors)


def test_terms_of_one_kind_are_looked_up_in_one_go() -> None:
    lists = {"numbers": ("13800001234", "61234", "13800001235"), "emails": ("a@example.com",), "employee_nos": ("E1",)}
    terms = read(lists, (), tree=NOBODY_HOME, region="CN", offered=DEFAULT_KINDS)
    assert list(grouped(terms)) == [(Tag.MOBILE, None, [0, 2]), (Tag.EMAIL, None, [3])]


# ------------------------------------------------------------------------------------------------------------- quotas


PERSON: Final = Standing(kind="person", actor_id="p", name="", client_id="intranet", scopes=frozenset())
SERVICE: Final = Standing(kind="service", actor_id="cti", name="", client_id="cti", scopes=frozenset())
LIMITS: Final = LookupLimits(person=20, service=2000, clients={"cti": 5}, utc_offset=timedelta(hours=8))


def test_who_may_look_up_how_much() -> None:
    now = datetime(2026, 11, 21, 15, 59, tzinfo=UTC)
    assert LIMITS.charge(PERSON, 3, now).limit == 20
    assert LIMITS.charge(SERVICE, 3, now).limit == 5
    other = LookupLimits(person=20, service=2000)
    assert other.charge(SERVICE, 3, now).limit == 2000


@pytest.mark.parametrize(
    ("hour", "minute", "day", "seconds"),
    [(15, 59, "2026-11-21", 60), (16, 0, "2026-11-22", 86_400), (0, 0, "2026-11-21", 57_600)],
)
def test_a_day_ends_at_local_midnight(hour: int, minute: int, day: str, seconds: int) -> None:
    now = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
    assert LIMITS.charge(PERSON, 1, now).day == day
    assert LIMITS.seconds_left(now) == seconds
