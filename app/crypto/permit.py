"""A permit: proof that the durable access log has recorded a look, and the price of opening a box.

``audit.writer`` mints one after its commit; ``keyring.Opener`` asks for it. Who may import this module is fixed by an
import contract, which is the real fence; the class itself only makes misuse by accident impossible: no constructor, no
copy, no pickle, no change after minting, and an end on the monotonic clock so that stepping the wall clock prolongs
nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn, Self, SupportsIndex
from uuid import UUID

from app.crypto.errors import PermitRefused

_MINTED: Final = object()


class Permit:
    """Leave to open the named fields of the named people until ``expires``; recorded at ``index`` of the access log."""

    __slots__ = ("_mark", "event_id", "expires", "index", "scope")

    _mark: object
    event_id: UUID
    index: int
    expires: float
    scope: Mapping[UUID, frozenset[str]]

    def __new__(cls, *_arguments: object, **_named: object) -> Self:
        """Refuse: a permit comes from ``mint`` alone."""
        message = "a permit is minted by the access log, never constructed"
        raise TypeError(message)

    def __init_subclass__(cls, **_named: object) -> NoReturn:
        """Refuse a lookalike."""
        message = "a permit has no subclasses"
        raise TypeError(message)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to widen or prolong what was recorded."""
        message = "a permit does not change"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse."""
        message = "a permit does not change"
        raise AttributeError(message)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled: a permit belongs to the request that paid for it."""
        message = "a permit is neither copied nor pickled"
        raise TypeError(message)

    def __repr__(self) -> str:
        """Name the record, not the people."""
        return f"<permit index={self.index} subjects={len(self.scope)}>"

    def fields_of(self, subject: UUID, *, at: float) -> frozenset[str]:
        """Name the fields of ``subject`` that may be opened at ``at`` (seconds, ``time.monotonic``).

        Raises ``PermitRefused`` when the permit is forged, has ended, or does not name the subject.
        """
        if getattr(self, "_mark", None) is not _MINTED:
            cause = "forged"
            raise PermitRefused(cause)
        if at >= self.expires:
            cause = "expired"
            raise PermitRefused(cause)
        fields = self.scope.get(subject)
        if fields is None:
            cause = "subject"
            raise PermitRefused(cause)
        return fields


_set_mark, _set_event, _set_index, _set_expires, _set_scope = (
    vars(Permit)[name].__set__ for name in ("_mark", "event_id", "index", "expires", "scope")
)
"""What writes the slots past the class, which lets nobody write them."""


def mint(*, event_id: UUID, index: int, expires: float, scope: Mapping[UUID, frozenset[str]]) -> Permit:
    """Make the permit of an event that is durable in the access log. For ``audit.writer`` alone.

    ``index`` is the event's place in the log, ``expires`` a moment of ``time.monotonic`` in seconds, ``scope`` the
    logical field names per contact. The scope is copied: what the caller does to its mapping later changes nothing.
    """
    permit = object.__new__(Permit)
    copied = dict(scope)
    for fields in copied.values():
        if type(fields) is not frozenset:
            copied = {subject: frozenset(each) for subject, each in copied.items()}
            break
    _set_mark(permit, _MINTED)
    _set_event(permit, event_id)
    _set_index(permit, index)
    _set_expires(permit, expires)
    _set_scope(permit, MappingProxyType(copied))
    return permit
