"""The schema's revision: bring it up, and refuse to serve on any other.

The SQLite default upgrades itself at start; PostgreSQL is upgraded by its owner role (``duanhao db upgrade``), because the service role
must not be able to change what it is not allowed to change. Alembic is imported only here and only when called.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

from sqlalchemy import Select, String, column, select, table
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError

from app.config import Settings
from app.kit.db import Database
from app.kit.errors import Unavailable

_ASSIGNED: Final = re.compile(r"^(revision|down_revision)\b[^=\n]*= *[\"']?([0-9a-zA-Z]+)", re.MULTILINE)
_REFUSALS: Final = ("28", "3D", "42501")
"""How PostgreSQL's codes begin where it does not let somebody in, knows no such database, or does not allow something."""
ROOT: Final = Path(__file__).resolve().parents[2]


class StaleSchema(Unavailable):
    """The store was made by another version of the service."""

    code, title, title_zh = (
        "stale_schema",
        "The schema of the store is not the one of this version",
        "数据库结构版本不符",
    )


class StoreRefused(Unavailable):
    """PostgreSQL let nobody in by this address, or not to do this: a password, a database or a right is not as the settings say."""

    code, title, title_zh = "store_refused", "PostgreSQL refuses", "PostgreSQL 拒绝访问"


def upgrade(settings: Settings) -> None:
    """Bring the store to the newest revision; make it when there is none. Raises ``StoreRefused``."""
    from alembic import command  # noqa: PLC0415 — start-up must not pay for it
    from alembic.config import Config  # noqa: PLC0415 — start-up must not pay for it

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["settings"] = settings
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        if _state(error).startswith(_REFUSALS):
            raise _refused(error, migrating=True) from error
        raise


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
    """Read the revision of the store; ``None`` when it has none. Raises ``StoreRefused``."""
    statement: Select[str] = select(column("version_num", String)).select_from(table("alembic_version"))
    try:
        async with database.engine.connect() as connection:
            found: str | None = await connection.scalar(statement)
            return found
    except ProgrammingError:
        return None
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and _state(error):
            raise _refused(error) from error
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
    message = (
        f"the store must be at {newest}: run `duanhao db upgrade` with DUANHAO_DATABASE__OWNER_URL, as the owner role"
    )
    zh = f"数据库结构须为 {newest}：请设置 DUANHAO_DATABASE__OWNER_URL，以属主角色执行 `duanhao db upgrade`"
    raise StaleSchema(message, detail_zh=zh)


def _state(error: DBAPIError) -> str:
    """Give PostgreSQL's code of an error; nothing where it was not PostgreSQL that spoke."""
    return str(getattr(error.orig, "sqlstate", None) or "")


def _refused(error: DBAPIError, *, migrating: bool = False) -> StoreRefused:
    said = str(error.orig).partition("\n")[0]
    hint, hint_zh = "look at DUANHAO_DATABASE__URL", "请检查 DUANHAO_DATABASE__URL"
    if migrating:
        hint, hint_zh = (
            "name the owner role in DUANHAO_DATABASE__OWNER_URL",
            "请在 DUANHAO_DATABASE__OWNER_URL 中给出属主角色",
        )
    return StoreRefused(f"{said}: {hint}", detail_zh=f"{said}：{hint_zh}")
