"""Every code that a head-count's row can have has words in English and in Chinese: read from the code that gives them."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import pytest

from app.contacts import external, members, schemas, values
from app.hr import data
from app.hr.errors import UNRESOLVED
from app.kit.problems import FAULT_WORDS, every_problem
from app.numbers.errors import PoolExhausted
from app.reconciliations import applying, comparing, people, reading
from app.reconciliations.applying import _REFUSALS
from app.reconciliations.wording import words_of

READS: Final = (reading, people, comparing, applying, data, schemas, members, values, external)
"""Where a row is read, compared and applied, and where what it says is read."""
PLACES: Final = {"_Wrong": 0, "FileUnreadable": 0, "Rejected": 0, "FieldError": 1, "Entry": 2, "Fault": 2}
"""Which argument names the code, where there is one."""


def literals(module: ModuleType) -> Iterator[str]:
    """Give the codes that a module's text names; one that stands in an enumeration or a problem is asked for there."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(func=ast.Name(id="Rejected"), args=[ast.Starred(value=ast.Name(id=constant))]):
                yield getattr(module, constant)[0]
            case ast.Call(func=ast.Name(id=name), args=args) if name in PLACES and len(args) > PLACES[name]:
                yield from texts(args[PLACES[name]])
            case ast.Call(func=ast.Name(id="Difference"), keywords=keywords):
                for each in keywords:
                    yield from texts(each.value) if each.arg == "code" else ()
            case ast.Return(value=value) if module is applying and value is not None:
                yield from texts(value)
            case ast.Assign(targets=[ast.Name(id="code")], value=value):
                yield from texts(value)
            case _:
                pass


def texts(expression: ast.expr) -> Iterator[str]:
    """Give the texts that an expression may come to."""
    match expression:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts(one), *texts(other))
        case ast.BoolOp(values=each):
            yield from (text for one in each for text in texts(one))
        case _:
            pass


def codes() -> set[str]:
    """Name every code: of the text, of the framework, of what a person is refused with, and of what an event fails with."""
    problems = [each for root in (*_REFUSALS, *UNRESOLVED, PoolExhausted) for each in every_problem(root)]
    return {*(text for module in READS for text in literals(module)), *FAULT_WORDS, *(each.code for each in problems)}


def test_the_codes_are_found_where_they_stand() -> None:
    found: set[Any] = codes()
    assert found >= {
        *("malformed_json", "too_long", "no_employee_no_column", "no_employee_no", "twice_in_file", "out_of_scope"),
        *(
            "contact_unreadable",
            "changed_here_since",
            "not_permitted",
            "unknown_contact",
            "no_longer_so",
            "nothing_left",
        ),
        *("names_oneself", "not_collected", "consent_required", "past_date", "not_removable", "nothing_given"),
        *("malformed_phone", "malformed_email", "malformed_user_name", "unknown_member", "invalid_value", "missing"),
        *("duplicate_user_name", "account_exists", "name_needed", "pool_exhausted", "event_id_reused", "held_up"),
    }


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_has_words_in_both_languages(code: str) -> None:
    english, chinese = words_of(code)
    assert english is not None
    assert chinese is not None
    assert english.isascii()
    assert english.endswith(".")
    assert any("\u4e00" <= each <= "\u9fff" for each in chinese)
    assert chinese.endswith("。")


def test_what_has_no_code_has_no_words() -> None:
    assert words_of(None) == words_of("no_such_code") == (None, None)
