"""What sets of people are made of (``app.postings``): the keys that contacts are found by, rank by rank in the order of their texts."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, select, tuple_

from app.contacts.criteria import number
from app.contacts.models import Contact, ContactKey
from app.contacts.repository import NIL
from app.contacts.search import MEMBER
from app.contacts.tiers import BEGINNINGS
from app.kit.db import Reader
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
_NAME: Final = (
    select(_KEYS.name).where(_KEYS.contact_id == Contact.id).limit(number(1)).correlate(Contact).scalar_subquery()
)
_PEOPLE: Final = Query(
    select(Contact.id, _NAME)
    .where(Contact.id > bindparam("after_id", type_=Id()))
    .order_by(Contact.id)
    .limit(number(_AT_ONCE))
)
_PAGE: Final = Query(
    select(*_ORDER, ordinal_of(_KEYS.contact_id))
    .where(_KEYS.rank == _RANK, tuple_(*_ORDER) > _AFTER)
    .order_by(*_ORDER)
    .limit(number(_AT_ONCE))
)
_FURTHER: Final = Query(
    select(number(1)).where(_KEYS.rank == number(MEMBER)).offset(bindparam("most", type_=Integer())).limit(number(1))
)


class PostedKeys:
    """Reads keys for making sets. How many people there are is told by the keys of departments, which nearly everybody has."""

    ranks: Sequence[tuple[int, bool]] = (*((each, True) for each in BEGINNINGS), (MEMBER, False))

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    async def more_than(self, people: int) -> bool:
        """Tell whether more people than so many belong to departments."""
        return bool(await _FURTHER.rows(self._reader, most=people))

    async def people(self) -> AsyncIterator[Sequence[tuple[str, UUID]]]:
        """Read who has keys, each once; who is of no department too."""
        after = NIL
        while rows := await _PEOPLE.rows(self._reader, after_id=after):
            yield [(name, contact) for contact, name in rows if name is not None]
            after = rows[-1][0]

    async def of_rank(self, rank: int, generation: int) -> AsyncIterator[Sequence[tuple[str, int]]]:
        """Read the keys of one rank in order, with the ordinals of whose they are. Who has none came later, and is left out."""
        values: dict[str, Any] = {"after_term": "", "after_name": "", "after_id": NIL}
        while rows := await _PAGE.rows(self._reader, rank=rank, generation=generation, **values):
            yield [(term, ordinal) for term, _, _, ordinal in rows if ordinal is not None]
            values = dict(zip(values, rows[-1][:3], strict=True))
