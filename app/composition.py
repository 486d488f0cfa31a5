"""The only wiring: from settings to an application that can serve, a worker that can work, a command that can open the store.

Everything is built once, in one place, by constructors; nothing anywhere else knows how a collaborator is made. ``Application.open``
refuses a stale schema, unusable keys and a damaged head of the log.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from app.api.department_keeping import DepartmentKeeper
from app.api.department_reading import DepartmentReader
from app.audit.events import EventDraft, FieldBits
from app.audit.intents import IntentMover
from app.audit.note import Signer
from app.audit.postgres_store import PostgresLogStore
from app.audit.publication import CheckpointFile, newest_note
from app.audit.repository import AccessLogRepository
from app.audit.sources import PostgresSource, SqliteSource
from app.audit.sqlite_store import SqliteLogStore
from app.audit.stores import LogStore
from app.audit.terms import Terms
from app.audit.verification import check_head
from app.audit.writer import AccessLog, Limits
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.external import RemoteKeys, new_client
from app.auth.guard import Authenticator
from app.auth.issuer import BuiltInIssuer
from app.auth.profile import built_in, external
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.service import Directory, TokenPolicy, TokenService
from app.auth.verifier import TokenLimits, TokenVerifier
from app.config import Settings
from app.contacts.fields import CATALOGUE
from app.contacts.keeping import ContactKeeper
from app.contacts.members import MemberReader
from app.contacts.repository import ContactRepository
from app.contacts.service import ContactService
from app.contacts.writer import ContactWriter
from app.crypto.bootstrap import init_keys, load_keyring
from app.crypto.keyring import Keyring, Opener
from app.crypto.providers import EnvProvider, FileProvider, KeyProvider
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.signing import TokenKeys, load_log_signer, load_token_keys
from app.departments.repository import DepartmentRepository
from app.departments.service import DepartmentService
from app.disclosure.gate import Gate
from app.disclosure.log_reader import AccessLogReader
from app.disclosure.programs import Programs
from app.hr.repository import HrLedger
from app.hr.service import HrService, LedgerKeys, People
from app.jobs.registry import HANDLERS
from app.kit.clock import Clock, SystemClock
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.kit.migrate import ensure_current
from app.kit.outbox import Outbox
from app.kit.pagination import Cursors
from app.permissions.pack import Pack, load, load_file
from app.permissions.repository import GrantRepository
from app.permissions.standing import Standings

BITS: Final = FieldBits([field.name for field in CATALOGUE.protected])
FRONT_END: Final = "intranet"

_log = structlog.get_logger("duanhao.security")


def key_provider(settings: Settings) -> KeyProvider:
    """Give who holds the root key; a development store makes its own on first start."""
    match settings.keys.provider:
        case "file":
            return FileProvider(
                settings.root_key_file, create=settings.env == "development" and settings.keys.file is None
            )
        case "env":
            return EnvProvider(settings.keys.variable)


def policy_pack(settings: Settings) -> Pack:
    """Give the pack in force."""
    return load_file(settings.policy.file) if settings.policy.file else load(settings.policy.profile)


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
    pack: Pack
    accounts: UserAccounts
    account_rows: AccountRepository
    clients: Clients
    department_rows: DepartmentRepository
    departments: DepartmentService
    department_reader: DepartmentReader
    department_keeper: DepartmentKeeper
    grants: GrantRepository
    standings: Standings
    verifier: TokenVerifier
    authenticator: Authenticator
    tokens: TokenService
    cursors: Cursors
    terms: Terms
    gate: Gate
    contact_rows: ContactRepository
    contact_writer: ContactWriter
    contacts: ContactService
    keeper: ContactKeeper
    hr: HrService
    events: AccessLogRepository
    log_reader: AccessLogReader
    idempotency: Idempotency

    async def record(self, draft: EventDraft) -> None:
        """Put an event of an operator or a refusal on record."""
        await self.log.record(draft)


@asynccontextmanager
async def open_application(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Application]:
    """Open the stores and build everything; close it all when the block ends.

    Raises ``StaleSchema``, ``KeyUnavailable``, ``LogDamaged`` and ``LogUnavailable``; a process that cannot do all of its work does none.
    """
    now = clock or SystemClock()
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
        log = AccessLog(
            _log_store(settings, database, signer, now),
            bits=BITS,
            limits=Limits(
                deadline=settings.audit.deadline_seconds,
                permit_lifetime=settings.audit.permit_seconds,
                max_batch=settings.audit.batch_size,
            ),
            checkpoints=CheckpointFile(settings.checkpoint_file),
        )
        await check_head(
            SqliteSource(database.log_path) if database.dsn is None else PostgresSource(database.dsn),
            verifier=signer.verifier(),
            published=await asyncio.to_thread(newest_note, settings.checkpoint_file),
        )
        await log.start()
        stack.push_async_callback(log.stop)
        application = _assembled(
            settings, now, database, keyring=keyring, log=log, signer=signer, token_keys=token_keys
        )
        await _trust(stack, application)
        yield application


async def _trust(stack: AsyncExitStack, application: Application) -> None:
    settings = application.settings
    profiles = [built_in(application.tokens.issuer)]
    if settings.tokens.external:
        client = await stack.enter_async_context(new_client())
        for each in settings.tokens.external:
            keys = RemoteKeys(
                each.jwks_url,
                client=client,
                clock=application.clock,
                production=settings.env == "production",
                changed=application.verifier.forget,
            )
            profiles.append(external(each, keys))
    application.verifier.trust(profiles)


def _log_store(settings: Settings, database: Database, signer: Signer, clock: Clock) -> LogStore:
    deadline = settings.audit.deadline_seconds
    wait = min(settings.database.lock_timeout_ms / 1000, deadline * 0.75)
    if database.dsn is not None:
        return PostgresLogStore(database.dsn, signer=signer, clock=clock, timeout=deadline, lock_seconds=wait)
    return SqliteLogStore(
        database.log_path, business_path=database.business_path, signer=signer, clock=clock, busy_seconds=wait
    )


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
    pack = policy_pack(settings)
    account_rows = AccountRepository(RowSigner(keyring.mac_key("user_account")))
    client_rows = ClientRepository(RowSigner(keyring.mac_key("client")))
    department_rows = DepartmentRepository(RowSigner(keyring.mac_key("department")))
    grants = GrantRepository(RowSigner(keyring.mac_key("access_grant")), CATALOGUE.classes)
    contact_rows = ContactRepository(reader, sealer)
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
        contacts=contact_rows,
        pack=pack,
        clock=clock,
    )
    cursors, terms = Cursors(keyring.mac_key("cursor")), Terms(keyring.mac_key("search-terms"))
    gate = Gate(
        log=log,
        opener=opener,
        programs=Programs(CATALOGUE, BITS),
        version_key=keyring.mac_key("card-version"),
        clock=clock,
    )
    events = AccessLogRepository(database.log_reader)
    members = MemberReader(
        contact_rows, region=settings.contacts.default_region, sensitive=frozenset(settings.contacts.collect_sensitive)
    )
    writer = ContactWriter(repository=contact_rows, members=members, sealer=sealer, accounts=accounts, clock=clock)
    contacts = ContactService(
        repository=contact_rows, gate=gate, standings=standings, cursors=cursors, terms=terms, sealer=sealer
    )
    idempotency = Idempotency(database, keyring.mac_key("idempotency"), clock)
    departments = DepartmentService(department_rows, clock, region=settings.contacts.default_region)
    department_reader = DepartmentReader(
        contacts=contact_rows, gate=gate, standings=standings, cursors=cursors, terms=terms
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
        pack=pack,
        accounts=accounts,
        account_rows=account_rows,
        clients=clients,
        department_rows=department_rows,
        departments=departments,
        department_reader=department_reader,
        department_keeper=DepartmentKeeper(reader=department_reader, service=departments, idempotency=idempotency),
        grants=grants,
        standings=standings,
        verifier=verifier,
        authenticator=Authenticator(verifier),
        tokens=tokens,
        cursors=cursors,
        terms=terms,
        gate=gate,
        contact_rows=contact_rows,
        contact_writer=writer,
        contacts=contacts,
        keeper=ContactKeeper(service=contacts, writer=writer, members=members, gate=gate, idempotency=idempotency),
        hr=HrService(
            ledger=HrLedger(),
            people=People(contact_rows, members, writer, accounts, grants),
            sealer=sealer,
            keys=LedgerKeys(subject=keyring.mac_key("hr-subject"), body=keyring.mac_key("hr-body")),
            reader=reader,
            clock=clock,
        ),
        events=events,
        log_reader=AccessLogReader(
            events=events,
            contacts=contact_rows,
            clients=client_rows,
            reader=reader,
            gate=gate,
            standings=standings,
            cursors=cursors,
            masked=terms.masked,
        ),
        idempotency=idempotency,
    )
