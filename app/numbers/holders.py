"""Whom a caller names as the holder of a number: somebody they may know of, or a place.

Hotlines and external people are contacts, and are held as such, so that what ends a contact ends what it holds; naming them by their kind
checks that they are of it. A device is held by its id while it is registered. A room is known by its code alone: its id is made of that, so
that the same code is the same holder for ever.
"""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from app.numbers.errors import HolderNotFound, term_refused
from app.numbers.reading import NumberReader
from app.numbers.repository import Holder
from app.numbers.schemas import HolderRef
from app.numbers.terms import TermFault
from app.permissions.standing import Viewer

_ROOMS: Final = UUID("01999999-0000-7000-8000-000000000002")
_ID: Final = "/holder/id"
_EXTERNAL: Final = "external"

_LONGEST_CODE: Final = 32


class HolderNames:
    """Finds holders."""

    def __init__(self, reader: NumberReader) -> None:
        """Take what knows whom a viewer may know of."""
        self._reader = reader

    async def known(self, viewer: Viewer, ref: HolderRef, *, until: datetime | None, pointer: str = _ID) -> Holder:
        """Find who is to hold a number until then.

        Raises ``HolderNotFound``, pointing at ``pointer``, alike for all whom the viewer cannot name, and ``Invalid`` for an external
        person without an end.
        """
        holder = self.named(viewer, ref, pointer=pointer)
        if holder.type == "contact":
            kind = await self._reader.kind_of(viewer, holder.id)
            if kind is None or ref.type not in {"contact", kind}:
                raise HolderNotFound(pointer)
            if kind == _EXTERNAL and until is None:
                raise term_refused(TermFault.MISSING)
        return holder

    def named(self, viewer: Viewer, ref: HolderRef, *, pointer: str = _ID) -> Holder:
        """Read who is meant, whether or not the viewer may know of them; raise ``HolderNotFound`` for what names nobody."""
        match ref.type:
            case "contact" | "hotline" | "external":
                try:
                    return Holder("contact", UUID(ref.id))
                except ValueError as error:
                    raise HolderNotFound(pointer) from error
            case "department":
                node = viewer.tree.find(ref.id)
                if node is None:
                    raise HolderNotFound(pointer)
                return Holder("department", node.id)
            case "device":
                try:
                    return Holder("device", UUID(ref.id))
                except ValueError as error:
                    raise HolderNotFound(pointer) from error
            case "room":
                if len(ref.id) > _LONGEST_CODE:
                    raise HolderNotFound(pointer)
                return Holder("room", uuid5(_ROOMS, ref.id), ref.id)
