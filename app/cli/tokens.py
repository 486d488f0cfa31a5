"""``token``: tokens for trying things out, and for scripts."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Access tokens. 访问令牌。")


@app.callback()
def nouns() -> None:
    """Keep the verb."""


@app.command()
def mint(
    name: Annotated[str, typer.Argument(help="A service account or, in development, a person's user name.")],
    ttl: Annotated[int | None, typer.Option(min=30, help="Life in seconds.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; required in production.")] = None,
) -> None:
    """Print one token and nothing else; in production of a service account alone, by two operators. 打印一个令牌。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import operator, run
    from app.custody.founding import Waits

    async def work(application: Application) -> str | Waits:
        async with application.database.unit_of_work() as unit:
            waits = await giving.mint(application, unit, name, reason or "")
            if waits is not None:
                return waits
        token = await application.tokens.mint(
            application.database.reader, name, lifetime_seconds=ttl, reason=reason or ""
        )
        detail = {"client": application.terms.masked(name), "jti": token.jti, "expires_at": token.expires_at}
        async with application.database.unit_of_work() as unit:
            await application.custody.founding.record(unit, operator(), "token.mint", detail)
        return token.text

    minted = run(work)
    if isinstance(minted, Waits):
        typer.echo(giving.waiting(minted), err=True)
        raise typer.Exit(1)
    typer.echo(minted)
