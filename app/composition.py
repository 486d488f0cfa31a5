"""The only wiring: from settings to an application that can serve, a worker that can work, a command that can open the store.

Everything is built once, in one place, by constructors; nothing anywhere else knows how a collaborator is made. ``open_application``
refuses a stale schema, unusable keys and a damaged head of the log.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from app import production
from app.api.department_keeping import DepartmentKeeper
from app.api.department_reading import DepartmentReader
from app.api.standing_desk import StandingDesk
from app.audit.events import EventDraft, FieldBits
from app.audit.intents import IntentMover
from app.audit.note import Signer
from app.audit.publication import CheckpointFile
from app.audit.repository import AccessLogRepository
from app.audit.terms import Terms
from app.audit.writer import AccessLog, Limits
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.guard import Authenticator
from app.auth.issuer import BuiltInIssuer
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.service import Directory, TokenPolicy, TokenService
from app.auth.sign_in_desk import SignInDesk
from app.auth.token_desk import TokenDesk
from app.auth.verifier import TokenLimits, TokenVerifier
from app.collection.desk import CollectionDesk, Shared
from app.config import Settings
from app.contacts.covering import cover_all
from app.contacts.desk import FrontDesk
from app.contacts.fields import CATALOGUE
from app.contacts.finding import ContactFinder
from app.contacts.keeping import ContactKeeper
from app.contacts.listing import ContactLists
from app.contacts.members import MemberReader
from app.contacts.repository import ContactRepository
from app.contacts.schemas import ContactAmend
from app.contacts.service import ContactService
from app.contacts.suggestions import SuggestionService
from app.contacts.writer import ContactWriter
from app.crypto.bootstrap import init_keys, load_keyring
from app.crypto.keyring import Keyring, Opener
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.signing import TokenKeys, load_log_signer, load_token_keys
from app.crypto.stored import ensure_key
from app.departments.repository import DepartmentRepository
from app.departments.service import DepartmentService
from app.disclosure.gate import Gate
from app.disclosure.log_access import LogAccess
from app.disclosure.log_export import AccessLogExports
from app.disclosure.log_names import EventNames
from app.disclosure.log_reader import AccessLogReader
from app.disclosure.log_summary import AccessLogSummaries
from app.disclosure.programs import Programs
from app.disclosure.showing import Showing
from app.engagements.desk import EngagementDesk
from app.engagements.repository import EngagementRepository
from app.hr.applying import Applier
from app.hr.reading import LedgerReader, LookKeys
from app.hr.repository import HrLedger
from app.hr.service import HrService, LedgerKeys
from app.hr.subjects import People, Subjects
from app.jobs.desk import JobDesk
from app.jobs.registry import HANDLERS
from app.kit.clock import Clock, SystemClock
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.kit.migrate import ensure_current
from app.kit.outbox import Outbox
from app.kit.pagination import Cursors
from app.lookups.desk import LookupDesk
from app.lookups.service import REASONS
from app.numbers.desk import NumberDesk
from app.opening import (
    check_log,
    collection_forms,
    daily_quotas,
    first_pack,
    key_provider,
    limiter,
    log_store,
    token_desk,
    trust,
)
from app.permissions.marks import MarkRepository
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings
from app.permissions.versions import Packs, VersionRepository
from app.policy.desk import PolicyDesk
from app.policy.founding import found_policy
from app.policy.keeping import NothingApproved

BITS: Final = FieldBits(CATALOGUE.logged)
LOGGED_FIELDS: Final = frozenset(
    {*(field.name for field in CATALOGUE.public), *CATALOGUE.logged, *ContactAmend.model_fields}
)
"""What events tell of a contact: the fields of a card, and whatever else a write can change."""
FRONT_END: Final = "intranet"

_log = structlog.get_logger("duanhao.security")


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
    jobs: JobDesk
    accounts: UserAccounts
    account_rows: AccountRepository
    clients: Clients
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
    hr: HrService
    hr_ledger: LedgerReader
    numbers: NumberDesk
    lookups: LookupDesk
    collection: CollectionDesk
    events: AccessLogRepository
    log_reader: AccessLogReader
    log_summaries: AccessLogSummaries
    log_exports: AccessLogExports
    idempotency: Idempotency

    async def record(self, draft: EventDraft) -> None:
        """Put an event of an operator or a refusal on record."""
        await self.log.record(draft)


@asynccontextmanager
async def open_application(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Application]:
    """Open the stores and build everything; close it all when the block ends.

    Raises ``ProductionRefused``, ``StaleSchema``, ``KeyUnavailable``, ``LogDamaged`` and ``LogUnavailable``; a process that cannot do all
    of its work does none.
    """
    now = clock or SystemClock()
    production.require(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        database = Database(settings)
        stack.push_async_callback(database.close)
        await ensure_current(settings, database)
        provider = key_provider(settings)
        async with database.unit_of_work() as unit:
            await init_keys(unit.session, provider, clock=now)
        async with database.unit_of_work() as unit:
            keyring = await load_keyring(
                unit.session, provider, cache_size=settings.keys.cache_size, cache_ttl=settings.keys.cache_ttl_seconds
            )
            signer = Signer(settings.audit.origin, await load_log_signer(unit.session, keyring))
            token_keys = await load_token_keys(unit.session, keyring)
            await ensure_key(unit.session, Sealer(keyring), REASONS, at=now.now())
        log = AccessLog(
            log_store(settings, database, signer, now),
            bits=BITS,
            limits=Limits(
                deadline=settings.audit.deadline_seconds,
                permit_lifetime=settings.audit.permit_seconds,
                max_batch=settings.audit.batch_size,
            ),
            checkpoints=CheckpointFile(settings.checkpoint_file),
        )
        await check_log(settings, database, signer)
        await log.start()
        stack.push_async_callback(log.stop)
        application = _assembled(
            settings, now, database, keyring=keyring, log=log, signer=signer, token_keys=token_keys
        )
        stack.callback(application.sign_in.close)
        await cover_all(database, application.contact_rows, application.sealer)
        await found_policy(database, application.policy.service, lambda: first_pack(settings))
        await trust(stack, settings, now, issuer=application.tokens.issuer, verifier=application.verifier)
        yield application


def _assembled(
    settings: Settings,
    clock: Clock,
    database: Database,
    *,
    keyring: Keyring,
    log: AccessLog,
    signer: Signer,
    token_keys: TokenKeys,
) -> Application:
    reader, sealer, opener = database.reader, Sealer(keyring), Opener(keyring)
    clock_here = timedelta(minutes=settings.numbers.utc_offset_minutes)
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
    verifier = TokenVerifier(
        accounts=account_rows,
        clients=client_rows,
        reader=reader,
        clock=clock,
        limits=TokenLimits(settings.tokens.leeway_seconds, settings.tokens.max_bytes, settings.tokens.cache_size),
    )
    accounts = UserAccounts(accounts=account_rows, clients=client_rows, clock=clock, changed=verifier.forget)
    clients = Clients(clients=client_rows, accounts=account_rows, clock=clock, changed=verifier.forget)
    tokens = TokenService(
        issuer=BuiltInIssuer(
            issuer=settings.tokens.issuer, audience=settings.tokens.audience, keys=token_keys, clock=clock
        ),
        verifier=verifier,
        directory=Directory(accounts, clients, reader),
        clock=clock,
        policy=TokenPolicy(settings.tokens.access_ttl_seconds, settings.env == "production", FRONT_END),
    )
    standings = Standings(
        reader=reader,
        accounts=account_rows,
        clients=client_rows,
        departments=department_rows,
        grants=grants,
        marks=marks,
        contacts=contact_rows,
        engagements=engagement_rows,
        packs=packs,
        clock=clock,
        clock_here=clock_here,
    )
    quotas = daily_quotas(settings, clock)
    cursors, terms = Cursors(keyring.mac_key("cursor")), Terms(keyring.mac_key("search-terms"))
    sign_in = SignInDesk(
        database=database,
        accounts=accounts,
        account_rows=account_rows,
        clients=clients,
        tokens=tokens,
        masks=terms,
        clock=clock,
        key=keyring.mac_key,
        forget=verifier.forget,
        settings=settings,
    )
    gate = Gate(
        log=log,
        opener=opener,
        programs=Programs(CATALOGUE, BITS),
        quotas=quotas,
        version_key=keyring.mac_key("card-version"),
        clock=clock,
    )
    events = AccessLogRepository(database.log_reader, indexed=log.complete_index)
    names = EventNames(contacts=contact_rows, clients=client_rows, reader=reader)
    log_access = LogAccess(
        events=events, names=names, gate=gate, standings=standings, fields=LOGGED_FIELDS, masked=terms.masked
    )
    members = MemberReader(contact_rows, region=settings.contacts.default_region, forms=forms)
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
        reader=reader,
        idempotency=idempotency,
        clock=clock,
        utc_offset=clock_here,
    )
    shared = Shared(log_access, contact_rows, writer, sealer, reader, cursors, idempotency, clock)
    collection = CollectionDesk(RowSigner(keyring.mac_key("privacy_notice")), shared)
    engagements = EngagementDesk(
        rows=engagement_rows,
        contacts=contact_rows,
        writer=writer,
        accounts=account_rows,
        access=log_access,
        cursors=cursors,
        terms=terms,
        reader=reader,
        idempotency=idempotency,
        clock=clock,
    )
    people = People(contact_rows, members, writer, accounts, grants, engagements.service)
    subjects = Subjects(people)
    ledger_keys = LedgerKeys(subject=keyring.mac_key("hr-subject"), body=keyring.mac_key("hr-body"))
    showing = Showing(gate=gate, standings=standings, cursors=cursors, reader=reader, clock=clock)
    jobs = JobDesk(showing, signer=RowSigner(keyring.mac_key("job")), accounts=account_rows, clients=client_rows)
    policy = PolicyDesk(
        showing,
        signer=policy_signer,
        approved=NothingApproved(),
        jobs=jobs.service,
        accounts=account_rows,
        contacts=contact_rows,
        database=database,
        idempotency=idempotency,
        clock_here=clock_here,
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
        outbox=Outbox(database, clock, HANDLERS),
        packs=packs,
        policy=policy,
        jobs=jobs,
        accounts=accounts,
        account_rows=account_rows,
        clients=clients,
        department_rows=department_rows,
        departments=departments,
        department_reader=department_reader,
        department_keeper=DepartmentKeeper(reader=department_reader, service=departments, idempotency=idempotency),
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
        authenticator=Authenticator(verifier, people=limiter(settings, "person"), clients=limiter(settings, "client")),
        tokens=tokens,
        sign_in=sign_in,
        token_desk=token_desk(
            settings,
            database,
            clock,
            tokens=tokens,
            verifier=verifier,
            accounts=account_rows,
            clients=clients,
            vault=keyring,
            refresh=sign_in.grants,
        ),
        cursors=cursors,
        terms=terms,
        gate=gate,
        contact_rows=contact_rows,
        contact_writer=writer,
        contacts=contacts,
        suggestions=SuggestionService(lists=lists, gate=gate, standings=standings, terms=terms),
        keeper=ContactKeeper(
            service=contacts,
            writer=writer,
            members=members,
            gate=gate,
            numbers=numbers.service,
            engagements=engagements.service,
            idempotency=idempotency,
        ),
        engagements=engagements,
        front=FrontDesk(
            repository=contact_rows,
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
        ),
        hr=HrService(
            ledger=HrLedger(),
            applier=Applier(
                people=people, subjects=subjects, numbers=numbers.service, departments=departments, clock=clock
            ),
            subjects=subjects,
            members=members,
            sealer=sealer,
            keys=ledger_keys,
            clock=clock,
        ),
        hr_ledger=LedgerReader(
            ledger=HrLedger(),
            subjects=subjects,
            reader=reader,
            gate=gate,
            standings=standings,
            keys=LookKeys(ledger_keys, terms, cursors),
        ),
        numbers=numbers,
        lookups=lookups,
        collection=collection,
        events=events,
        log_reader=AccessLogReader(access=log_access, cursors=cursors),
        log_summaries=AccessLogSummaries(access=log_access, clock=clock),
        log_exports=AccessLogExports(access=log_access),
        idempotency=idempotency,
    )
