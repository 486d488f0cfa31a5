"""Reviews as the composition root sees them: what routes call, and what the worker's rounds do."""

from collections.abc import Sequence
from datetime import timedelta

from app.approvals.resolving import Persons
from app.audit.repository import AccessLogRepository
from app.auth.accounts import UserAccounts
from app.auth.loans import StandingLoans
from app.campaigns.effects import Effects
from app.campaigns.gathering import Gatherer
from app.campaigns.joints import Calendar, Holdings
from app.campaigns.keeping import CampaignKeeper
from app.campaigns.parting import CampaignParting
from app.campaigns.preparing import Preparer
from app.campaigns.reading import CampaignPages
from app.campaigns.repository import CampaignRepository
from app.campaigns.rules import Kind, Silence
from app.campaigns.service import CampaignService, Terms
from app.campaigns.silence import Silencer
from app.campaigns.sweeping import Sweeper
from app.campaigns.usage import LogUse
from app.contacts.confirming import CardConfirmations
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.crypto.rowmac import RowSigner
from app.deadlines import CampaignsSettings
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.notices.teller import Teller
from app.permissions.marks import MarkRepository
from app.permissions.repository import GrantRepository


class CampaignDesk:
    """Asks, takes answers, and does what silence means."""

    def __init__(
        self,
        showing: Showing,
        *,
        signer: RowSigner,
        database: Database,
        contacts: ContactRepository,
        accounts: UserAccounts,
        grants: GrantRepository,
        loans: StandingLoans,
        marks: MarkRepository,
        events: AccessLogRepository,
        idempotency: Idempotency,
        settings: CampaignsSettings,
        clock_here: timedelta,
        persons: Persons,
        calendar: Calendar,
        teller: Teller,
        holdings: Sequence[Holdings] = (),
    ) -> None:
        """Take what showing takes, the signer of its rows, the store, where rights and people are kept, the log, and how it is set up.

        ``persons`` says who is who, ``calendar`` gives working days, ``teller`` tells people; ``holdings`` are reviewed too.
        """
        days, tells = calendar, teller
        rows, reader, clock = CampaignRepository(signer), showing.reader, showing.clock
        effects = Effects(
            grants=grants,
            accounts=accounts,
            marks=marks,
            cards=CardConfirmations(),
            loans=loans,
            holdings=holdings,
            clock=clock,
        )
        service = CampaignService(rows=rows, effects=effects, persons=persons, calendar=days, teller=tells, clock=clock)
        terms = Terms(
            answer_days=settings.answer_days,
            suspend_days=settings.suspend_days,
            on_silence=Silence(settings.on_silence),
        )
        self.pages = CampaignPages(
            rows=rows,
            contacts=contacts,
            gate=showing.gate,
            rights=CurrentRights(showing.standings),
            cursors=showing.cursors,
            database=database,
            clock=clock,
        )
        self.keeper = CampaignKeeper(
            service=service, rows=rows, idempotency=idempotency, terms=dict.fromkeys(Kind, terms), clock=clock
        )
        gatherer = Gatherer(
            grants=grants,
            accounts=accounts,
            contacts=contacts,
            classes=CATALOGUE.classes,
            loans=loans,
            holdings=holdings,
            reader=reader,
        )
        usage = LogUse(events=events, reader=reader, clock_here=clock_here)
        preparer = Preparer(gatherer=gatherer, usage=usage, rows=rows, persons=persons, calendar=days, reader=reader)
        self.parting = CampaignParting(
            rows=rows, gatherer=gatherer, preparer=preparer, standings=showing.standings, teller=tells, clock=clock
        )
        self.sweeper = Sweeper(
            database=database,
            rows=rows,
            service=service,
            gatherer=gatherer,
            preparer=preparer,
            silencer=Silencer(
                database=database, rows=rows, effects=effects, teller=tells, clock=clock, clock_here=clock_here
            ),
            standings=showing.standings,
            calendar=days,
            teller=tells,
            clock=clock,
            clock_here=clock_here,
            quarterly={kind: terms for kind in Kind if getattr(settings, kind.value) == "quarterly"},
        )

    async def sweep(self) -> int:
        """Do what is due; give how many pieces that were."""
        return await self.sweeper.sweep()
