"""Whose the name of a source is: the service's own, that of the service account for which it was registered, else anybody's who sends.

A name that was registered keeps its meaning: when its signatures are taken no more it stays its account's, until it is registered anew.
"""

from typing import Final

from app.hr.source_errors import ForeignSource
from app.hr.sources import SourceRows
from app.kit.db import Reader
from app.kit.errors import FieldError, Invalid
from app.permissions.standing import Viewer

OWN: Final = ("reconcile:", "scim:")


class SourceNames:
    """Keeps senders from speaking in the name of somebody else."""

    def __init__(self, rows: SourceRows, reader: Reader) -> None:
        """Take the sources that were registered, and where to read them outside of any transaction."""
        self._rows, self._reader = rows, reader

    async def demand(self, viewer: Viewer, name: str) -> None:
        """Raise ``Invalid`` for a name that this service calls its own sources by, and ``ForeignSource`` for another account's.

        A token speaks in a registered name as well as its signature does, if both are the same account's; a person never does.
        """
        if name.startswith(OWN):
            text = ("The service calls sources of its own so.", "该来源名称由本服务保留。")
            raise Invalid(errors=[FieldError("/source", "reserved_source", *text)])
        holder = await self._rows.holder(self._reader, name)
        if holder is not None and (viewer.standing.kind != "service" or viewer.standing.client_id != holder):
            raise ForeignSource
