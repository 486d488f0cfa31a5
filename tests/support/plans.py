"""What the stores themselves say of a statement: which indexes they use for it, and how much they read. No clock is involved."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson


@dataclass(frozen=True, slots=True)
class Explained:
    """One run of a statement on PostgreSQL, taken back afterwards."""

    plan: Mapping[str, Any]

    @property
    def pages(self) -> int:
        """How many pages it looked at, wherever they were."""
        return int(self.plan["Shared Hit Blocks"]) + int(self.plan["Shared Read Blocks"])

    @property
    def nodes(self) -> Iterator[Mapping[str, Any]]:
        """Every step of it."""
        waiting: list[Mapping[str, Any]] = [self.plan]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", ())

    @property
    def indexes(self) -> set[str]:
        """The indexes that were really asked."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node and node["Actual Loops"]}

    @property
    def read_whole(self) -> set[str]:
        """The tables that were read from end to end."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}

    def rows(self, table: str) -> int:
        """How many rows of a table were fetched, those that a filter then threw away too."""
        return int(
            sum(
                node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
                for node in self.nodes
                if node.get("Relation Name") == table and "Scan" in node["Node Type"]
            )
        )


async def explained(connection: asyncpg.Connection, sql: str, arguments: Sequence[object]) -> Explained:
    """Run a statement, see what it did, and undo it."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) {sql}", *arguments)
    finally:
        await transaction.rollback()
    return Explained(orjson.loads(told)[0]["Plan"])


def sqlite_plan(connection: sqlite3.Connection, sql: str, arguments: Sequence[Any]) -> str:
    """Give SQLite's plan for a statement, a step a line."""
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments))


def sqlite_steps(connection: sqlite3.Connection, sql: str, arguments: Sequence[Any] | Mapping[str, Any]) -> int:
    """Count the steps of SQLite's machine that a statement takes, to the nearest ten; undo it."""
    found = 0

    def tick() -> int:
        nonlocal found
        found += 10
        return 0

    connection.execute("BEGIN IMMEDIATE")
    connection.set_progress_handler(tick, 10)
    try:
        connection.execute(sql, arguments).fetchall()
    finally:
        connection.set_progress_handler(None, 10)
        connection.execute("ROLLBACK")
    return found
