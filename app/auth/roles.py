"""The closed list of roles: what a person may be here, beside being somebody's colleague.

Pure. A role is a word of this list, letter for letter; anything that merely looks like one is refused wherever roles are given. What a
role is called stands with the words of policy (``permissions.outcomes``), which a test holds to this list; what it may see and do, the
packs say.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Literal


class Role(StrEnum):
    """Every role, in the order in which they are told."""

    EMPLOYEE = "employee"
    DEPT_HEAD = "dept_head"
    DEPUTY = "deputy"
    HR = "hr"
    DIRECTORY_STEWARD = "directory_steward"
    INFOSEC = "infosec"
    AUDITOR = "auditor"
    ADMINISTRATION = "administration"
    IT = "it"
    EXECUTIVE = "executive"
    COMMITTEE = "committee"
    SYSTEM_ADMIN = "system_admin"
    OFFICE_READER = "office_reader"
    SALES = "sales"
    PRODUCTION = "production"
    CUSTOMER_SERVICE = "customer_service"
    SAFETY = "safety"


Held = Literal["everybody", "position", "given"]
"""How a role is come by: everybody in service has it, heading a department brings it, or it is given."""

BUSINESS: Final = frozenset({Role.SALES, Role.PRODUCTION, Role.CUSTOMER_SERVICE, Role.SAFETY})
"""Business scopes, which tier T3 goes with."""

_KNOWN: Final = frozenset(each.value for each in Role)


def are_roles(values: Iterable[str]) -> bool:
    """Tell whether every value is a role, letter for letter."""
    return _KNOWN.issuperset(values)


def held(role: Role) -> Held:
    """Tell how a role is come by."""
    match role:
        case Role.EMPLOYEE:
            return "everybody"
        case Role.DEPT_HEAD:
            return "position"
        case _:
            return "given"
