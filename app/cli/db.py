"""``db``: the schema."""

import asyncio

import typer

app = typer.Typer(no_args_is_help=True, help="The schema of the store. 数据库结构。")


@app.command()
def upgrade() -> None:
    """Bring the store to this version's schema (PostgreSQL: as the owner role). 升级数据库结构。"""
    from app import production
    from app.config import Settings
    from app.kit.migrate import newest_revision, upgrade

    settings = Settings()
    production.require(settings, migrating=True)
    upgrade(settings)
    typer.echo(f"schema {newest_revision()}")


@app.command()
def check() -> None:
    """Tell whether the store has this version's schema; exit 1 when not. 检查数据库结构。"""
    from app.config import Settings
    from app.kit.db import Database
    from app.kit.migrate import newest_revision, stored_revision

    async def look() -> str | None:
        database = Database(Settings())
        try:
            return await stored_revision(database)
        finally:
            await database.close()

    stored, newest = asyncio.run(look()), newest_revision()
    typer.echo(f"stored {stored or 'none'} · this version {newest}")
    if stored != newest:
        raise typer.Exit(1)
