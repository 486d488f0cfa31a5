"""Whom the operations of a bulk request would end, counted before any of them is done and judged as a batch of personnel events is.

Past the fuse none of these is done: each answers why, and the others go on, since a bulk request does as much as it can and tells of each
operation what became of it (RFC 7644 section 3.7). Counted are people in service of whom the client may know; what it says of others is
refused one by one, and no number tells that they are there. Who leaves without having been foreseen, as somebody whom the request itself
made does, is judged when it comes to that. Imported with the library.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from scim2_models import BulkOperation, PatchOp, Resource, SCIMException

from app.hr.errors import OF_A_BULK, FuseBlown
from app.hr.fusing import LeaverFuse
from app.kit.query import Source
from app.permissions.standing import Viewer
from app.scim.reading import UserReader
from app.scim.resources import User


class Endings:
    """Whom one bulk request lets go."""

    def __init__(self, fuse: LeaverFuse, users: UserReader, source: Source) -> None:
        """Take what counts leavers, who tells who is in service, and where to read."""
        self._fuse, self._users, self._source = fuse, users, source
        self._counted = set[UUID]()
        self._blown: FuseBlown | None = None

    async def foresee(self, viewer: Viewer, identities: Collection[UUID]) -> None:
        """Judge all of whom the request says that they end."""
        self._counted |= await self._users.in_service(viewer, identities)
        self._blown = await self._judged(viewer, self._counted)

    def refuse(self, identity: UUID) -> None:
        """Raise ``FuseBlown`` for one of too many; before they are looked at."""
        if self._blown is not None and identity in self._counted:
            raise self._blown

    async def demand(self, viewer: Viewer, identity: UUID) -> None:
        """Raise ``FuseBlown`` for one of too many; who is in service and was not foreseen is counted with those who are still there."""
        if identity not in self._counted:
            self._counted.add(identity)
            there = await self._users.in_service(viewer, self._counted)
            self._blown = self._blown or await self._judged(viewer, there)
        self.refuse(identity)

    async def _judged(self, viewer: Viewer, leaving: Collection[UUID]) -> FuseBlown | None:
        return await self._fuse.refusal(self._source, viewer, leaving, OF_A_BULK)


def ended(operation: BulkOperation[Resource[Any]]) -> UUID | None:
    """Name the user whom an operation on users deletes or makes inactive."""
    match operation.method:
        case BulkOperation.Method.delete:
            ends = True
        case BulkOperation.Method.put:
            ends = isinstance(operation.data, User) and operation.data.active is False
        case BulkOperation.Method.patch:
            ends = isinstance(operation.data, PatchOp) and _deactivates(operation.data)
        case _:
            ends = False
    try:
        return UUID(operation.resource_id or "") if ends else None
    except ValueError:
        return None


def _deactivates(patch: "PatchOp[Any]") -> bool:
    """Try what a PATCH says of ``active``, in whichever spelling; what cannot be done is refused when it comes to that."""
    user = User(user_name="somebody", active=True)
    for each in patch.operations or ():
        if each.path is None or str(each.path).lower().endswith("active"):
            try:
                patch.model_copy(update={"operations": [each]}).patch(user)
            except (SCIMException, ValueError, TypeError):
                continue
    return user.active is False
