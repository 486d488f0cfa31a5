"""What sets of people are made of (``app.postings``): the keys that contacts are found by, rank by rank in the order of their texts."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, select, tuple_

from app.contacts.criteria import number
from app.contacts.models import ContactKey
from app.contacts.repository import NIL
from app.contacts.search import MEMBER
from app.contacts.tiers import BEGINNINGS
from app.kit.db import Reader, Row
from app.kit.models import Id
from app.kit.query import Query
from app.postings.repository import ordinal_of

_AT_ONCE: Final = 512
"""Keys of one statement; what is done with them keeps a loop that serves requests too for a millisecond or two."""
_KEYS: Final[Any] = ContactKey
_RANK: Final = bindparam("rank", type_=Integer())
_ORDER: Final = (_KEYS.term, _KEYS.name, _KEYS.contact_id)
_AFTER: Final = tuple_(
    bindparam("after_term", type_=String()),
    bindparam("after_name", type_=String()),
    bindparam("after_id", type_=Id()),
)
_LISTED: Final[Any] = (
    select(*_ORDER).where(_KEYS.rank == _RANK, tuple_(*_ORDER) > _AFTER).order_by(*_ORDER).limit(number(_AT_ONCE))
)
_PEOPLE: Final = Query(_LISTED)
_PAGE: Final = Query(_LISTED.add_columns(ordinal_of(_KEYS.contact_id)))
"""A statement of its own: PostgreSQL plans it when there are ordinals, and not, once for all, while there are none."""
_FURTHER: Final = Query(
    select(number(1)).where(_KEYS.rank == number(MEMBER)).offset(bindparam("most", type_=Integer())).limit(number(1))
)


class PostedKeys:
    """Reads keys for making sets. Everybody who can be found belongs to a department, so these keys tell how many there are."""

    ranks: Sequence[tuple[int, bool]] = (*((each, True) for each in BEGINNINGS), (MEMBER, False))

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    async def more_than(self, people: int) -> bool:
        """Tell whether more people than so many can be found."""
        return bool(await _FURTHER.rows(self._reader, most=people))

    async def people(self) -> AsyncIterator[Sequence[tuple[str, UUID]]]:
        """Read who can be found, department by department."""
        async for rows in self._keys(_PEOPLE, rank=MEMBER):
            yield [(name, contact) for _, name, contact in rows]

    async def of_rank(self, rank: int, generation: int) -> AsyncIterator[Sequence[tuple[str, int]]]:
        """Read the keys of one rank in order, with the ordinals of whose they are. Who has none came later, and is left out."""
        async for rows in self._keys(_PAGE, rank=rank, generation=generation):
            yield [(term, ordinal) for term, _, _, ordinal in rows if ordinal is not None]

    async def _keys(self, query: Query, **of: int) -> AsyncIterator[Sequence[Row]]:
        values: dict[str, Any] = {"after_term": "", "after_name": "", "after_id": NIL}
        rows: Sequence[Row] = ()
        while not rows or len(rows) == _AT_ONCE:
            rows = await query.rows(self._reader, **of, **values)
            yield rows
            if not rows:
                return
            values = dict(zip(values, rows[-1][:3], strict=True))
