"""What a filter asks, before anybody is looked at: by what index, and whether policy lets it ask at all.

Plain attributes can be compared in any way. A mail address or a telephone number is found whole or not at all (``eq``, anded or ored with
whatever else): part of one, its presence or its absence would tell, try by try, what policy does not show, and so would an order by one.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from scim2_models import InvalidFilterException, ResponseParameters
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

PROTECTED: Final = frozenset({"emails", "phonenumbers"})
_INDEXED: Final = {
    "id": "id",
    "username": "user_name",
    "externalid": "external_id",
    "employeenumber": "employee_no",
    "emails": "emails",
    "emails.value": "emails",
    "phonenumbers": "numbers",
    "phonenumbers.value": "numbers",
}
_PLAIN: Final = frozenset(
    {"id", "externalid", "schemas", "username", "name", "displayname", "nickname", "title", "usertype", "active"}
    | {"employeenumber", "department", "manager"}
    | {"shortnumber", "extension", "secrecy", "workerkind", "dottedmanager"}
)
_REFUSED: Final = "Mail addresses and telephone numbers are compared with eq alone, and not within not()"

Find = Callable[[str, str], Awaitable[set[UUID]]]
"""Give who has a value, by the name of an index and the value."""


def named(path: AttrPath) -> str:
    """Write an attribute's path without its schema, in lower case."""
    return ".".join(each for each in (path.attr, path.sub_attr) if each is not None).lower()


def is_protected(path: str) -> bool:
    """Tell whether an attribute, as a text, is one whose values policy guards."""
    return path.rpartition(":")[2].lower().partition(".")[0] in PROTECTED


def asks_plainly(parameters: ResponseParameters[Any]) -> bool:
    """Tell whether a search asks by name for attributes alone that stand plain and are no part of a version."""
    asked = [str(each).lower().rpartition(":")[2].partition(".")[0] for each in parameters.attributes or ()]
    return bool(asked) and _PLAIN.issuperset(asked)


def comparisons(node: FilterNode) -> int:
    """Count what is compared with each resource that a filter is tried on."""
    match node:
        case LogicalExpr():
            return sum(map(comparisons, node.terms))
        case Not():
            return comparisons(node.expr)
        case ValuePath():
            return 1 + comparisons(node.val_filter)
        case _:
            return 1


def members_in(node: FilterNode) -> set[str] | None:
    """Name the members of groups that a filter asks for, in lower case; ``None`` where it asks in another way than for whom it names."""
    match node:
        case LogicalExpr():
            found = [members_in(term) for term in node.terms]
            named_ones = [each for each in found if each is not None]
            return set[str]().union(*named_ones) if len(named_ones) == len(found) else None
        case Not():
            return members_in(node.expr)
        case Comparison(op=CompareOperator.eq, value=str()) if named(node.attr_path) in {"members", "members.value"}:
            return {node.value.lower()}
        case Comparison() | Present() | ValuePath() if named(node.attr_path).partition(".")[0] == "members":
            return None
        case _:
            return set()


def refuse_guessing(node: FilterNode, *, negated: bool = False) -> None:
    """Raise ``InvalidFilterException`` for a filter that asks more of a guarded value than whether somebody has it."""
    match node:
        case LogicalExpr():
            for term in node.terms:
                refuse_guessing(term, negated=negated)
        case Not():
            refuse_guessing(node.expr, negated=True)
        case Comparison() | Present() | ValuePath() if is_protected(named(node.attr_path)) and (
            negated or _asked(node) is None
        ):
            raise InvalidFilterException(detail=_REFUSED)
        case _:
            return


def _asked(node: FilterNode) -> tuple[str, str] | None:
    """Give the index and the value that a node asks for, if it asks for one whole value."""
    match node:
        case Comparison(op=CompareOperator.eq, value=str()):
            index = _INDEXED.get(named(node.attr_path))
            return None if index is None else (index, node.value)
        case ValuePath():
            index = _INDEXED.get(named(node.attr_path))
            inner = node.val_filter
            terms = inner.terms if isinstance(inner, LogicalExpr) and inner.op is LogicalOperator.and_ else (inner,)
            values = [each for each in terms if isinstance(each, Comparison) and each.op is CompareOperator.eq]
            asked = [each.value for each in values if named(each.attr_path) == "value"]
            if index is None or len(values) != len(terms) or len(asked) != 1 or not isinstance(asked[0], str):
                return None
            return index, asked[0]
        case _:
            return None


async def candidates(node: FilterNode, find: Find) -> set[UUID] | None:
    """Give among whom all must be whom a filter means; ``None`` when no index says."""
    match node:
        case LogicalExpr():
            found = [await candidates(term, find) for term in node.terms]
            known = [each for each in found if each is not None]
            if node.op is LogicalOperator.and_:
                return set.intersection(*known) if known else None
            return set.union(*known) if len(known) == len(found) else None
        case _ if (asked := _asked(node)) is not None:
            return await find(*asked)
        case _:
            return None
