"""The only way in: from settings to an application that can serve, a worker that can work, a command that can open the store.

``open_application`` refuses a stale schema, unusable keys and a damaged head of the log.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app import assembly, production
from app.application import Application
from app.audit.note import Signer
from app.audit.publication import CheckpointFile
from app.audit.writer import AccessLog, Limits
from app.config import Settings
from app.contacts.covering import cover_all
from app.crypto.bootstrap import init_keys, load_keyring
from app.crypto.sealer import Sealer
from app.crypto.signing import load_log_signer, load_token_keys
from app.crypto.stored import ensure_key
from app.kit.clock import Clock, SystemClock
from app.kit.db import Database
from app.kit.migrate import ensure_current
from app.lookups.service import REASONS
from app.opening import (
    check_log,
    first_pack,
    key_provider,
    log_store,
    trust,
)
from app.policy.founding import found_policy


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
            bits=assembly.BITS,
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
        application = assembly.assembled(
            settings, now, database, keyring=keyring, log=log, signer=signer, token_keys=token_keys
        )
        stack.callback(application.sign_in.close)
        stack.push_async_callback(application.notices.close)
        stack.push_async_callback(application.policy.evidence.write)
        await cover_all(database, application.contact_rows, application.sealer)
        await found_policy(database, application.policy.service, lambda: first_pack(settings))
        await application.calendar.found()
        await trust(stack, settings, now, issuer=application.tokens.issuer, verifier=application.verifier)
        yield application
