"""An event as the reader of the log is told it: with the names of now, and with what it disclosed of whom.

The log holds ids alone; names are joined when it is read. A department name, an actor's name, a contact's name are C1: nothing sealed is
opened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol
from uuid import UUID

from app.audit.events import EventDraft
from app.audit.repository import FoundEvent
from app.auth.errors import AccountRefused
from app.auth.repository import ClientRepository
from app.departments.tree import Tree
from app.disclosure.log_queries import CONTACT_ID
from app.disclosure.log_views import MOST_CONTACTS
from app.kit.db import Reader
from app.permissions.outcomes import State

_NAMES_AT_ONCE: Final = 500
_RANK: Final = {State.EMPTY.value: 0, State.WITHHELD.value: 1, State.MASKED.value: 2, State.SHOWN.value: 3}


class NamesContacts(Protocol):
    """What gives the names of contacts: their repository."""

    async def names(self, identities: Iterable[UUID]) -> dict[UUID, str]:
        """Give the names of those that have one."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """The names that an answer needs."""

    contacts: Mapping[UUID, str]
    clients: Mapping[str, str]
    tree: Tree


@dataclass(frozen=True, slots=True)
class Told:
    """An event and what it disclosed: those of its contacts that are listed, with states, and how many there are in all."""

    index: int
    event: EventDraft
    contacts: Mapping[UUID, Mapping[str, str]]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNames:
    """Knows names: ``contacts`` those of people, ``clients`` those of service accounts, through ``reader``, the business store."""

    contacts: NamesContacts
    clients: ClientRepository
    reader: Reader

    async def of(self, tree: Tree, events: Iterable[Told], *, asked: str | None = None) -> Names:
        """Give the names in ``events``, and that of ``asked``, an actor whom the question names."""
        people: set[UUID] = set()
        clients: set[str] = set() if asked is None or contact_id(asked) is not None else {asked}
        for told in events:
            people.update(told.contacts)
            note_actor(told.event.actor_type, told.event.actor_id, people, clients)
        return await self.named(tree, people, clients)

    async def named(self, tree: Tree, people: Iterable[UUID], clients: Iterable[str]) -> Names:
        """Give the names of contacts and service accounts."""
        ordered, names = list(people), dict[UUID, str]()
        for at in range(0, len(ordered), _NAMES_AT_ONCE):
            names.update(await self.contacts.names(ordered[at : at + _NAMES_AT_ONCE]))
        known = {client: name for client in sorted(clients) if (name := await self._client_name(client)) is not None}
        return Names(names, known, tree)

    async def _client_name(self, client_id: str) -> str | None:
        """Give a client's name; none where its row does not verify, which the repository has told the security log."""
        try:
            client = await self.clients.by_id(self.reader, client_id)
        except AccountRefused:
            return None
        return None if client is None else client.name


def contact_id(text: str) -> UUID | None:
    """Read an actor's id as a contact's; ``None`` where it is none."""
    return UUID(text) if CONTACT_ID.fullmatch(text) else None


def note_actor(kind: str, actor: str | None, people: set[UUID], clients: set[str]) -> None:
    """Add an actor to those whose names are wanted."""
    if kind == "service" and actor is not None:
        clients.add(actor)
    elif kind == "person" and actor is not None and (contact := contact_id(actor)) is not None:
        people.add(contact)


def told_of(found: FoundEvent, only: UUID | None) -> Told:
    """Collect what an event disclosed; where a contact stands in several cohorts, the most that any of them showed."""
    contacts: dict[UUID, Mapping[str, str]] = {}
    for cohort in found.event.cohorts:
        for contact in cohort.contacts:
            before = contacts.get(contact)
            contacts[contact] = cohort.states if before is None else _most(before, cohort.states)
    shown = (
        islice(contacts.items(), MOST_CONTACTS)
        if only is None
        else ((each, contacts[each]) for each in (only,) if each in contacts)
    )
    return Told(found.index, found.event, dict(shown), len(contacts))


def _most(one: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: max(filter(None, (one.get(name), other.get(name))), key=_RANK.__getitem__) for name in {**one, **other}
    }


def item(told: Told, names: Names) -> dict[str, Any]:
    """Write one event as a list shows it."""
    event = told.event
    return {
        "id": event.id,
        "index": told.index,
        "at": event.at,
        "actor": actor(event.actor_type, event.actor_id, event.tier, event.department_id, names),
        "client_id": event.client_id,
        "on_behalf_of": event.on_behalf_of,
        "action": event.action,
        "decision": event.decision,
        "code": event.code,
        "purpose": event.purpose,
        "case": event.case,
        "request_id": event.request_id,
        "policy_version": event.policy_version,
        "ip": event.address,
        "contacts": [
            {"id": contact, "name": names.contacts.get(contact), "fields": states}
            for contact, states in told.contacts.items()
        ],
        "contact_count": told.count,
        "fields": event.fields,
    }


def actor(
    kind: str, identity: str | None, tier: str | None, department_id: UUID | None, names: Names
) -> dict[str, Any]:
    """Write who acted."""
    name = identity
    if identity is not None and kind == "person":
        contact = contact_id(identity)
        name = None if contact is None else names.contacts.get(contact)
    elif identity is not None and kind == "service":
        name = names.clients.get(identity)
    return {
        "type": kind,
        "id": identity,
        "name": name,
        "tier": tier,
        "department": None if department_id is None else department(department_id, names.tree),
    }


def department(identity: UUID, tree: Tree) -> dict[str, Any]:
    """Write a department as it is called now."""
    node = tree.nodes.get(identity)
    return {
        "id": identity,
        "code": node.code if node else None,
        "name": node.name if node else None,
        "path": tree.path(identity) if node else None,
    }
