"""The keys: can the root be had, does it open what the store holds, how old is everything. What is unwrapped here is forgotten at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from app.config import Settings
from app.crypto.bootstrap import kek_context
from app.crypto.errors import KeyUnavailable
from app.crypto.providers import KeyProvider
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store, StoreSilent, instant
from app.opening import key_provider
from app.production import Words

_YEAR: Final = timedelta(days=365)
_KEKS: Final = (
    "SELECT purpose, version, wrapped, created_at, state FROM kek WHERE state <> 'retired' ORDER BY purpose, version"
)
_SIGNING: Final = (
    "SELECT use, state, count(*), min(created_at) FROM signing_key WHERE state <> 'retired' GROUP BY use, state"
)
_PURPOSES: Final = ("field", "index", "sign")


async def keys(settings: Settings, store: Store, now: datetime) -> AsyncIterator[Finding]:
    """Look at the root key, then at what it wraps."""
    try:
        rows = await store.ask(_KEKS)
    except StoreSilent:
        rows = None
    absent = settings.keys.provider == "file" and not settings.root_key_file.exists()
    if absent and settings.env == "development" and settings.keys.file is None and not rows:
        yield ok("keys.root", "the first start makes a root key for development", "首次启动时会生成开发用根密钥")
        return
    try:
        provider = await asyncio.to_thread(opened, settings)
    except KeyUnavailable as error:
        yield bad(
            "keys.root",
            Level.ERROR,
            Words(f"the root key cannot be had: {error}", f"无法取得根密钥：{error}"),
            Words(
                "put back the root key that this store was made with; without it nothing sealed can be read, and no new one can do",
                "请恢复建库时使用的根密钥；缺少它将无法读取任何封存数据，新密钥不能代替",
            ),
        )
        return
    status = provider.describe()
    yield ok("keys.root", f"root {status.root_id} from {status.name}", f"根密钥 {status.root_id}，来源 {status.name}")
    if rows is None:
        return
    async for finding in _wrapped(provider, rows, now):
        yield finding
    async for finding in _signing(store, now):
        yield finding


def opened(settings: Settings) -> KeyProvider:
    """Open the provider without ever making a key."""
    if settings.keys.provider == "file":
        file = settings.keys.model_copy(update={"file": settings.root_key_file})
        return key_provider(settings.model_copy(update={"keys": file}))
    return key_provider(settings)


async def _wrapped(provider: KeyProvider, rows: list[tuple[object, ...]], now: datetime) -> AsyncIterator[Finding]:
    if not rows:
        yield bad(
            "keys.wrapped",
            Level.WARNING,
            Words("the store has no keys yet", "数据库中尚无密钥"),
            Words("the first start makes them, or: duanhao keys init", "首次启动时会生成，或执行 duanhao keys init"),
        )
        return
    failed = False
    for purpose, version, wrapped, _, _ in rows:
        try:
            await asyncio.to_thread(provider.unwrap, bytes(wrapped), kek_context(purpose, version))  # type: ignore[arg-type,call-overload]  # columns
        except KeyUnavailable as error:
            failed = True
            yield bad(
                "keys.wrapped",
                Level.ERROR,
                Words(
                    f"key {purpose} v{version} does not open: {error}", f"密钥 {purpose} v{version} 无法解开：{error}"
                ),
                Words(
                    "this root key is not the one that the store was made with: put that one back",
                    "当前根密钥不是建库时使用的密钥，请恢复原密钥",
                ),
            )
    missing = [each for each in _PURPOSES if each not in {row[0] for row in rows if row[4] == "current"}]
    if missing:
        failed = True
        yield bad(
            "keys.wrapped",
            Level.ERROR,
            Words(f"no current key for {', '.join(missing)}", f"缺少当前密钥：{', '.join(missing)}"),
            Words("put the table kek back from a backup", "请从备份恢复 kek 表"),
        )
    if failed:
        return
    oldest = min(instant(row[3]) for row in rows if row[4] == "current")  # type: ignore[arg-type]  # a stored time
    yield _aged("keys.wrapped", f"{len(rows)} keys open", f"{len(rows)} 个密钥可用", now - oldest)


async def _signing(store: Store, now: datetime) -> AsyncIterator[Finding]:
    try:
        rows = await store.ask(_SIGNING)
    except StoreSilent as silent:
        yield bad(
            "keys.signing",
            Level.ERROR,
            Words(f"signing keys cannot be read: {silent}", f"无法读取签名密钥：{silent}"),
            Words("put the table signing_key back from a backup", "请从备份恢复 signing_key 表"),
        )
        return
    for use, label in (("log", "访问日志"), ("token", "令牌")):
        of_use = [row for row in rows if row[0] == use]
        current = [row for row in of_use if row[1] == "current"]
        if not current:
            yield bad(
                f"keys.{use}",
                Level.ERROR if rows else Level.WARNING,
                Words(f"no current signing key for {use}", f"缺少{label}的当前签名密钥"),
                Words("the next start makes it, or: duanhao keys init", "下次启动时会生成，或执行 duanhao keys init"),
            )
            continue
        count = sum(row[2] for row in of_use)
        yield _aged(f"keys.{use}", f"{count} signing keys", f"{count} 个签名密钥", now - instant(current[0][3]))


def _aged(check: str, en: str, zh: str, age: timedelta) -> Finding:
    days = max(age.days, 0)
    en, zh = f"{en}, the current one {days} days old", f"{zh}，当前密钥已使用 {days} 天"
    if age <= _YEAR:
        return ok(check, en, zh)
    mend = Words("plan a rotation: a key should not serve for more than a year", "请安排轮换：密钥使用不宜超过一年")
    return bad(check, Level.WARNING, Words(en, zh), mend)
