"""The first pack: put in force by the installer when a store has none, as an event; from then on only activations count."""

from collections.abc import Callable
from typing import Final

from app.audit.authors import Author
from app.kit.db import Database
from app.permissions.pack import Pack
from app.policy.service import Grounds, PolicyService

INSTALLER: Final = Author(type="system", id="installer")
_REASON: Final = "first start"


async def found_policy(database: Database, service: PolicyService, first: Callable[[], tuple[Pack, str]]) -> None:
    """Put the pack that ``first`` gives (with its text) in force in a store that never had one; else do nothing.

    Processes that start together queue at the counter, and all but one find that there is one. Raises ``PolicyTestsFailed``.
    """
    if await service.versions.any_activation(database.reader):
        return
    async with database.unit_of_work() as unit:
        seq = await service.versions.next_seq(unit.session)
        if seq > 1:
            return
        pack, text = first()
        version, _ = await service.store(unit, INSTALLER, pack, text)
        await service.activate(unit, INSTALLER, version, Grounds(reason=_REASON))
