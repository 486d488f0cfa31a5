"""Mail addresses for those who tell people something (``app.notices``): opened one by one, on record before, for the service's own work."""

from typing import Final
from uuid import UUID

from app.audit.authors import Author
from app.contacts.repository import ContactRepository
from app.disclosure.gate import Gate
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings

AUTHOR: Final = Author(type="system", id="job:notices")
ACTION: Final = "notice.mail"
_IN_SERVICE: Final = frozenset({"active", "leaving"})
_FIELD: Final = "email"


class MailAddresses:
    """Knows where people get mail."""

    def __init__(self, contacts: ContactRepository, gate: Gate, standings: Standings) -> None:
        """Take the rows, the gate, and where the department tree is had."""
        self._contacts, self._gate, self._standings = contacts, gate, standings

    async def mail_address(self, person: UUID, delivery: UUID) -> str | None:
        """Open the office mail address of somebody in service, for one telling; ``None`` when there is nobody, or none.

        On record as *used* before, with the purpose ``system_sync``. Raises ``LogUnavailable``; nothing was opened then.
        """
        record = await self._contacts.by_id(person, await self._standings.tree())
        if record is None or record.cohort.status not in _IN_SERVICE:
            return None
        (opened,) = await self._gate.open_for_upkeep(
            AUTHOR,
            ACTION,
            [record],
            frozenset({_FIELD}),
            purpose=Purpose.SYSTEM_SYNC,
            query={"delivery": str(delivery)},
        )
        return opened.get(_FIELD)
