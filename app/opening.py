"""What a process reaches for before it can be composed: the root key, the pack in force, quotas, the log, the issuers it trusts.

Each function reads the settings and gives one collaborator; who uses it is the composition's business.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final, Literal

import structlog

from app.audit.note import Signer
from app.audit.postgres_store import PostgresLogStore
from app.audit.publication import newest_note
from app.audit.sources import PostgresSource, SqliteSource
from app.audit.sqlite_store import SqliteLogStore
from app.audit.stores import LogStore
from app.audit.verification import check_head
from app.auth.clients import Clients
from app.auth.external import RemoteKeys, new_client
from app.auth.issuer import BuiltInIssuer
from app.auth.key_renewal import KeyRenewal
from app.auth.profile import built_in, external
from app.auth.repository import AccountRepository
from app.auth.service import TokenService
from app.auth.token_desk import TokenDesk
from app.auth.token_door import RefreshTokens
from app.auth.verifier import TokenVerifier
from app.config import Settings
from app.contacts.forms import Forms
from app.contacts.forms import load as load_forms
from app.contacts.forms import load_file as load_forms_file
from app.crypto.providers import EnvProvider, FileProvider, KeyProvider
from app.crypto.signing import SigningVault, TokenKeys, load_token_keys
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.limits import Limiter, Rate
from app.permissions.pack import Pack, load, load_file, texts
from app.permissions.quotas import Allowances, Quotas

_log: Final = structlog.get_logger("duanhao.security")

Kind = Literal["person", "client", "address", "caller_names"]

_IN_PRODUCTION: Final[Mapping[Kind, float]] = {
    "person": 20.0,
    "client": 1000.0,
    "address": 1000.0,
    "caller_names": 50.0,
}
"""Requests a second, far above what work needs: a floor full of people behind one address, a nightly reconcile."""


def key_provider(settings: Settings) -> KeyProvider:
    """Give who holds the root key; a development store makes its own on first start."""
    match settings.keys.provider:
        case "file":
            return FileProvider(
                settings.root_key_file, create=settings.env == "development" and settings.keys.file is None
            )
        case "env":
            return EnvProvider(settings.keys.variable)


def limiter(settings: Settings, kind: Kind) -> Limiter | None:
    """Give the brake on callers of one kind, or ``None`` where there is none; what is unset has a limit in production alone."""
    chosen: float | None = getattr(settings.limits, kind)
    if chosen is None:
        chosen = _IN_PRODUCTION[kind] if settings.env == "production" else 0.0
    return Limiter(Rate(chosen, max(1, round(chosen * settings.limits.burst_seconds)))) if chosen else None


def token_desk(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    tokens: TokenService,
    verifier: TokenVerifier,
    accounts: AccountRepository,
    clients: Clients,
    vault: SigningVault,
    refresh: RefreshTokens | None = None,
) -> TokenDesk:
    """Give the desk for tokens that are out, and let the issuer of ``tokens`` take up rotated keys; ``refresh`` keeps refresh tokens."""

    async def load() -> TokenKeys:
        async with database.unit_of_work() as unit:
            return await load_token_keys(unit.session, vault)

    KeyRenewal(tokens.issuer, reader=database.reader, load=load, changed=verifier.forget, clock=clock)
    return TokenDesk(
        tokens,
        verifier=verifier,
        database=database,
        accounts=accounts,
        clients=clients,
        clock=clock,
        exchange_seconds=settings.tokens.exchange_ttl_seconds,
        refresh=refresh,
    )


def first_pack(settings: Settings) -> tuple[Pack, str]:
    """Give the pack that the settings name, which the first start puts in force, and its text."""
    if settings.policy.file is None:
        return load(settings.policy.profile), "---\n".join(texts(settings.policy.profile))
    return load_file(settings.policy.file), settings.policy.file.read_text(encoding="utf-8")


def daily_quotas(settings: Settings, clock: Clock) -> Quotas:
    """Give what looks cost, by the company's own day."""
    allowances = Allowances(**settings.quotas.model_dump())
    return Quotas(allowances, clock=clock, utc_offset=timedelta(minutes=settings.numbers.utc_offset_minutes))


def collection_forms(settings: Settings) -> Forms:
    """Give the collection forms in force, with what the operator switched on."""
    wanted = settings.contacts
    made = load_forms_file(wanted.forms_file) if wanted.forms_file else load_forms(wanted.forms)
    return Forms(made, switched_on=wanted.collect_sensitive)


def log_store(settings: Settings, database: Database, signer: Signer, clock: Clock) -> LogStore:
    """Give the store of the log on the configured engine; its waits for locks end before the log's deadline."""
    deadline = settings.audit.deadline_seconds
    wait = min(settings.database.lock_timeout_ms / 1000, deadline * 0.75)
    if database.dsn is not None:
        return PostgresLogStore(database.dsn, signer=signer, clock=clock, timeout=deadline, lock_seconds=wait)
    return SqliteLogStore(
        database.log_path, business_path=database.business_path, signer=signer, clock=clock, busy_seconds=wait
    )


async def check_log(settings: Settings, database: Database, signer: Signer) -> None:
    """Raise ``LogDamaged`` when the service must not build on the log's head, or not on what was published of it."""
    await check_head(
        SqliteSource(database.log_path) if database.dsn is None else PostgresSource(database.dsn),
        verifier=signer.verifier(),
        published=await asyncio.to_thread(newest_note, settings.checkpoint_file),
    )


async def trust(
    stack: AsyncExitStack, settings: Settings, clock: Clock, *, issuer: BuiltInIssuer, verifier: TokenVerifier
) -> None:
    """Tell ``verifier`` whose tokens count: our own, and those of the configured issuers; ``stack`` closes what fetches their keys."""
    profiles = [built_in(issuer)]
    if settings.tokens.external:
        client = await stack.enter_async_context(new_client())
        for each in settings.tokens.external:
            keys = RemoteKeys(
                each.jwks_url,
                client=client,
                clock=clock,
                production=settings.env == "production",
                changed=verifier.forget,
            )
            profiles.append(external(each, keys))
    verifier.trust(profiles)
