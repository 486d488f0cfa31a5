"""The demo company cut down for tests that load one: every principal, every special case, a few departments of each level."""

from dataclasses import replace
from functools import cache
from typing import Final

from app.demo.company import Company, company
from app.demo.staffing import PRINCIPALS

DEPARTMENTS: Final = frozenset(
    {each.department for each in PRINCIPALS} | {"FIN", "RD-APP", "RD-APP-WEB", "RD-QA", "PROD-LINE1", "PROD-LINE1-DAY"}
)
_ORDINARY: Final = 2


@cache
def small() -> Company:
    """Give a company of about a hundred contacts that is a part of the whole one."""
    made = company()
    departments = tuple(each for each in made.departments if each.code in DEPARTMENTS)
    needed = {key for each in departments for key in (each.head, each.deputy)}
    named = {each.user_name for each in PRINCIPALS}
    kept, ordinary = [], dict.fromkeys(DEPARTMENTS, 0)
    for each in made.contacts:
        code = each.members["department"]
        if code not in DEPARTMENTS:
            continue
        special = each.leaves or "status" in each.members or each.kind != "employee" or bool(each.memberships)
        if each.key in needed or each.members.get("user_name") in named or special:
            kept.append(each)
        elif ordinary[code] < _ORDINARY:
            ordinary[code] += 1
            kept.append(each)
    here = {each.members.get("user_name") for each in kept}
    standings = tuple(each for each in made.standings if each.user_name in here)
    return replace(made, departments=departments, contacts=tuple(kept), standings=standings)
