"""Operations of a PATCH on the members of a group, done on sets of ids.

``scim2-models`` 0.12 compares each value that is to be removed with each member, and copies the group for each operation: a thousand
removals from a group of two thousand took a quarter of a minute, in the process that serves everybody. What Entra ID and Okta send of
members is done here; what they do not, the library still does, as far as that is little work. Imported with the library.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from scim2_models import InvalidValueException, PatchOp, PatchOperation, Resource

from app.scim.mapping import GROUP
from app.scim.resources import GroupMember

MOST_COMPARED: Final = 20_000
"""Operations times members that the library is given."""
_MEMBERS: Final = re.compile(rf"(?:{re.escape(GROUP)}:)?members", re.IGNORECASE)
_ONE: Final = re.compile(rf'(?:{re.escape(GROUP)}:)?members\[\s*value\s+eq\s+"([^"\\]*)"\s*\]', re.IGNORECASE)


def patched(group: Resource[Any], patch: "PatchOp[Any]") -> bool:
    """Apply a PATCH to a group in place, and tell whether that changes it.

    Raises ``InvalidValueException`` for operations on members that would take too long, and as ``PatchOp.patch`` does.
    """
    there: list[GroupMember] = group.members or []  # type: ignore[attr-defined]  # a Group of ours
    before = {str(each.value): each for each in there}
    after, rest = dict.fromkeys(before), list[Any]()
    for operation in patch.operations or []:
        written = _applied(operation, after)
        if written is None:
            return _by_library(group, patch, len(before))
        rest += written
    group.members = None  # type: ignore[attr-defined]  # as above
    try:
        changed = bool(rest) and patch.model_copy(update={"operations": rest}).patch(group)
    finally:
        group.members = there or None  # type: ignore[attr-defined]  # as above
    if list(after) == list(before):
        return changed
    members = [before.get(each) or GroupMember(value=each) for each in after]
    group.members = members or None  # type: ignore[attr-defined]  # as above
    return True


def _by_library(group: Resource[Any], patch: "PatchOp[Any]", members: int) -> bool:
    operations = patch.operations or []
    values = sum(len(each.value) if isinstance(each.value, list) else 1 for each in operations)
    if values * max(members, 1) > MOST_COMPARED:
        raise InvalidValueException(
            detail="Members are added and removed by value: these operations would take too long"
        )
    return patch.patch(group)


def _applied(operation: "PatchOperation[Any]", members: dict[str, None]) -> "list[PatchOperation[Any]] | None":
    """Do to ``members`` what an operation says of them; give what it says besides, ``None`` if the library has to read it."""
    path, value, op = operation.path and str(operation.path), operation.value, operation.op
    if path is None:
        return _split(operation, value, members) if isinstance(value, Mapping) else None
    if _MEMBERS.match(path) is None:
        return [operation]
    one, is_removal = _ONE.fullmatch(path), op is PatchOperation.Op.remove and value is None
    if one is not None and is_removal:
        members.pop(one[1].lower(), None)
        return []
    if _MEMBERS.fullmatch(path) is None:
        return None
    return _written(PatchOperation.Op.replace_, [], members) if is_removal else _written(op, value, members)


def _split(
    operation: "PatchOperation[Any]", value: Mapping[str, Any], members: dict[str, None]
) -> "list[PatchOperation[Any]] | None":
    others = {name: each for name, each in value.items() if _MEMBERS.match(str(name)) is None}
    said = [name for name in value if name not in others]
    if len(said) > 1 or (said and _MEMBERS.fullmatch(said[0]) is None):
        return None
    if said and _written(operation.op, value[said[0]], members) is None:
        return None
    return [operation.model_copy(update={"value": others})] if others else []


def _written(op: PatchOperation.Op, value: Any, members: dict[str, None]) -> "list[PatchOperation[Any]] | None":  # noqa: ANN401 — any JSON
    ids = _ids(value)
    if ids is None:
        return None
    if op is PatchOperation.Op.remove:
        for each in ids:
            members.pop(each, None)
        return []
    if op is PatchOperation.Op.replace_:
        members.clear()
    members.update(dict.fromkeys(ids))
    return []


def _ids(value: Any) -> list[str] | None:  # noqa: ANN401 — any JSON
    """Read the ids in ``[{"value": …}]``, as they are written here."""
    entries = value if isinstance(value, list) else [value]
    found = [each.get("value") if isinstance(each, Mapping) else None for each in entries]
    ids = [each.lower() for each in found if isinstance(each, str) and each]
    return ids if len(ids) == len(entries) else None
