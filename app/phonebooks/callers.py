"""The name behind a number of the house, asked for while it rings: one number, C1 alone, by a telephone or by the exchange.

Nobody who holds it, somebody who may not be named and a number that nobody has are one and the same 404, found by the same statements.
A telephone that a person has is told of where they may be named, without naming them.
Outside people's daily quota of look-ups, since what rings was not chosen by who asks; with a rate of its own, since what asks is a machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.record import listed_under
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.devices.naming import Terminal, Terminals
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.kit.limits import Limiter, RateLimited
from app.numbers.lines import HeldLine, NumberLines
from app.permissions.outcomes import Purpose
from app.permissions.plan import Plan
from app.permissions.standing import Viewer
from app.phonebooks.collecting import line_name, names_to, path_of
from app.phonebooks.schemas import CallerName

ACTION: Final = "caller_name.read"
PURPOSE: Final = Purpose.WORK_CONTACT
MOST_SHARING: Final = 5
_BETWEEN: Final = "、"
_NOBODY: Final = UUID(int=0)
_DEVICE: Final = "device"
_PEOPLE: Final = frozenset({"contact", "hotline", "external"})


class CallerNames:
    """Names callers."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        lines: NumberLines,
        terminals: Terminals,
        gate: Gate,
        rights: CurrentRights,
        reader: Reader,
        limiter: Limiter | None,
    ) -> None:
        """Take the contacts, who holds numbers, what names telephones, the gate, who viewers are, where to read, and the rate."""
        self._repository, self._lines, self._gate, self._rights = repository, lines, gate, rights
        self._terminals, self._reader, self._limiter = terminals, reader, limiter

    async def of(self, viewer: Viewer, digits: str, domain: str | None) -> Disclosed[CallerName]:
        """Name who holds a number. Raises ``NotFound``, ``RateLimited``, and ``LogUnavailable`` when the look cannot be recorded."""
        seek(ACTION, PURPOSE)
        if self._limiter is not None and (wait := self._limiter.wait(viewer.caller)):
            raise RateLimited(wait)
        asked = {"number": digits, **({} if domain is None else {"domain": domain})}
        look = Look(action=ACTION, purpose=PURPOSE, query=asked)

        async def attempt(viewer: Viewer) -> Disclosed[CallerName]:
            plan = viewer.plan(PURPOSE)
            held = await self._lines.holders(self._reader, digits, domain=domain, most=MOST_SHARING)
            people = [each.holder_id for each in held if each.holder_type in _PEOPLE]
            devices = [each.holder_id for each in held if each.holder_type == _DEVICE]
            terminals = await self._terminals.named(self._reader, devices or [_NOBODY])
            users = [each.person for each in terminals.values() if each.person is not None]
            records = await self._repository.by_ids([*people, *users] or [_NOBODY], viewer.tree)
            named = [records[each] for each in people if each in records and self._may_name(plan, records[each])]
            known = {
                identity: each
                for identity, each in terminals.items()
                if each.person is None or (each.person in records and self._may_name(plan, records[each.person]))
            }
            told = _people(named, viewer) if named else _place(held, known, viewer)
            if told is None:
                raise NotFound
            note = await self._gate.disclose_plain(
                viewer, look, count=max(1, len(named)), contacts=[each.subject for each in named]
            )
            return Disclosed(orjson.dumps({"number": digits, **told, "disclosure": orjson.Fragment(note)}))

        return await self._rights.of(viewer, attempt)

    def _may_name(self, plan: Plan, record: Record) -> bool:
        cohort = self._gate.verdict(plan, record)
        return cohort is not None and names_to(cohort, record.cohort.status)


def _people(named: Sequence[Record], viewer: Viewer) -> dict[str, Any]:
    first = named[0]
    main = first.cohort.departments[0] if first.public["department"] is not None else None
    path = path_of(main, viewer.tree)
    return {
        "kind": "hotline" if first.cohort.kind == "hotline" else "person",
        "name": _BETWEEN.join(listed_under(each.public) for each in named),
        "department": path[-1] if path else None,
    }


def _place(held: Sequence[HeldLine], terminals: Mapping[UUID, Terminal], viewer: Viewer) -> dict[str, Any] | None:
    for each in held:
        name = None if each.holder_type in _PEOPLE else line_name(each, viewer.tree, terminals)
        if name is not None:
            stands = terminals[each.holder_id].department_id if each.holder_type == _DEVICE else None
            path = path_of(stands, viewer.tree)
            return {"kind": each.holder_type, "name": name, "department": path[-1] if path else None}
    return None
