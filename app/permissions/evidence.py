"""When each rule last decided something: for the audit that asks of every clause whether it is alive.

A look notes its rules in memory, which costs it next to nothing; about once a minute what was noted is written down in the background, and
at the end. A process that is killed loses a minute of it, never a look: looks are in the access log.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

import structlog
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from app.kit.clock import Clock
from app.kit.db import Database
from app.permissions.models import RuleEvidence

_EVERY: Final = timedelta(minutes=1)
_TABLE: Final = cast("Table", RuleEvidence.__table__)

_log = structlog.get_logger("duanhao.policy")


class Evidence:
    """Notes which rules decide."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the store and the clock."""
        self._database, self._clock = database, clock
        self._noted: dict[tuple[str, ...], datetime] = {}
        self._due = clock.now() + _EVERY
        self._writing: asyncio.Task[None] | None = None

    def decided(self, rules: Iterable[tuple[str, ...]]) -> None:
        """Note sets of rules that have just decided a view."""
        now = self._clock.now()
        for each in rules:
            self._noted[each] = now
        if now >= self._due:
            self._due = now + _EVERY
            self._writing = asyncio.get_running_loop().create_task(self._write_quietly())

    async def last(self) -> Mapping[str, datetime]:
        """Tell when each rule last decided something, here or in another process; rules that never did are absent."""
        await self.write()
        rows = await self._database.reader.fetch(
            self._database.reader.prepare(select(RuleEvidence.rule_id, RuleEvidence.last_at))
        )
        return dict(tuple(row) for row in rows)

    async def write(self) -> None:
        """Write down what was noted; a later time that another process wrote stays."""
        noted, self._noted = self._noted, {}
        latest: dict[str, datetime] = {}
        for rules, at in noted.items():
            for each in rules:
                latest[each] = max(at, latest.get(each, at))
        if not latest:
            return
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = insert(_TABLE)
        statement = statement.on_conflict_do_update(
            index_elements=[_TABLE.c.rule_id],
            set_={"last_at": statement.excluded.last_at},
            where=statement.excluded.last_at > _TABLE.c.last_at,
        )
        rows = [{"rule_id": identity, "last_at": at} for identity, at in sorted(latest.items())]
        async with self._database.unit_of_work() as unit:
            await unit.session.execute(statement, rows)

    async def _write_quietly(self) -> None:
        try:
            await self.write()
        except Exception as error:  # noqa: BLE001 — nobody waits for it; it is reported, and the next minute tries again
            _log.warning("evidence_not_written", error=type(error).__name__)
