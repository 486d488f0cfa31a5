"""How much is taken of what is slow to read: expressions are parsed and tried in the process that serves everybody else.

A filter of what Entra ID and Okta send has three comparisons. One of a megabyte, or a PATCH of ten thousand operations, would hold up all
other callers for minutes, so both are refused before they are parsed. Imported with the library.
"""

from collections.abc import Mapping
from typing import Any, Final

from scim2_models import InvalidFilterException, InvalidPathException, InvalidValueException, SCIMException

LONGEST_EXPRESSION: Final = 8192
"""Characters of a filter, of a path, and of all names of attributes that a request asks for."""
MOST_OPERATIONS: Final = 1000
"""Attributes that one PATCH writes."""
_EXPRESSIONS: Final[Mapping[str, type[SCIMException]]] = {
    "filter": InvalidFilterException,
    "sortby": InvalidPathException,
    "attributes": InvalidValueException,
    "excludedattributes": InvalidValueException,
}


def refuse_long_search(members: object) -> None:
    """Raise ``InvalidFilterException`` and its like for what a search or a read asks for at too great a length."""
    for name, value in members.items() if isinstance(members, Mapping) else ():
        refusal = _EXPRESSIONS.get(str(name).lower())
        if refusal is not None and _length(value) > LONGEST_EXPRESSION:
            raise refusal(detail=f"{name} is longer than {LONGEST_EXPRESSION} characters")


def refuse_long_patch(body: object) -> None:
    """Raise ``InvalidPathException`` for a path of a PATCH that is too long, ``InvalidValueException`` for too many operations."""
    members = body.items() if isinstance(body, Mapping) else ()
    operations = [each for name, value in members if str(name).lower() == "operations" for each in _listed(value)]
    paths = [path for each in operations for path in _paths(each)]
    if len(paths) > MOST_OPERATIONS:
        raise InvalidValueException(detail=f"A PATCH has at most {MOST_OPERATIONS} operations")
    if any(_length(path) > LONGEST_EXPRESSION for path in paths):
        raise InvalidPathException(detail=f"A path is longer than {LONGEST_EXPRESSION} characters")


def _paths(operation: object) -> list[Any]:
    """Give the paths of an operation: its own, or those that are the names in its value."""
    if not isinstance(operation, Mapping):
        return []
    told = {str(name).lower(): value for name, value in operation.items()}
    value = told.get("value")
    return list(value) if told.get("path") is None and isinstance(value, Mapping) else [told.get("path")]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _length(value: object) -> int:
    return sum(len(str(each)) + 1 for each in value) if isinstance(value, list) else len(str(value))
