"""How every collaborator is made, once, by constructors; nothing anywhere else knows.

Reads top to bottom: keys and rows, who callers are, the gate, then domain by domain, each as one desk where it has several services.
"""

from datetime import timedelta
from typing import Final

from app.admitting import admitted
from app.api.department_keeping import DepartmentKeeper
from app.api.department_reading import DepartmentReader
from app.api.standing_desk import StandingDesk
from app.application import Application
from app.approvals.persons import Persons
from app.audit.events import FieldBits
from app.audit.intents import IntentMover
from app.audit.note import Signer
from app.audit.repository import AccessLogRepository
from app.audit.writer import AccessLog
from app.auth.loans import StandingLoans
from app.auth.repository import AccountRepository, ClientRepository
from app.collection.desk import CollectionDesk, Shared
from app.config import Settings
from app.contacts.desk import FrontDesk
from app.contacts.fields import CATALOGUE
from app.contacts.finding import ContactFinder
from app.contacts.headcount import HeadCount
from app.contacts.jobs import TAG_AGAIN
from app.contacts.keeping import ContactKeeper
from app.contacts.listing import ContactLists
from app.contacts.members import MemberReader
from app.contacts.naming import Naming
from app.contacts.repository import ContactRepository
from app.contacts.schemas import ContactAmend
from app.contacts.service import ContactService
from app.contacts.suggestions import SuggestionService
from app.contacts.tracing import BOX, CardTracer
from app.contacts.writer import ContactWriter
from app.crypto.keyring import Keyring, Opener
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.signing import TokenKeys
from app.departments.repository import DepartmentRepository
from app.departments.service import DepartmentService
from app.devices.repository import DeviceRepository
from app.disclosure.gate import Gate
from app.disclosure.log_access import LogAccess
from app.disclosure.log_export import AccessLogExports
from app.disclosure.log_names import EventNames
from app.disclosure.log_reader import AccessLogReader
from app.disclosure.log_summary import AccessLogSummaries
from app.disclosure.programs import Programs
from app.disclosure.showing import Showing
from app.emergency.repository import EMERGENCY, EmergencyRepository
from app.engagements.desk import EngagementDesk
from app.engagements.repository import EngagementRepository
from app.governing import Governed, Governing
from app.hr.desk import HrDesk
from app.hr.repository import HrLedger
from app.jobs.booking import JobBook
from app.jobs.registry import HANDLERS
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.kit.outbox import Outbox
from app.kit.pagination import Cursors
from app.lookups.desk import LookupDesk
from app.notices.ledger import NoticeLedger
from app.notices.service import Notices
from app.numbers.desk import NumberDesk
from app.opening import collection_forms, daily_quotas, limiter
from app.permissions.evidence import Evidence
from app.permissions.marks import MarkRepository
from app.permissions.parts import PartReader
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings
from app.permissions.versions import Packs, VersionRepository
from app.phonebooks.desk import PhonebookDesk
from app.reconciliations.desk import ReconciliationDesk
from app.rosters.desk import import_desk
from app.switching.desk import SwitchingDesk

BITS: Final = FieldBits(CATALOGUE.logged)
LOGGED_FIELDS: Final = frozenset(
    {*(field.name for field in CATALOGUE.public), *CATALOGUE.logged, *ContactAmend.model_fields}
)
"""What events tell of a contact: the fields of a card, and whatever else a write can change."""


