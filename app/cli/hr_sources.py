"""``hr sources``: whose signatures personnel events are taken under. The store is opened here, by the operating-system user."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.custody.founding import Waits

app = typer.Typer(no_args_is_help=True, help="Sources that sign their events. 人事事件来源与签名密钥。")
Name = Annotated[str, typer.Argument(help="The source, as its events name it.")]


@app.command()
def add(
    name: Name,
    client: Annotated[str, typer.Option(help="The service account that its signatures speak for; it needs hr:write.")],
) -> None:
    """Register a source and print its signing secret, this once, to the second of two operators. 登记来源并显示一次签名密钥。

    Its signatures give what a token of the service account gives, and no more. Exit codes: 0 made, 1 put down, 2 refused.
    """
    from app.application import Application
    from app.cli import sourcing
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> str | Waits:
        return await sourcing.add(application, name, client)

    _say(run(work))


@app.command("list")
def every() -> None:
    """List sources: name, state, service account, since when its secret is taken, until when the older one is. 列出来源。"""
    from app.application import Application
    from app.cli import sourcing
    from app.cli.session import run

    async def work(application: Application) -> list[str]:
        found = await application.hr.sources.all(application.database.reader)
        return [sourcing.line(each, application.clock.now()) for each in found]

    for line in run(work):
        typer.echo(line)


@app.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the older secret is taken beside the new one.")
    ] = 24,
) -> None:
    """Give a source a second secret and print it, this once, to the second of two operators. 更换签名密钥，旧密钥限期有效。

    Two are taken at the most: one that was replaced before is over at once.
    """
    from app.application import Application
    from app.cli import sourcing
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> str | Waits:
        return await sourcing.rotate(application, name, overlap_hours)

    _say(run(work))


@app.command()
def disable(name: Name) -> None:
    """Take no signature of a source any more, at once. 停用来源。"""
    from app.application import Application
    from app.cli import sourcing
    from app.cli.session import run

    async def work(application: Application) -> None:
        await sourcing.disable(application, name)

    run(work)


def _say(outcome: "str | Waits") -> None:
    """Print the secret; end with exit code 1 when another operator has to do it."""
    from app.cli.giving import waiting

    if isinstance(outcome, str):
        typer.echo(outcome)
    else:
        typer.echo(waiting(outcome), err=True)
        raise typer.Exit(1)
