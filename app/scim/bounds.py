"""How much is taken of what is slow to read: expressions are parsed and tried in the process that serves everybody else.

A filter of what Entra ID and Okta send has three comparisons. One of a megabyte, or a PATCH of ten thousand operations, would hold up all
other callers for minutes, so both are refused before they are parsed. Imported with the library.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scim2_models import (
    InvalidFilterException,
    InvalidPathException,
    InvalidValueException,
    PayloadTooLargeException,
    SCIMException,
)

LONGEST_EXPRESSION: Final = 8192
"""Characters of a filter, of a path, and of all names of attributes that a request asks for."""
MOST_OPERATIONS: Final = 1000
"""Attributes that one PATCH writes."""
MOST_IN_BULK: Final = 4000
"""Attributes that all PATCHes of one bulk request write."""
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
    paths = _paths_in(body)
    if len(paths) > MOST_OPERATIONS:
        raise InvalidValueException(detail=f"A PATCH has at most {MOST_OPERATIONS} operations")
    _refuse_long(paths)


def refuse_long_bulk(body: object) -> None:
    """Raise as ``refuse_long_patch`` does for what bulk operations carry, and ``PayloadTooLargeException`` for too much of it in all."""
    paths = [path for each in _operations(body) if isinstance(each, Mapping) for path in _paths_in(_told(each, "data"))]
    if len(paths) > MOST_IN_BULK:
        raise PayloadTooLargeException(detail=f"The operations write more than {MOST_IN_BULK} attributes by PATCH")
    _refuse_long(paths)


def _refuse_long(paths: Sequence[object]) -> None:
    if any(_length(path) > LONGEST_EXPRESSION for path in paths):
        raise InvalidPathException(detail=f"A path is longer than {LONGEST_EXPRESSION} characters")


def _paths_in(body: object) -> list[Any]:
    return [path for each in _operations(body) for path in _paths(each)]


def _operations(body: object) -> list[Any]:
    told = _told(body, "operations") if isinstance(body, Mapping) else None
    return told if isinstance(told, list) else []


def _told(members: Mapping[Any, Any], wanted: str) -> Any:  # noqa: ANN401 — whatever was sent
    """Give a member by its name, in capitals or not, as the protocol has it."""
    return next((value for name, value in members.items() if str(name).lower() == wanted), None)


def _paths(operation: object) -> list[Any]:
    """Give the paths of an operation: its own, or those that are the names in its value."""
    if not isinstance(operation, Mapping):
        return []
    path, value = _told(operation, "path"), _told(operation, "value")
    return list(value) if path is None and isinstance(value, Mapping) else [path]


def _length(value: object) -> int:
    return sum(len(str(each)) + 1 for each in value) if isinstance(value, list) else len(str(value))
