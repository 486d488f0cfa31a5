"""What a card shows of having been kept up: whether somebody can be found and reached by it, or is gone from it. Nothing is opened.

Read by the clocks alone. It decides about no right, and so believes the columns as they stand.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from app.contacts.models import Contact
from app.kit.models import Id
from app.kit.query import Query, Source

_REACHED: Final = frozenset({"active", "leaving", "frozen"})
_CARD: Final = Query(
    select(
        Contact.status,
        Contact.department_id,
        Contact.short_numbers,
        or_(Contact.extension.is_not(None), Contact.office_phone.is_not(None)),
        or_(Contact.email.is_not(None), Contact.business_email.is_not(None)),
        Contact.updated_at,
    ).where(Contact.id == bindparam("contact", type_=Id())),
    by_key=True,
)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How a card stands: ``reachable`` in force, with a department, a short number or an office phone, and mail; ``changed_at`` last."""

    department_id: UUID | None
    reachable: bool
    archived: bool
    changed_at: datetime


class CardUpkeep:
    """Reads how cards stand."""

    async def of(self, source: Source, contact: UUID) -> Upkeep | None:
        """Give how a card stands; ``None`` of nobody."""
        rows = await _CARD.rows(source, contact=contact)
        if not rows:
            return None
        status, department, numbers, telephone, mail, changed_at = rows[0]
        complete = status in _REACHED and department is not None and bool(numbers or telephone) and bool(mail)
        return Upkeep(department, complete, status == "archived", changed_at)
