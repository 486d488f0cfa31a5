"""What of an emergency ends when somebody leaves, in the transaction of that: what they were named for, and what they have open."""

from dataclasses import replace
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import Cause
from app.emergency.sessions import EmergencySessions
from app.kit.clock import Clock
from app.kit.db import UnitOfWork


class EmergencyParting:
    """Ends appointments and sessions."""

    def __init__(self, *, rows: EmergencyRepository, sessions: EmergencySessions, clock: Clock) -> None:
        """Take the rows, what ends sessions, and the clock."""
        self._rows, self._sessions, self._clock = rows, sessions, clock

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """End every appointment of somebody and revoke their sessions, which are reviewed all the same; give how many both were."""
        now = self._clock.now()
        appointments = await self._rows.held_appointments(unit.session, contact_id)
        for each in appointments:
            await self._rows.save_appointment(unit.session, replace(each, ended_at=now))
            query = {"appointment": str(each.id), "office": each.office.value, "cause": "left"}
            draft = written(author, "emergency.dismiss", now, contacts=[contact_id], query=query)
            await add_intent(unit.session, draft)
        opened = await self._rows.open_sessions(unit.session, contact_id)
        for session in opened:
            await self._sessions.close(unit, session, Cause.REVOKED, now)
        return len(appointments) + len(opened)
