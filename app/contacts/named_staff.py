"""Finding contacts by what other systems call them: employee numbers and user names. Both are C1 and stand in clear."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.auth.subject import user_name_key
from app.contacts.models import Contact
from app.kit.query import Query, Source

_NUMBERS: Final[tuple[Any, ...]] = (Contact.employee_no, Contact.id)
_NAMES: Final[tuple[Any, ...]] = (Contact.user_name_key, Contact.id)


async def by_employee_no(source: Source, numbers: Collection[str]) -> dict[str, UUID]:
    """Find who has these employee numbers; whoever asks decides whom they may know of."""
    if not numbers:
        return {}
    statement = select(*_NUMBERS).where(Contact.employee_no.in_(sorted(numbers)))
    return {row[0]: row[1] for row in await Query(statement).rows(source)}


async def by_user_name(source: Source, names: Collection[str]) -> dict[str, UUID]:
    """Find who has these user names, by the name as it was given."""
    keys = {name: key for name in names if (key := user_name_key(name)) is not None}
    if not keys:
        return {}
    statement = select(*_NAMES).where(Contact.user_name_key.in_(sorted(set(keys.values()))))
    found = {row[0]: row[1] for row in await Query(statement).rows(source)}
    return {name: found[key] for name, key in keys.items() if key in found}
