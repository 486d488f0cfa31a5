"""Everything that a process needs, as one value: what routes, commands and the worker ask for by name.

How each part is made is the business of ``assembly``, when it may run that of ``composition``.
"""

from dataclasses import dataclass

import structlog

from app.api.calendar_desk import CalendarDesk
from app.api.department_keeping import DepartmentKeeper
from app.api.department_reading import DepartmentReader
from app.api.standing_desk import StandingDesk
from app.approvals.delegation_desk import DelegationDesk
from app.approvals.desk import ApprovalDesk
from app.approvals.rosters import RosterDesk
from app.attachments.desk import AttachmentDesk
from app.audit.events import EventDraft
from app.audit.intents import IntentMover
from app.audit.note import Signer
from app.audit.repository import AccessLogRepository
from app.audit.terms import Terms
from app.audit.writer import AccessLog
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.guard import Authenticator
from app.auth.loans import StandingLoans
from app.auth.repository import AccountRepository
from app.auth.service import TokenService
from app.auth.sign_in_desk import SignInDesk
from app.auth.token_desk import TokenDesk
from app.auth.verifier import TokenVerifier
from app.calling.desk import CallingDesk
from app.campaigns.desk import CampaignDesk
from app.changes.desk import ChangeDesk
from app.clocks.desk import ClockDesk
from app.collection.desk import CollectionDesk
from app.config import Settings
from app.contacts.desk import FrontDesk
from app.contacts.keeping import ContactKeeper
from app.contacts.repository import ContactRepository
from app.contacts.service import ContactService
from app.contacts.suggestions import SuggestionService
from app.contacts.writer import ContactWriter
from app.crypto.keyring import Keyring, Opener
from app.crypto.sealer import Sealer
from app.custody.desk import CustodyDesk
from app.departments.repository import DepartmentRepository
from app.departments.service import DepartmentService
from app.departures.desk import DepartureDesk
from app.devices.desk import DeviceDesk
from app.disclosure.gate import Gate
from app.disclosure.log_export import AccessLogExports
from app.disclosure.log_reader import AccessLogReader
from app.disclosure.log_summary import AccessLogSummaries
from app.emergency.desk import EmergencyDesk
from app.engagements.desk import EngagementDesk
from app.history.desk import HistoryDesk
from app.hr.desk import HrDesk
from app.imports.desk import ImportDesk
from app.jobs.desk import JobDesk
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Problem
from app.kit.idempotency import Idempotency
from app.kit.outbox import Outbox
from app.kit.pagination import Cursors
from app.lookups.desk import LookupDesk
from app.notices.desk import NoticeDesk
from app.numbers.alarms import PoolAlarms
from app.numbers.desk import NumberDesk
from app.numbers.sweeping import NumberSweep
from app.permissions.marks import MarkRepository
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings
from app.permissions.versions import Packs
from app.phonebooks.desk import PhonebookDesk
from app.policy.desk import PolicyDesk
from app.provisions.desk import ProvisionDesk
from app.reconciliations.desk import ReconciliationDesk
from app.switching.desk import SwitchingDesk

_log = structlog.get_logger("duanhao")


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that a process needs, built."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    sealer: Sealer
    opener: Opener
    log: AccessLog
    log_signer: Signer
    mover: IntentMover
    outbox: Outbox
    packs: Packs
    policy: PolicyDesk
    approvals: ApprovalDesk
    attachments: AttachmentDesk
    jobs: JobDesk
    imports: ImportDesk
    accounts: UserAccounts
    account_rows: AccountRepository
    clients: Clients
    loans: StandingLoans
    department_rows: DepartmentRepository
    departments: DepartmentService
    department_reader: DepartmentReader
    department_keeper: DepartmentKeeper
    grants: GrantRepository
    marks: MarkRepository
    standing: StandingDesk
    standings: Standings
    verifier: TokenVerifier
    authenticator: Authenticator
    tokens: TokenService
    sign_in: SignInDesk
    token_desk: TokenDesk
    cursors: Cursors
    terms: Terms
    gate: Gate
    contact_rows: ContactRepository
    contact_writer: ContactWriter
    contacts: ContactService
    suggestions: SuggestionService
    keeper: ContactKeeper
    front: FrontDesk
    engagements: EngagementDesk
    delegations: DelegationDesk
    departures: DepartureDesk
    devices: DeviceDesk
    rosters: RosterDesk
    emergency: EmergencyDesk
    provisions: ProvisionDesk
    hr: HrDesk
    reconciliations: ReconciliationDesk
    numbers: NumberDesk
    pool_alarms: PoolAlarms
    number_sweep: NumberSweep
    lookups: LookupDesk
    phonebooks: PhonebookDesk
    notices: NoticeDesk
    changes: ChangeDesk
    collection: CollectionDesk
    calendar: CalendarDesk
    calling: CallingDesk
    clocks: ClockDesk
    switching: SwitchingDesk
    campaigns: CampaignDesk
    history: HistoryDesk
    custody: CustodyDesk
    events: AccessLogRepository
    log_reader: AccessLogReader
    log_summaries: AccessLogSummaries
    log_exports: AccessLogExports
    idempotency: Idempotency

    async def prepare(self) -> None:
        """Do beforehand what the first callers would wait for; what cannot be read now is told to them when they come."""
        self.contact_rows.prepare()
        try:
            await self.verifier.prepare()
            await self.standings.prepare()
        except Problem as problem:
            _log.warning("not_prepared", problem=problem.code)

    async def record(self, draft: EventDraft) -> None:
        """Put an event of an operator or a refusal on record."""
        await self.log.record(draft)
