"""``history``: what was purged, written out to be kept with backups, and destroyed again after one of them was restored."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Purged history. 已清除的历史值。")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write: one line of JSON for each purge, newest first.")],
) -> None:
    """Write every certificate with the keys that it names; keep it beside the backups. No value is in it. 导出清除证书。"""
    from app.application import Application
    from app.cli.session import on_record, run
    from app.history.replaying import lines
    from app.history.repository import PurgeRepository

    async def work(application: Application) -> int:
        written = [line async for line in lines(application.database.reader, PurgeRepository())]
        async with on_record(application, "history_purge.export", {"purges": len(written)}):
            file.write_bytes(b"".join(written))
        return len(written)

    typer.echo(f"{run(work)} purges written to {file}")


@app.command("destroy-again")
def destroy_again(
    file: Annotated[Path, typer.Argument(help="What export wrote, after the backup was made that is restored now.")],
) -> None:
    """Destroy in this store whatever the certificates state. After every restore of a backup; again is harmless. 恢复备份后重新销毁。

    A line that was not signed by this store's log, or whose keys are not those of its certificate, stops it; then nothing is changed.
    """
    from app.application import Application
    from app.cli.session import on_record, run
    from app.history.replaying import Replayed, destroyed_again
    from app.history.repository import PurgeRepository

    async def work(application: Application) -> list[Replayed]:
        verifiers, given = [application.log_signer.verifier()], file.read_bytes().splitlines()
        async with on_record(application, "history_purge.destroy_again", {"purges": len(given)}) as unit:
            return [await destroyed_again(unit.session, PurgeRepository(), verifiers, line) for line in given]

    for each in run(work):
        typer.echo(
            f"{each.id}: {each.destroyed} of {each.keys} keys were back and are destroyed, {each.unknown} were never here"
        )
