"""What is asked for, what was found out about it, and what an approved request gave: values that effects and the engine hand each other.

Pure. Ids and codes, and the words of a form; protected values are boxes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID


class Cause(StrEnum):
    """Why something that an approved request gave is over."""

    EXPIRED = "expired"
    RETURNED = "returned"
    REVOKED = "revoked"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    REVIEWED = "reviewed"
    LEFT = "left"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about: a type of the kind's choice, and its id, code or digits."""

    type: str
    id: str

    @property
    def uuid(self) -> UUID | None:
        """The id as a UUID, ``None`` where it is none."""
        try:
            return UUID(self.id)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Term:
    """How long it is asked for: a length that begins when the effect does, an end, or neither for what has no end of its own."""

    length: timedelta | None = None
    until: datetime | None = None

    def ends(self, begins: datetime) -> datetime | None:
        """Give the earlier of both ends for something that begins then."""
        ends = [
            each for each in (self.until, None if self.length is None else begins + self.length) if each is not None
        ]
        return min(ends, default=None)

    def shortened(self, other: "Term") -> "Term | None":
        """Give the term cut by ``other``; ``None`` when that would make it longer anywhere, or names an end that the term has none of."""
        cut = self
        if other.length is not None:
            if self.length is None or other.length > self.length:
                return None
            cut = Term(other.length, cut.until)
        if other.until is not None:
            if self.until is not None and other.until > self.until:
                return None
            if self.until is None and self.length is None:
                return None
            cut = Term(cut.length, other.until)
        return cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for: ``form`` fits the kind's schema; people are named by their contacts."""

    kind: str
    requester: UUID
    beneficiary: UUID
    subject: Subject
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What an effect finds out about what is asked.

    ``facts`` are codes and ids, never a person's values: the first variant of the kind whose conditions they meet is the chain, and they
    are compared when the effect is about to act; a difference sends the request back to be approved again. ``about`` are the people whom
    the subject is, who are asked for consent; ``owner`` is the department that answers for the subject. ``form`` is what is kept of the
    form, ``values`` the protected values in it by field, which are kept sealed under the subject's own key and apart.
    """

    form: Mapping[str, Any]
    facts: Mapping[str, str] = field(default_factory=dict)
    about: tuple[UUID, ...] = ()
    owner: UUID | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    term: Term = Term()
    begins: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A protected value as the card would keep it: its envelope under the contact's key, and the 16-byte digest beside it.

    ``mac`` covers both, and the field, under the contact's own key: whoever puts it on the card asks for it.
    """

    envelope: bytes
    digest: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An approved request as its effect acts on it: ``decided_by`` are the people whose word it rests on.

    ``consented_by`` are those who consented for themselves and have not taken that back.
    """

    id: UUID
    asked: Asked
    facts: Mapping[str, str]
    variant: str
    values: Mapping[str, Proposed]
    begins: datetime
    ends: datetime | None
    decided_by: tuple[UUID, ...]
    consented_by: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an effect did: ids and codes for the request's record, and when it is over by itself."""

    result: Mapping[str, Any] = field(default_factory=dict)
    ends: datetime | None = None
    lasting: bool = False
    """Whether something remains that can end: a grant, a privilege; else the request is completed."""
