"""How what governs rights is made: working days, stand-ins, jobs, the policy, notices, approvals with their effects, reviews, emergencies.

Apart from ``assembly`` because these ask something of nearly everything, and of the rest only personnel events and the keeping of cards
ask something of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.api.calendar_desk import CalendarDesk
from app.approvals.chains import load
from app.approvals.concerning import OpenRequests
from app.approvals.delegation_desk import DelegationDesk
from app.approvals.rosters import RosterDesk
from app.approvals.telling import DelegationNotices
from app.approving import approval_desk, attachment_desk
from app.audit.note import Signer
from app.audit.repository import AccessLogRepository
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.families import FamilyRepository
from app.auth.loans import StandingLoans
from app.auth.repository import AccountRepository, ClientRepository
from app.calling.desk import CallingDesk
from app.campaigns.desk import CampaignDesk
from app.changes.desk import ChangeDesk
from app.clocks.desk import ClockDesk
from app.clocks.repository import DEADLINE
from app.config import Settings
from app.contacts.addresses import MailAddresses
from app.contacts.erasing import CardArchive
from app.contacts.fields import CATALOGUE
from app.contacts.members import MemberReader
from app.contacts.naming import Naming
from app.contacts.organisation import CompanyOrganisation
from app.contacts.repository import ContactRepository
from app.contacts.writer import ContactWriter
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.custody.desk import CUSTODY, CustodyDesk
from app.departing import Archived, Domains, eraser, steps
from app.departments.repository import DepartmentRepository
from app.departments.service import DepartmentService
from app.departures.departing import Accounts, Departing, Departments
from app.departures.desk import DepartureDesk
from app.departures.keeping import DepartureBook
from app.departures.repository import DEPARTURE, DepartureRepository
from app.departures.undertaking_rows import UNDERTAKING, UndertakingRows
from app.devices.desk import DeviceDesk
from app.devices.repository import DeviceRepository
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.showing import Showing
from app.effects.desk import EffectDesk
from app.effects.directory import directory_effects
from app.effects.holdings import ClientHoldings
from app.effects.mass_leaving import MassLeaving
from app.effects.purging import PurgeHistory
from app.effects.rights import Rights, rights_effects
from app.emergency.desk import EmergencyDesk, Stores
from app.emergency.repository import EMERGENCY
from app.engagements.repository import EngagementRepository
from app.engagements.service import EngagementService
from app.history.desk import HistoryDesk
from app.hr.desk import Personnel
from app.hr.fusing import limits_of
from app.hr.senders import Senders
from app.hr.subjects import People
from app.jobs.desk import JobDesk
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.notices.desk import NoticeDesk
from app.numbers.device_holding import DeviceNumbers
from app.numbers.holdings import NumberHoldings
from app.numbers.parting import NumberParting
from app.numbers.service import NumberService
from app.opening import limiter
from app.permissions.evidence import Evidence
from app.permissions.given import GivenRights
from app.permissions.marks import MarkRepository
from app.permissions.repository import GrantRepository
from app.policy.desk import PolicyDesk
from app.provisions.desk import ProvisionDesk
from app.reconciliations.desk import reconciliation_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """What is governed: the stores, who has accounts, what they hold, the cards, and what writes them."""

    settings: Settings
    signer: Signer
    key: Callable[[str], bytes]
    database: Database
    idempotency: Idempotency
    sealer: Sealer
    events: AccessLogRepository
    evidence: Evidence
    accounts: UserAccounts
    account_rows: AccountRepository
    clients: Clients
    client_rows: ClientRepository
    grants: GrantRepository
    loans: StandingLoans
    marks: MarkRepository
    contacts: ContactRepository
    members: MemberReader
    naming: Naming
    writer: ContactWriter
    departments: DepartmentService
    department_rows: DepartmentRepository
    device_rows: DeviceRepository
    engagements: EngagementService
    engagement_rows: EngagementRepository
    families: FamilyRepository
    numbers: NumberService
    parting_numbers: NumberParting


class Governing:
    """The desks, each made once."""

    def __init__(self, showing: Showing, over: Governed) -> None:
        """Take what every look shares, and what is governed."""
        settings, key, database, idempotency = over.settings, over.key, over.database, over.idempotency
        here = timedelta(minutes=settings.numbers.utc_offset_minutes)
        self.notices = NoticeDesk(
            showing,
            settings=settings,
            key=key,
            accounts=over.account_rows,
            addresses=MailAddresses(over.contacts, showing.gate, showing.standings),
            database=database,
            idempotency=idempotency,
        )
        self.calendar = CalendarDesk(
            settings.calendar,
            database=database,
            cursors=showing.cursors,
            idempotency=idempotency,
            clock=showing.clock,
            utc_offset=here,
            teller=self.notices.service,
        )
        calendars, chains, tells = self.calendar.calendars, load(), self.notices.service
        self.delegations = DelegationDesk(
            showing,
            key=key,
            contacts=over.contacts,
            accounts=over.account_rows,
            marks=over.marks,
            chains=chains,
            database=database,
            idempotency=idempotency,
            longest_days=settings.approvals.delegation_days,
            teller=DelegationNotices(tells),
        )
        self.rosters = RosterDesk(
            showing,
            signer=RowSigner(key("on_call_shift")),
            holders=CompanyOrganisation(over.contacts, over.accounts, over.department_rows),
            people=Acquaintances(over.contacts, showing.gate),
            idempotency=idempotency,
        )
        self.calling = CallingDesk(showing, signer=RowSigner(key("calling")), contacts=over.contacts)
        self.clocks = ClockDesk(
            showing,
            settings.deadlines,
            signer=RowSigner(key(DEADLINE)),
            contacts=over.contacts,
            organisation=CompanyOrganisation(over.contacts, over.accounts, over.department_rows),
            calendar=calendars,
            teller=tells,
            database=database,
            clock_here=here,
        )
        self.given = GivenRights(grants=over.grants, loans=over.loans, accounts=over.account_rows, clock=showing.clock)
        self.custody = CustodyDesk(
            RowSigner(key(CUSTODY)),
            accounts=over.accounts,
            loans=over.loans,
            clients=over.clients,
            organisation=CompanyOrganisation(over.contacts, over.accounts, over.department_rows),
            persons=self.delegations.persons,
            delegations=self.delegations.service,
            lines=self.calling.service,
            calendar=calendars,
            teller=tells,
            database=database,
            clock=showing.clock,
            handover_days=settings.approvals.handover_days,
        )
        self.devices = DeviceDesk(
            showing,
            rows=over.device_rows,
            key=key,
            contacts=over.contacts,
            organisation=CompanyOrganisation(over.contacts, over.accounts, over.department_rows),
            persons=self.delegations.persons,
            numbers=DeviceNumbers(over.numbers),
            calendar=calendars,
            teller=tells,
            database=database,
            limiter=limiter(settings, "client"),
            handover_days=settings.approvals.handover_days,
        )
        self.undertakings = UndertakingRows(RowSigner(key(UNDERTAKING)))
        self.departing = Departing(
            departments=Departments(
                service=over.departments,
                organisation=CompanyOrganisation(over.contacts, over.accounts, over.department_rows),
            ),
            accounts=Accounts(accounts=over.accounts, families=over.families, given=self.given),
            numbers=over.parting_numbers,
            book=DepartureBook(
                DepartureRepository(RowSigner(key(DEPARTURE))),
                contacts=over.contacts,
                writer=over.writer,
                calendar=calendars,
                teller=tells,
                database=database,
                clock=showing.clock,
                key=key("departure-number"),
                days=settings.deadlines.leaver_days,
            ),
            clock=showing.clock,
        )
        self.people = People(
            over.contacts,
            over.members,
            over.naming,
            over.writer,
            over.accounts,
            self.given,
            self.departing,
        )
        self.personnel = Personnel(
            self.people,
            Senders(showing.reader, over.account_rows, over.client_rows, showing.standings),
            tells,
            timedelta(hours=settings.hr.wait_hours),
            limits_of(settings.reconciliations),
        )
        self.changes = ChangeDesk(
            showing,
            database=database,
            contacts=over.contacts,
            boxes=over.writer.tracer,
            teller=tells,
            kept_days=settings.changes.kept_days,
        )
        self.jobs = JobDesk(showing, signer=RowSigner(key("job")), accounts=over.account_rows, clients=over.client_rows)
        self.policy = PolicyDesk(
            showing,
            signer=RowSigner(key("policy")),
            jobs=self.jobs.service,
            accounts=over.account_rows,
            contacts=over.contacts,
            database=database,
            idempotency=idempotency,
            clock_here=here,
            evidence=over.evidence,
        )
        self.provisions = ProvisionDesk(
            showing,
            key,
            database=database,
            contacts=over.contacts,
            accounts=over.account_rows,
            marks=over.marks,
            persons=self.delegations.persons,
            calendars=calendars,
            notices=tells,
        )
        self.history = HistoryDesk(
            showing,
            over.signer,
            kept=settings.contacts.history_quarters,
            utc_offset=here,
            holds=(OpenRequests(), self.provisions.rows),
        )
        rights = Rights(
            over.accounts,
            over.loans,
            over.clients,
            over.contacts,
            over.grants,
            over.marks,
            self.policy.service,
            self.provisions.service,
        )
        self.approvals = approval_desk(
            showing,
            chains=chains,
            key=key,
            sealer=over.sealer,
            database=database,
            idempotency=idempotency,
            contacts=over.contacts,
            accounts=over.accounts,
            departments=over.department_rows,
            effects=EffectDesk(
                rights_effects(showing, rights),
                {
                    "purge": PurgeHistory(self.history.purger, over.contacts, showing.standings),
                    "mass_leaving": MassLeaving(reconciliation_rows(key), showing.clock),
                },
                directory_effects(
                    showing,
                    self.people,
                    self.delegations,
                    sealer=over.sealer,
                    departments=over.departments,
                    engagements=over.engagement_rows,
                    calling=self.calling.rows,
                    custody=self.custody.rows,
                    devices=over.device_rows,
                    undertakings=self.undertakings,
                    book=self.departing.book,
                ),
            ),
            calendar=calendars,
            delegations=self.delegations,
            rosters=self.rosters,
            notices=tells,
            giving=over.numbers,
            calling=self.calling.service,
        )
        self.attachments = attachment_desk(
            showing, self.approvals, key=key, sealer=over.sealer, database=database, idempotency=idempotency
        )
        self.campaigns = CampaignDesk(
            showing,
            signer=RowSigner(key("campaign")),
            database=database,
            contacts=over.contacts,
            accounts=over.accounts,
            grants=over.grants,
            loans=over.loans,
            marks=over.marks,
            events=over.events,
            idempotency=idempotency,
            settings=settings.campaigns,
            clock_here=here,
            persons=self.delegations.persons,
            calendar=calendars,
            teller=tells,
            holdings=(
                NumberHoldings(over.numbers),
                ClientHoldings(over.clients, self.custody.rows, showing.clock),
            ),
        )
        self.emergency = EmergencyDesk(
            showing,
            RowSigner(key(EMERGENCY)),
            Stores(database, over.account_rows, over.contacts, over.events, over.sealer, idempotency),
            classes=CATALOGUE.classes,
            clock_here=here,
            calendars=calendars,
            teller=tells,
            persons=self.delegations.persons,
        )
        self.departing.complete(
            self.approvals.parting,
            steps(
                Domains(
                    customers=over.engagements,
                    devices=self.devices.handovers,
                    delegations=self.delegations.service,
                    lines=self.calling.service,
                    numbers=over.parting_numbers,
                    rosters=self.rosters,
                    emergency=self.emergency.parting,
                    clients=self.custody.handovers,
                    provisions=self.provisions.service,
                    campaigns=self.campaigns.parting,
                )
            ),
        )
        self.departures = DepartureDesk(
            showing,
            self.departing,
            undertakings=self.undertakings,
            contacts=over.contacts,
            idempotency=idempotency,
            eraser=eraser(
                Archived(
                    cards=CardArchive(over.contacts, over.sealer, over.writer.forms),
                    departures=self.departing.book.rows,
                    files=self.attachments.rows,
                    accounts=over.accounts,
                ),
                {"provision": self.provisions.rows, "emergency": self.emergency.rows},
                signer=over.signer,
                database=database,
                clock=showing.clock,
                utc_offset=here,
            ),
        )