def assembled(
    settings: Settings,
    clock: Clock,
    database: Database,
    *,
    keyring: Keyring,
    log: AccessLog,
    signer: Signer,
    token_keys: TokenKeys,
) -> Application:
    """Build the application over open stores, an open keyring and a running log."""
    clock_here = timedelta(minutes=settings.numbers.utc_offset_minutes)
    reader, sealer, opener = database.reader, Sealer(keyring, utc_offset=clock_here), Opener(keyring)
    policy_signer = RowSigner(keyring.mac_key("policy"))
    packs = Packs(VersionRepository(policy_signer))
    forms = collection_forms(settings)
    account_rows = AccountRepository(RowSigner(keyring.mac_key("user_account")))
    client_rows = ClientRepository(RowSigner(keyring.mac_key("client")))
    department_rows = DepartmentRepository(RowSigner(keyring.mac_key("department")))
    grants = GrantRepository(RowSigner(keyring.mac_key("access_grant")), CATALOGUE.classes)
    marks = MarkRepository(RowSigner(keyring.mac_key("standing_mark")))
    contact_rows = ContactRepository(reader, sealer)
    engagement_rows = EngagementRepository(RowSigner(keyring.mac_key("engagement")))
    admission = admitted(
        settings,
        database,
        clock,
        key=keyring.mac_key,
        vault=keyring,
        token_keys=token_keys,
        accounts=account_rows,
        clients=client_rows,
    )
    accounts, clients, verifier = admission.accounts, admission.clients, admission.verifier
    device_rows = DeviceRepository(RowSigner(keyring.mac_key("device")))
    loans = StandingLoans(accounts=accounts, signer=RowSigner(keyring.mac_key("standing_loan")))
    standings = Standings(
        reader=reader,
        parts=PartReader(
            accounts=account_rows,
            clients=client_rows,
            contacts=contact_rows,
            grants=grants,
            marks=marks,
            loans=loans,
            engagements=engagement_rows,
            emergencies=EmergencyRepository(RowSigner(keyring.mac_key(EMERGENCY))),
        ),
        clients=client_rows,
        departments=department_rows,
        devices=device_rows,
        packs=packs,
        clock=clock,
        clock_here=clock_here,
    )
    quotas = daily_quotas(settings, clock)
    cursors, terms = Cursors(keyring.mac_key("cursor")), admission.terms
    evidence = Evidence(database, clock)
    gate = Gate(
        log=log,
        opener=opener,
        programs=Programs(CATALOGUE, BITS),
        quotas=quotas,
        evidence=evidence,
        version_key=keyring.mac_key("card-version"),
        clock=clock,
    )
    events = AccessLogRepository(database.log_reader, indexed=log.complete_index)
    names = EventNames(contacts=contact_rows, clients=client_rows, reader=reader)
    log_access = LogAccess(
        events=events, names=names, gate=gate, standings=standings, fields=LOGGED_FIELDS, masked=terms.masked
    )
    members = MemberReader(contact_rows, region=settings.contacts.default_region, forms=forms)
    naming = Naming(contacts=contact_rows, gate=gate)
    lookups = LookupDesk(
        database=database,
        repository=contact_rows,
        gate=gate,
        standings=standings,
        sealer=sealer,
        keys=keyring,
        terms=terms,
        clock=clock,
        settings=settings.lookups,
        region=settings.contacts.default_region,
        utc_offset=clock_here,
    )
    writer = ContactWriter(
        repository=contact_rows,
        members=members,
        sealer=sealer,
        accounts=accounts,
        tagger=lookups.tagger,
        tracer=CardTracer(keyring.mac_key(BOX)),
        clock=clock,
    )
    lists = ContactLists(contact_rows, ContactFinder(reader, contact_rows))
    contacts = ContactService(
        repository=contact_rows,
        lists=lists,
        gate=gate,
        standings=standings,
        cursors=cursors,
        terms=terms,
        sealer=sealer,
        forms=forms,
    )
    idempotency = Idempotency(database, keyring.mac_key("idempotency"), clock)
    departments = DepartmentService(department_rows, clock, region=settings.contacts.default_region)
    department_reader = DepartmentReader(
        contacts=contact_rows, gate=gate, standings=standings, cursors=cursors, terms=terms
    )
    numbers = NumberDesk(
        contacts=contact_rows,
        writer=writer,
        gate=gate,
        standings=standings,
        cursors=cursors,
        database=database,
        idempotency=idempotency,
        jobs=JobBook(RowSigner(keyring.mac_key("job")), clock),
        teller=Notices(NoticeLedger(RowSigner(keyring.mac_key("notice"))), clock),
        announced=HrLedger(),
        reference_key=keyring.mac_key("number-reference"),
        clock=clock,
        utc_offset=clock_here,
        longest_hold=timedelta(minutes=settings.numbers.longest_hold_minutes),
    )
    shared = Shared(log_access, contact_rows, writer, sealer, reader, cursors, idempotency, clock)
    collection = CollectionDesk(RowSigner(keyring.mac_key("privacy_notice")), shared)
    engagements = EngagementDesk(
        rows=engagement_rows,
        contacts=contact_rows,
        writer=writer,
        accounts=account_rows,
        access=log_access,
        persons=Persons(RowSigner(keyring.mac_key("person_link")), clock),
        cursors=cursors,
        terms=terms,
        reader=reader,
        idempotency=idempotency,
        clock=clock,
    )
    showing = Showing(gate=gate, standings=standings, cursors=cursors, reader=reader, clock=clock)
    governing = Governing(
        showing,
        Governed(
            settings=settings,
            signer=signer,
            key=keyring.mac_key,
            database=database,
            idempotency=idempotency,
            sealer=sealer,
            events=events,
            evidence=evidence,
            accounts=accounts,
            account_rows=account_rows,
            clients=clients,
            client_rows=client_rows,
            grants=grants,
            loans=loans,
            marks=marks,
            contacts=contact_rows,
            members=members,
            naming=naming,
            writer=writer,
            departments=departments,
            department_rows=department_rows,
            device_rows=device_rows,
            engagements=engagements.service,
            engagement_rows=engagement_rows,
            families=admission.sign_in.families,
            numbers=numbers.service,
            parting_numbers=numbers.parting,
        ),
    )
    hr = HrDesk(
        showing,
        governing.personnel,
        database=database,
        members=members,
        numbers=numbers.personnel,
        departments=departments,
        sealer=sealer,
        terms=terms,
        key=keyring.mac_key,
        clients=client_rows,
        clocks=governing.clocks.service,
        clock=clock,
    )
    governing.departures.eraser.complete("personnel_event", hr.traces)
    heads = ReconciliationDesk(
        showing, settings.reconciliations, hr.service, governing, database, idempotency, sealer, keyring.mac_key
    )
    keeper = ContactKeeper(
        service=contacts,
        writer=writer,
        members=members,
        naming=naming,
        gate=gate,
        parting=governing.departing,
        persons=governing.delegations.persons,
        idempotency=idempotency,
        heads=HeadCount(sealer),
    )
    return Application(
        settings=settings,
        clock=clock,
        database=database,
        keyring=keyring,
        sealer=sealer,
        opener=opener,
        log=log,
        log_signer=signer,
        mover=IntentMover(database, log, BITS),
        outbox=Outbox(database, clock, {**HANDLERS, TAG_AGAIN: lookups.retagger.asked}),
        packs=packs,
        policy=governing.policy,
        approvals=governing.approvals,
        attachments=governing.attachments,
        notices=governing.notices,
        calendar=governing.calendar,
        clocks=governing.clocks,
        delegations=governing.delegations,
        departures=governing.departures,
        rosters=governing.rosters,
        calling=governing.calling,
        switching=SwitchingDesk(
            showing, database=database, privileges=governing.calling.rows, contacts=contact_rows, devices=device_rows
        ),
        campaigns=governing.campaigns,
        custody=governing.custody,
        emergency=governing.emergency,
        history=governing.history,
        provisions=governing.provisions,
        jobs=governing.jobs,
        imports=import_desk(
            showing, settings.contacts, numbers, keeper, contact_rows, governing, database, idempotency, keyring.mac_key
        ),
        accounts=accounts,
        account_rows=account_rows,
        clients=clients,
        loans=loans,
        devices=governing.devices,
        department_rows=department_rows,
        departments=departments,
        department_reader=department_reader,
        department_keeper=DepartmentKeeper(
            reader=department_reader,
            service=departments,
            persons=governing.delegations.persons,
            idempotency=idempotency,
        ),
        grants=grants,
        marks=marks,
        standing=StandingDesk(
            accounts=accounts,
            grants=grants,
            contacts=contact_rows,
            access=log_access,
            reader=reader,
            cursors=cursors,
            clock=clock,
        ),
        standings=standings,
        verifier=verifier,
        authenticator=admission.authenticator,
        tokens=admission.tokens,
        sign_in=admission.sign_in,
        token_desk=admission.token_desk,
        cursors=cursors,
        terms=terms,
        gate=gate,
        contact_rows=contact_rows,
        contact_writer=writer,
        contacts=contacts,
        suggestions=SuggestionService(lists=lists, gate=gate, standings=standings, terms=terms),
        keeper=keeper,
        engagements=engagements,
        front=FrontDesk(
            repository=contact_rows,
            lists=lists,
            service=contacts,
            writer=writer,
            access=log_access,
            sealer=sealer,
            reader=reader,
            cursors=cursors,
            terms=terms,
            idempotency=idempotency,
            marks=marks,
            quotas=quotas,
            clock=clock,
            notices=collection.notices,
            issuer=settings.tokens.issuer,
        ),
        hr=hr,
        reconciliations=heads,
        numbers=numbers,
        pool_alarms=numbers.alarms(database, governing.notices.service),
        number_sweep=numbers.sweeper(database, governing.notices.service),
        lookups=lookups,
        phonebooks=PhonebookDesk(showing, contact_rows, device_rows, terms, limiter(settings, "caller_names")),
        changes=governing.changes,
        collection=collection,
        events=events,
        log_reader=AccessLogReader(access=log_access, cursors=cursors),
        log_summaries=AccessLogSummaries(access=log_access, clock=clock),
        log_exports=AccessLogExports(access=log_access),
        idempotency=idempotency,
    )
