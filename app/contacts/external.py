"""What a contact cannot be without, as its kind's form says, and what cannot be true of an external one. Pure.

The form asks for an external contact's organisation and department, since its name is sealed: what lists and searches have of it is the
organisation, and who may see and keep it follows from the department that owns it. An end that has passed is no end of a contract that
begins. A day has passed when it is over everywhere (UTC-12), so that no clock is needed but ours; a day that stands on the card already is
not asked about.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from app.kit.errors import FieldError, Invalid

KIND: Final = "external"
_ENDS: Final = ("contract_until", "review_due")
_EVERYWHERE: Final = timedelta(hours=12)


class Ends(Protocol):
    """A contact that is there already."""

    @property
    def contract_until(self) -> Any:  # noqa: ANN401 — a column's value
        """When its contract ends."""
        ...

    @property
    def review_due(self) -> Any:  # noqa: ANN401 — a column's value
        """When somebody is to look whether it is needed still."""
        ...


def refuse_unfit(
    kind: str, given: Mapping[str, Any], required: Collection[str], *, at: datetime, before: Ends | None = None
) -> None:
    """Raise ``Invalid`` with every member that does not fit a contact of ``kind``; ``before`` is the contact that is changed."""
    faults: list[FieldError] = []
    for name in required:
        if before is None and given.get(name) is None:
            faults.append(FieldError(f"/{name}", "missing", "This member is required.", "缺少必填项。"))
        elif name in given and given[name] is None:
            faults.append(FieldError(f"/{name}", "not_removable", "This member cannot be removed.", "此字段不能删除。"))
    today = (at - _EVERYWHERE).date()
    for name in _ENDS if kind == KIND else ():
        ends = given.get(name)
        if isinstance(ends, date) and ends < today and (before is None or getattr(before, name) != ends):
            faults.append(FieldError(f"/{name}", "past_date", "This day has passed.", "该日期已过。"))
    if faults:
        raise Invalid(errors=faults)
