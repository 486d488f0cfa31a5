"""Whose the name of a source is: the service's own, that of the service account for which it was registered, else of who sent in it first.

The ids of a source's events count for ever and its numbers order what is said, so whoever shares a name can stand in another's way. Who
sent in a name before names had owners goes on; two accounts whose very first events meet share it too, until it is registered.

A name that was registered keeps its meaning: when its signatures are taken no more it stays its account's, until it is registered anew.
"""

from typing import Final

from app.hr.repository import HrLedger
from app.hr.source_errors import ForeignSource
from app.hr.sources import SourceRows
from app.kit.db import Reader
from app.kit.errors import FieldError, Invalid
from app.permissions.standing import Viewer

OWN: Final = ("reconcile:", "scim:")


class SourceNames:
    """Keeps senders from speaking in the name of somebody else."""

    def __init__(self, rows: SourceRows, ledger: HrLedger, reader: Reader) -> None:
        """Take the sources that were registered, the ledger, and where to read them outside of any transaction."""
        self._rows, self._ledger, self._reader = rows, ledger, reader

    async def demand(self, viewer: Viewer, name: str) -> None:
        """Raise ``Invalid`` for a name that this service calls its own sources by, and ``ForeignSource`` for another account's.

        A token speaks in a registered name as well as its signature does, if both are the same account's; a person never does.
        """
        if name.startswith(OWN):
            text = ("The service calls sources of its own so.", "该来源名称由本服务保留。")
            raise Invalid(errors=[FieldError("/source", "reserved_source", *text)])
        client_id, holder = viewer.standing.client_id, await self._rows.holder(self._reader, name)
        if holder is None:
            if not await self._ledger.speaks(self._reader, client_id, name):
                raise ForeignSource
        elif viewer.standing.kind != "service" or client_id != holder:
            raise ForeignSource
