"""Changing the department tree for a caller: may they, have they seen what they change, and what they are told.

The look comes first, logged, outside of any transaction; then the write. A receipt names what the writer's next look would show.
"""

from typing import Final
from uuid import UUID

from app.api.department_reading import DepartmentReader, Seen
from app.approvals.resolving import Persons
from app.departments.errors import UnknownHolder
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.service import DepartmentService, Kept
from app.disclosure.errors import ApprovalRequired
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

STRUCTURE_KEEPERS: Final = frozenset({"hr", "directory_steward", "it", "system_admin"})
"""Roles that keep the company's structure."""

_BY_REQUEST: Final = "org.change"
COLLECTION: Final = "/v1/departments"


def refuse_others(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` unless the viewer holds one of ``STRUCTURE_KEEPERS``, whatever scopes the token carries.

    Clause S1i-4.2: changes of the organisation are published by the one office that keeps the book; everybody else asks for them (request
    kind ``org.change``). The policy pack speaks of contacts and has no power over departments, so the rule stands here and nowhere else.
    """
    if viewer.standing.roles.isdisjoint(STRUCTURE_KEEPERS):
        raise NotPermitted


class DepartmentKeeper:
    """Creates, changes and removes departments for a viewer."""

    def __init__(
        self, *, reader: DepartmentReader, service: DepartmentService, persons: Persons, idempotency: Idempotency
    ) -> None:
        """Take reading, writing, who is who under several accounts, and what makes a repeated call harmless."""
        self._reader, self._service, self._persons, self._idempotency = reader, service, persons, idempotency

    async def create(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: DepartmentCreate) -> Answer:
        """Add a department once per ``key``; raise ``NotPermitted``, and the refusals of the service and of idempotency."""
        _acts("department.create")

        async def work() -> Receipt:
            await self._refuse_strangers(viewer, body)
            await self._refuse_oneself(viewer, unit, body)
            return await self._receipt(viewer, await self._service.create(unit, author_of(viewer), body), status=201)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", COLLECTION, key),
            body.model_dump(mode="json", exclude_unset=True),
            allowed=lambda: refuse_others(viewer),
            work=work,
        )

    async def amend(self, viewer: Viewer, unit: UnitOfWork, named: str, version: str, body: DepartmentAmend) -> Receipt:
        """Change a department that the caller saw as ``version``; raise ``NotPermitted``, ``NotFound``, ``PreconditionFailed``."""
        seen = await self._seen(viewer, named, version, "department.update")
        await self._refuse_strangers(viewer, body)
        await self._refuse_oneself(viewer, unit, body)
        kept = await self._service.amend(unit, author_of(viewer), seen.node, body)
        me = viewer.standing.contact_id
        if me is not None and not kept.tree.headed_by(me) <= viewer.tree.headed_by(me):
            raise ApprovalRequired(request_kind=_BY_REQUEST)
        return await self._receipt(viewer, kept, status=200)

    async def remove(self, viewer: Viewer, unit: UnitOfWork, named: str, version: str) -> None:
        """Take a department that the caller saw as ``version`` out of the tree; raise as ``amend`` does."""
        seen = await self._seen(viewer, named, version, "department.delete")
        await self._service.remove(unit, author_of(viewer), seen.node)

    async def _seen(self, viewer: Viewer, named: str, version: str, action: str) -> Seen:
        _acts(action)
        refuse_others(viewer)
        seen = await self._reader.look(viewer, named)
        _acts(action)
        if not names_version(version, seen.version):
            raise PreconditionFailed
        return seen

    async def _refuse_strangers(self, viewer: Viewer, body: DepartmentCreate | DepartmentAmend) -> None:
        named: dict[str, UUID] = {
            pointer: holder
            for pointer, holder in (("/head", body.head), ("/deputy", body.deputy))
            if holder is not None
        }
        known = await self._reader.known(viewer, named.values(), Purpose.WORK_CONTACT)
        strangers = [pointer for pointer, holder in named.items() if holder not in known]
        if strangers:
            raise UnknownHolder(*strangers)

    async def _refuse_oneself(self, viewer: Viewer, unit: UnitOfWork, body: DepartmentCreate | DepartmentAmend) -> None:
        """Raise ``ApprovalRequired`` for who gives a position to themselves, under any account: positions carry tier and decisions."""
        me, named = viewer.standing.contact_id, [each for each in (body.head, body.deputy) if each is not None]
        if me is None or not named:
            return
        persons = await self._persons.of(unit.session, [me, *named])
        if persons[me] in {persons[each] for each in named}:
            raise ApprovalRequired(request_kind=_BY_REQUEST)

    async def _receipt(self, viewer: Viewer, kept: Kept, *, status: int) -> Receipt:
        return Receipt(kept.node.id, await self._reader.rendered(viewer, kept.node, kept.tree), status)


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
