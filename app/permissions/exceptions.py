"""Exceptions as a plan reads them: which contacts and fields an approved request opened, for what, until when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.permissions.outcomes import FieldClass, Outcome, Purpose

ScopeKind = Literal["contact", "department", "subtree", "company", "legal_entity", "region", "kind", "tag", "assigned"]


@dataclass(frozen=True, slots=True)
class GrantScope:
    """Which contacts an exception is about: ``value`` is an id, a code, a region, a kind or a tag, as ``kind`` says.

    ``assigned`` with a contact's id is that contact while it is assigned to the holder; without, whoever is.
    """

    kind: ScopeKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """An exception that an approved request made: fields of some contacts, for a purpose, until a time.

    ``departments`` are those that the scope names by their tree, region or legal entity, as the tree of now has them. ``lifts``: the
    person whom it is about has consented, so caps that give way to that (``Rule.gives_way``) do not lower its fields.
    """

    id: UUID
    scope: GrantScope
    fields: Mapping[str, FieldClass]
    outcome: Outcome
    purpose: Purpose
    starts_at: datetime
    ends_at: datetime
    departments: frozenset[UUID] = frozenset()
    lifts: bool = False
