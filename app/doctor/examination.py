"""The examination: everything in order, each check for itself, so that one broken part hides no other.

A check that meets what nobody foresaw is itself a finding and names the kind of failure, never its message, which may quote a value.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import yaml
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.config import Settings
from app.doctor import calendar, database, erasures, history, keys, notices, place, records, rows, tags
from app.doctor.findings import Finding, Level, bad, without
from app.doctor.store import Store, StoreSilent, store_of
from app.kit.db import Database
from app.production import Words

_SECONDS: Final = 20.0
_SECONDS_OF_ROWS: Final = 1800.0
"""Every row of a store is looked at once: a million take about a minute, and a slow disk is no reason to stop half-way."""


async def examined() -> tuple[Settings | None, list[Finding]]:
    """Examine the installation that the environment describes; give its settings when they can be read."""
    try:
        settings = Settings()
    except (ValidationError, SettingsError, TypeError, OSError, yaml.YAMLError) as error:
        return None, _unreadable(error)
    return settings, without(await examine(settings), _secrets(settings))


async def examine(settings: Settings) -> list[Finding]:
    """Examine the installation that ``settings`` describe."""
    found = [
        finding
        for check in (place.environment, place.data_directory, place.room)
        for finding in _collected(check.__name__, check, settings)
    ]
    try:
        store = store_of(Database(settings))
    except (ArgumentError, ValueError):
        return found
    now = datetime.now(UTC)
    answers = await _gathered("database", database.reachable(settings, store))
    found += answers
    found += await _gathered("keys", keys.keys(settings, store, now))
    if any(each.level is not Level.OK for each in answers):
        return found
    for name, check in _of_an_open_store(settings, store, now):
        found += await _gathered(name, check)
    found += await _gathered("rows", rows.rows(settings, store), seconds=_SECONDS_OF_ROWS)
    return found


def _of_an_open_store(settings: Settings, store: Store, now: datetime) -> list[tuple[str, AsyncIterator[Finding]]]:
    return [
        ("schema", database.schema(store)),
        ("durability", database.durability(settings, store)),
        ("fences", database.fences(settings, store)),
        ("clock", database.clock(store)),
        ("log", records.log(settings, store, now)),
        ("backlog", records.backlog(store, now)),
        ("search_tags", tags.tags(store)),
        ("history", history.history(settings, store)),
        ("erasures", erasures.erasures(settings, store)),
        ("calendar", calendar.calendar(settings, store, now)),
        ("notices", notices.notices(settings, store, now)),
        ("demo", records.demo(settings, store)),
    ]


def _collected(name: str, check: Callable[[Settings], Iterable[Finding]], settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except Exception as error:  # noqa: BLE001 — a failed check is a finding, and the others go on
        return [_failed(name, error)]


async def _gathered(name: str, check: AsyncIterator[Finding], *, seconds: float = _SECONDS) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(seconds):
            async for finding in check:
                found.append(finding)  # noqa: PERF401 — what was found before a failure stays
    except Exception as error:  # noqa: BLE001 — a failed check is a finding, and the others go on
        found.append(_failed(name, error))
    return found


def _failed(name: str, error: Exception) -> Finding:
    told = str(error) if isinstance(error, StoreSilent) else type(error).__name__
    return bad(
        name,
        Level.ERROR,
        Words(f"could not be examined: {told}", f"无法检查：{told}"),
        Words("mend what stands above first, then run this again", "请先处理上面的问题，然后重新运行"),
    )


def _unreadable(error: Exception) -> list[Finding]:
    """Say which settings cannot be read; neither library quotes a value here, and of other failures only the kind is told."""
    mend = Words("the README lists every setting with its default", "所有设置及默认值见 README")
    match error:
        case ValidationError():
            faults = [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors(include_input=False)]
        case SettingsError():
            faults = [("", str(error))]
        case OSError():
            faults = [("DUANHAO_CONFIG", f"{error.filename}: {error.strerror}")]
        case _:
            faults = [("DUANHAO_CONFIG", f"no mapping of settings ({type(error).__name__})")]
    told = [f"{where}: {what}" if where else what for where, what in faults]
    return [bad("settings", Level.ERROR, Words(each, f"设置无法读取：{each}"), mend) for each in told]


def _secrets(settings: Settings) -> list[str]:
    """List every text that must not be printed: addresses with passwords, the passwords, root keys."""
    found = [part.strip() for part in os.environ.get(settings.keys.variable, "").split(",")]
    if settings.smtp.password is not None:
        found.append(settings.smtp.password.get_secret_value())
    for secret in (settings.database.url, settings.database.owner_url):
        if isinstance(secret, SecretStr):
            found.append(secret.get_secret_value())
            try:
                found.append(str(make_url(secret.get_secret_value()).password or ""))
            except (ArgumentError, ValueError):
                continue
    return found
