"""``archive``: who in the archive is past retention, and erasing them now. Ids and days; no card is opened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Retention of archived cards. 归档卡片的保留期限。")


@app.command()
def due(
    on: Annotated[
        datetime | None,
        typer.Option(help="The day whose sweep to foretell; today, if none is given.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """List who would be erased: the card's id, its kind, the last day it is kept, and what holds it. 列出保留期满的卡片。

    Applicants past that day whom nobody archived follow: nothing takes them before `DELETE /v1/contacts/{id}`. 未归档者须先归档。
    """
    from app.application import Application
    from app.cli.session import on_record, run
    from app.departures.erasing import Due

    async def work(application: Application) -> tuple[Sequence[Due], Sequence[Due]]:
        eraser = application.departures.eraser
        day = eraser.today() if on is None else on.date()
        found, staying = [each async for each in eraser.due(day)], await eraser.unarchived(day)
        async with on_record(application, "archive.due", {"due": len(found), "unarchived": len(staying)}):
            return found, staying

    found, staying = run(work)
    for each in found:
        held = f"\theld by {', '.join(each.held_by)}" if each.held_by else ""
        typer.echo(f"{each.contact_id}\t{each.kind}\tkept until {each.kept_until.isoformat()}{held}")
    for each in staying:
        typer.echo(f"{each.contact_id}\t{each.kind}\tkept until {each.kept_until.isoformat()}\tnot archived 未归档")


@app.command()
def erase(
    *, yes: Annotated[bool, typer.Option("--yes", help="Do it; there is no way back, but from a backup.")] = False
) -> None:
    """Do today's sweep now, all of it: destroy the keys of everybody past retention whom nothing holds. 立即销毁，不可恢复。

    Exit codes: 0 done; 1 somebody could not be erased, see the log; 2 not asked with --yes.
    """
    from app.application import Application
    from app.cli.session import operator, run

    if not yes:
        typer.echo("destroys keys for good: look with `duanhao archive due` first, then say --yes", err=True)
        raise SystemExit(2)

    async def work(application: Application) -> tuple[int, int, int]:
        eraser, author = application.departures.eraser, operator()
        again = await eraser.again()
        found = [each async for each in eraser.due(eraser.today()) if not each.held_by]
        return len(found), sum([await eraser.erase(each.contact_id, author) for each in found]), again

    found, done, again = run(work)
    typer.echo(f"{done} of {found} erased; keys of {again} destroyed again")
    raise SystemExit(0 if done == found else 1)
