"""``keys``: the root key and what hangs below it."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from app.application import Application

app = typer.Typer(no_args_is_help=True, help="Keys. 密钥。")

_KNOWN_AFTER: Final = timedelta(minutes=15)
"""Three times as long as a key set may be kept by who fetched it (``Cache-Control`` of the route)."""


class Turned(StrEnum):
    """What can be rotated here."""

    TOKEN = "token"  # noqa: S105 — which keys
    ROOT = "root"


@app.command()
def init() -> None:
    """Make the keys of an empty store; does nothing when they are there. 初始化密钥。"""
    from app.application import Application
    from app.cli.session import run
    from app.opening import key_provider

    async def work(application: Application) -> str:
        status = key_provider(application.settings).describe()
        return f"{status.name} root {status.root_id}"

    typer.echo(run(work))


@app.command()
def status() -> None:
    """Tell who holds the root key and which versions are in use. 查看密钥状态。"""
    from app.application import Application
    from app.cli.session import run
    from app.crypto.signing import signing_states
    from app.opening import key_provider

    async def work(application: Application) -> list[str]:
        status = key_provider(application.settings).describe()
        versions = [
            f"{purpose} v{application.keyring.current_version(purpose)}" for purpose in ("field", "index", "sign")
        ]
        async with application.database.unit_of_work() as unit:
            signing = await signing_states(unit.session)
        return [
            f"root {status.root_id} ({status.name}{', generated' if status.generated else ''})",
            *versions,
            *(f"{each.use} {each.state} {each.kid} since {each.since:%Y-%m-%d %H:%M:%S} UTC" for each in signing),
        ]

    for line in run(work):
        typer.echo(line)


@app.command()
def rotate(
    what: Annotated[Turned, typer.Argument(help="token: what signs access tokens; root: what wraps every key.")],
    *,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Token keys: trust none of before, wait for nothing. All tokens end.")
    ] = False,
) -> None:
    """Go on with new keys, while the service runs. 轮换密钥。

    token: the next key signs, the one after it is published, keys whose last token is over go. The first time there is no next key: it is
    published, and a second call, a quarter of an hour later, goes on. root: every key is wrapped again under a new root key; no data is
    touched, and the old root key is kept for old backups.
    """
    from app.application import Application
    from app.cli.session import run

    async def work(application: Application) -> list[str]:
        return await (_token(application, compromised=compromised) if what is Turned.TOKEN else _root(application))

    for line in run(work):
        typer.echo(line)


async def _token(application: "Application", *, compromised: bool) -> list[str]:
    from app.auth import epochs
    from app.auth.key_renewal import TOKEN_KEYS
    from app.auth.service import MAX_MINTED_SECONDS
    from app.cli.session import on_record
    from app.crypto.rotation import turn_token_keys

    async with on_record(application, "keys.rotate", {"keys": "token", "compromised": compromised}) as unit:
        await epochs.bump(unit.session, epochs.TOKENS, TOKEN_KEYS)
        turn = await turn_token_keys(
            unit.session,
            application.keyring,
            clock=application.clock,
            known_after=_KNOWN_AFTER,
            signed_for=timedelta(seconds=MAX_MINTED_SECONDS + application.settings.tokens.leeway_seconds),
            compromised=compromised,
        )
    began = "no other key signs yet" if turn.signs is None else f"signs now: {turn.signs}"
    return [began, f"next: {turn.published}", *(f"retired: {kid}" for kid in turn.retired)]


async def _root(application: "Application") -> list[str]:
    from app.cli.session import on_record
    from app.crypto.rotation import rotate_root
    from app.opening import key_provider

    provider = key_provider(application.settings)
    async with on_record(application, "keys.rotate", {"keys": "root"}) as unit:
        count = await rotate_root(unit.session, provider)
    return [f"root {provider.describe().root_id} wraps {count} keys"]


@app.command()
def retag(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False
) -> None:
    """Write the search tags that are absent, and plan them anew where the directory has outgrown them. 补写检索标签。

    The worker does the same when it starts and every hour. May be cut off and repeated, and run beside the service on PostgreSQL. Every
    opened value is on record as used by the job, and told to nobody. Prints how many values share a tag, as measured.
    """
    import orjson
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from app.application import Application
    from app.cli.session import run
    from app.lookups.retagging import RetagReport

    async def work(application: Application) -> RetagReport:
        total = await application.contact_rows.size()
        console = Console(stderr=True)
        columns = (*Progress.get_default_columns(), TextColumn("contacts"), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=as_json or not console.is_terminal) as bar:
            task = bar.add_task("search tags", total=total)
            return await application.lookups.retagger.run(lambda seen: bar.update(task, completed=min(seen, total)))

    report = run(work)
    if as_json:
        typer.echo(orjson.dumps(report.document()).decode())
        return
    typer.echo(f"generation {report.generation.number}: {report.tagged} contacts tagged")
    for each in report.spreads:
        typer.echo(
            f"{each.kind.value}: {each.values} values, {each.bits} bits, {each.least} to {each.most} share a tag, {each.alone} alone"
        )
    if report.left:
        typer.echo(f"{report.left} contacts could not be opened: see the security log", err=True)
        raise typer.Exit(1)
