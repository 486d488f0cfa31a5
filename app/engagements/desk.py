"""Business facts as the composition root sees them: what routes call, what personnel events call, what standings read."""

from app.audit.terms import Terms
from app.auth.repository import AccountRepository
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.contacts.writer import ContactWriter
from app.disclosure.log_access import LogAccess
from app.engagements.keeping import EngagementKeeper, Persons
from app.engagements.reading import EngagementPages
from app.engagements.repository import EngagementRepository
from app.engagements.service import EngagementService
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors


class EngagementDesk:
    """Shows, takes and ends."""

    def __init__(
        self,
        *,
        rows: EngagementRepository,
        contacts: ContactRepository,
        writer: ContactWriter,
        accounts: AccountRepository,
        access: LogAccess,
        persons: Persons,
        cursors: Cursors,
        terms: Terms,
        reader: Reader,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows that standings read too, contacts and accounts, the log's gate and viewers, who is whom, keys, stores, clock."""
        self.service = EngagementService(rows=rows, cards=writer.cards, accounts=accounts, terms=terms, clock=clock)
        self.pages = EngagementPages(
            rows=rows,
            contacts=contacts,
            gate=access.gate,
            rights=CurrentRights(access.standings),
            cursors=cursors,
            reader=reader,
            clock=clock,
        )
        self.keeper = EngagementKeeper(
            service=self.service,
            rows=rows,
            pages=self.pages,
            contacts=contacts,
            gate=access.gate,
            persons=persons,
            reader=reader,
            idempotency=idempotency,
            clock=clock,
        )
