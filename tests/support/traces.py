"""A witness for every test with a company: no row of the directory has a version that left no trace.

Each write of a contact or a department moves the row's version by one and leaves one trace of its own (traces about positions and marks
of confirmation come on top). Whatever writes past the hook, in any test, now or later, leaves a row with more versions than traces.
"""

from typing import Any, Final

from sqlalchemy import text

from app.kit.db import Database

_UNTRACED: Final = """
SELECT '{table}', row.id, row.row_version, count(trace.seq)
FROM {table} AS row LEFT JOIN directory_change AS trace
  ON trace.subject_id = row.id AND trace.about IS NULL AND trace.groups <> 'confirmation'
GROUP BY row.id, row.row_version HAVING count(trace.seq) < row.row_version
"""
_KEPT: Final = "SELECT count(*) FROM directory_head WHERE floor = 0"


async def untraced(database: Database) -> list[tuple[Any, ...]]:
    """List rows of contacts and departments with fewer traces than versions: table, id, version, traces; none where traces were deleted."""
    async with database.session() as session:
        if not await session.scalar(text(_KEPT)):
            return []
        return [
            tuple(row)
            for table in ("contact", "department")
            for row in (await session.execute(text(_UNTRACED.format(table=table)))).all()
        ]
