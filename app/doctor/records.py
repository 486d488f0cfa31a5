"""The access log, its checkpoints, and what waits to be done: is the head what was signed, do checkpoints leave, does a worker work."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.audit.errors import LogDamaged
from app.audit.note import NoteInvalid, Verifier
from app.audit.publication import newest_note
from app.audit.stores import StoreUnavailable
from app.audit.verification import check_head
from app.config import Settings
from app.demo.staffing import PRINCIPALS
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store, instant
from app.production import Words

_SOON: Final = timedelta(minutes=1)
_LATE: Final = timedelta(minutes=15)
_AHEAD: Final = timedelta(seconds=30)
_TRIED: Final = 3

_PUBLIC: Final = "SELECT public FROM signing_key WHERE use = 'log' AND state = 'current'"
_NEWEST: Final = "SELECT size, at FROM {log}batch ORDER BY size DESC LIMIT 1"
_INTENTS: Final = "SELECT count(*), min(at) FROM audit_intent"
_OUTBOX: Final = "SELECT count(*), min(available_at), max(attempts) FROM outbox WHERE done_at IS NULL"
_DEMO: Final = "SELECT user_name_key FROM user_account WHERE user_name_key LIKE 'demo-%'"


async def log(settings: Settings, store: Store, now: datetime) -> AsyncIterator[Finding]:
    """Check the head, its signature and the newest checkpoint that left; the whole log is for ``audit verify``."""
    rows = await store.ask(_PUBLIC)
    key = load_der_public_key(bytes(rows[0][0])) if rows else None
    if not isinstance(key, Ed25519PublicKey):
        newest = await store.ask(_NEWEST, part="log")
        yield bad(
            "log",
            Level.ERROR if newest else Level.WARNING,
            Words("the store has no key that signs the log", "数据库中没有访问日志的签名密钥"),
            Words(
                "a new store gets one at its first start; otherwise put the table signing_key back from a backup",
                "新库首次启动时会生成；否则请从备份恢复 signing_key 表",
            ),
        )
        return
    verifier = Verifier(settings.audit.origin, key)
    published = await asyncio.to_thread(_published, settings)
    try:
        await check_head(store.log_source(), verifier=verifier, published=published)
    except (LogDamaged, StoreUnavailable, NoteInvalid) as error:
        yield bad(
            "log",
            Level.ERROR,
            Words(f"the head of the log does not verify: {error}", f"访问日志头校验失败：{error}"),
            Words(
                "keep everything as it is, run duanhao audit verify, and tell whoever answers for the log",
                "请保持现状，执行 duanhao audit verify，并通知日志负责人",
            ),
        )
        return
    newest = await store.ask(_NEWEST, part="log")
    size = newest[0][0] if newest else 0
    yield ok("log", f"{size} events, and the head is what was signed", f"共 {size} 条事件，日志头与签名一致")
    if newest and instant(newest[0][1]) > now + _AHEAD:
        yield bad(
            "clock.log",
            Level.ERROR,
            Words("the newest entry of the log is of the future", "最新日志的时间晚于当前时间"),
            Words("set the clock of this machine right", "请校准本机时钟"),
        )
    for finding in _checkpoints(settings, verifier, published, newest, now):
        yield finding


def _published(settings: Settings) -> str | None:
    try:
        return newest_note(settings.checkpoint_file)
    except OSError:
        return None


def _checkpoints(
    settings: Settings,
    verifier: Verifier,
    published: str | None,
    newest: list[tuple[int, datetime | int]],
    now: datetime,
) -> list[Finding]:
    found = []
    if settings.env == "production" and settings.audit.checkpoint_file is None:
        found.append(
            bad(
                "checkpoints",
                Level.WARNING,
                Words("checkpoints stay in the data directory", "检查点只保存在数据目录中"),
                Words(
                    "name a file that another machine collects: DUANHAO_AUDIT__CHECKPOINT_FILE; only a copy elsewhere shows a log put back",
                    "请用 DUANHAO_AUDIT__CHECKPOINT_FILE 指定由其他机器收集的文件；只有异地副本能发现日志回滚",
                ),
            )
        )
    if not newest:
        return found
    size, at = newest[0]
    left = 0 if published is None else verifier.open(published).size
    if left < size and now - instant(at) > _SOON:
        found.append(
            bad(
                "checkpoints",
                Level.WARNING,
                Words(
                    f"the newest checkpoint that left covers {left} of {size} events",
                    f"最近发布的检查点只覆盖 {size} 条事件中的 {left} 条",
                ),
                Words(f"can {settings.checkpoint_file} be written?", f"请检查 {settings.checkpoint_file} 是否可写"),
            )
        )
    return found or [ok("checkpoints", f"up to event {left}", f"已发布至第 {left} 条")]


async def backlog(store: Store, now: datetime) -> AsyncIterator[Finding]:
    """Look at what waits for the worker: events of writes, and promised work."""
    ((intents, oldest_intent),) = await store.ask(_INTENTS)
    ((jobs, oldest_job, attempts),) = await store.ask(_OUTBOX)
    waits = [now - instant(each) for each in (oldest_intent, oldest_job) if each is not None]
    wait = max(waits, default=timedelta())
    told = Words(f"{intents} events and {jobs} jobs wait", f"{intents} 条事件、{jobs} 个任务等待处理")
    if wait <= _SOON:
        yield ok("worker", told.en, told.zh)
    else:
        minutes = int(wait.total_seconds() // 60)
        yield bad(
            "worker",
            Level.ERROR if wait > _LATE else Level.WARNING,
            Words(f"{told.en}, the oldest for {minutes} minutes", f"{told.zh}，最久已等待 {minutes} 分钟"),
            Words(
                "is a worker running? PostgreSQL: duanhao worker; SQLite: duanhao serve",
                "请确认后台任务进程在运行：PostgreSQL 用 duanhao worker；SQLite 用 duanhao serve",
            ),
        )
    if attempts is not None and attempts >= _TRIED:
        yield bad(
            "outbox",
            Level.WARNING,
            Words(f"a job has failed {attempts} times", f"有任务已失败 {attempts} 次"),
            Words(
                "its kind and last_error stand in the table outbox and in the worker's log",
                "类型与 last_error 见 outbox 表与后台日志",
            ),
        )


async def demo(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Look for the demo's people in production."""
    if settings.env != "production":
        return
    names = {each.user_name for each in PRINCIPALS}
    found = sorted(row[0] for row in await store.ask(_DEMO) if row[0] in names)
    if not found:
        yield ok("demo", "no account of the demo", "没有演示账号")
        return
    yield bad(
        "demo",
        Level.ERROR,
        Words(f"{len(found)} accounts of the demo are here", f"存在 {len(found)} 个演示账号"),
        Words(
            "start production on an empty store; the demo's keys and people are not for it",
            "生产环境请使用空库，不要使用演示数据",
        ),
    )
