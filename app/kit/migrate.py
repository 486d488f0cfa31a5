"""The schema's revision: bring it up, and refuse to serve on any other.

The SQLite default upgrades itself at start; PostgreSQL is upgraded by its owner role (``duanhao db upgrade``), because the service role
must not be able to change what it is not allowed to change. Alembic is imported only here and only when called.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

from sqlalchemy import Select, String, column, select, table
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.kit.db import Database
from app.kit.errors import Unavailable

_ASSIGNED: Final = re.compile(r"^(revision|down_revision)\b[^=\n]*= *[\"']?([0-9a-zA-Z]+)", re.MULTILINE)
ROOT: Final = Path(__file__).resolve().parents[2]


class StaleSchema(Unavailable):
    """The store was made by another version of the service."""

    code, title, title_zh = (
        "stale_schema",
        "The schema of the store is not the one of this version",
        "数据库结构版本不符",
    )


def upgrade(settings: Settings) -> None:
    """Bring the store to the newest revision; make it when there is none."""
    from alembic import command  # noqa: PLC0415 — start-up must not pay for it
    from alembic.config import Config  # noqa: PLC0415 — start-up must not pay for it

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["settings"] = settings
    command.upgrade(config, "head")


def newest_revision() -> str:
    """Read the newest revision from the names in the migrations folder, without importing Alembic."""
    down: set[str] = set()
    own: set[str] = set()
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        found = dict(_ASSIGNED.findall(path.read_text(encoding="utf-8")))
        own.add(found["revision"])
        down.add(found["down_revision"])
    (head,) = own - down
    return head


async def stored_revision(database: Database) -> str | None:
    """Read the revision of the store; ``None`` when it has none."""
    statement: Select[str] = select(column("version_num", String)).select_from(table("alembic_version"))
    try:
        async with database.engine.connect() as connection:
            found: str | None = await connection.scalar(statement)
            return found
    except SQLAlchemyError:
        return None


async def ensure_current(settings: Settings, database: Database) -> None:
    """Upgrade a SQLite store; raise ``StaleSchema`` for a PostgreSQL one that is not current."""
    newest = newest_revision()
    if await stored_revision(database) == newest:
        return
    if database.dialect == "sqlite":
        await database.engine.dispose()
        await asyncio.to_thread(upgrade, settings)
        if await stored_revision(database) == newest:
            return
    message = f"the store must be at {newest}: run `duanhao db upgrade` as the owner role"
    raise StaleSchema(message)
