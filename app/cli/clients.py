"""``clients``: service accounts and front ends."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.custody.founding import Waits

app = typer.Typer(no_args_is_help=True, help="Service accounts and front ends. 服务账号与前端应用。")
Id = Annotated[str, typer.Argument(help="Client id.")]
Uris = Annotated[
    list[str], typer.Option("--redirect-uri", help="Where people come back to after signing in; repeat for more.")
]
Scopes = Annotated[list[str], typer.Option("--scope", help="A scope; repeat for more.")]


@app.command()
def add(
    client_id: Id,
    name: Annotated[str, typer.Option(help="What it is called.")],
    scope: Scopes = [],  # noqa: B006 — typer copies it
    ceiling: Annotated[str | None, typer.Option(help="Highest field class that it may show: C1 to C5.")] = None,
    redirect_uri: Uris = [],  # noqa: B006 — typer copies it
    *,
    front_end: Annotated[
        bool, typer.Option("--front-end", help="People sign in through it; it has no secret.")
    ] = False,
    exchanges: Annotated[
        bool,
        typer.Option("--may-exchange", help="A back end that acts for people with tokens it exchanges theirs for."),
    ] = False,
) -> None:
    """Make a client and print its secret, this once. 新建服务账号并显示一次密钥。

    Once security is appointed a service account comes of a request of kind client.register; front ends, back ends that act for people and
    systems that read the log are made by two operators. Exit codes: 0 made, 1 put down, 2 refused.
    """
    from app.application import Application
    from app.auth.clients import NewClient
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> str | Waits | None:
        new = NewClient(client_id, name, scopes=scope, ceiling=ceiling, confidential=not front_end, exchanges=exchanges)
        return await giving.add_client(application, new, redirect_uri)

    _say(run(work) or client_id)


@app.command("list")
def every() -> None:
    """List clients: id, state, scopes, whether they may exchange tokens, who answers for them. 列出服务账号。"""
    from app.application import Application
    from app.cli.session import run

    async def work(application: Application) -> list[str]:
        found = await application.clients.list(application.database.reader)
        return [
            "\t".join(
                (
                    each.client_id,
                    each.state,
                    " ".join(sorted(each.scopes)),
                    *(["exchanges"] * each.exchanges),
                    *([] if each.owner is None else [f"owner={each.owner}"]),
                )
            )
            for each in found
        ]

    for line in run(work):
        typer.echo(line)


@app.command("rotate-secret")
def rotate_secret(client_id: Id) -> None:
    """Give a client that nobody answers for a new secret and print it, this once, to the second of two operators. 更换密钥。

    Tokens from before are dead. Who answers for a client gets its secret at POST /v1/clients/{id}/secrets, and nobody gets it here.
    """
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> str | Waits:
        return await giving.rotate_secret(application, client_id)

    _say(run(work))


@app.command()
def exchange(
    client_id: Id, *, allow: Annotated[bool, typer.Option("--allow/--deny", help="Whether it may.")] = True
) -> None:
    """Let a back end act for people by token exchange (two operators), or no longer; its tokens from before are dead. 授权代表用户访问。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> Waits | None:
        return await giving.let_exchange(application, client_id, allow=allow)

    _say(run(work))


@app.command()
def disable(client_id: Id) -> None:
    """End a client at once. 停用服务账号。"""
    from app.application import Application
    from app.cli.session import operator, run

    async def work(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            await application.clients.disable(unit.session, client_id)
            await application.custody.founding.record(unit, operator(), "client.disable", {"client_id": client_id})

    run(work)


@app.command("redirect-uris")
def redirect_uris(
    client_id: Id,
    add: Annotated[list[str], typer.Option("--add", help="Register an address; repeat for more.")] = [],  # noqa: B006 — typer copies it
    remove: Annotated[list[str], typer.Option("--remove", help="Take one back; repeat for more.")] = [],  # noqa: B006 — as above
) -> None:
    """List, and change, where people come back to after signing in; a new address takes two operators. 查看或修改回调地址。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> list[str] | Waits:
        waits = await giving.redirect(application, client_id, add, remove)
        return waits or await application.sign_in.redirects.of(application.database.reader, client_id)

    found = run(work)
    if isinstance(found, Waits):
        _say(found)
    else:
        for uri in found:
            typer.echo(uri)


def _say(outcome: "str | Waits | None") -> None:
    """Print what was made; end with exit code 1 when another operator has to make it."""
    from app.cli.giving import waiting

    if isinstance(outcome, str):
        typer.echo(outcome)
    elif outcome is not None:
        typer.echo(waiting(outcome), err=True)
        raise typer.Exit(1)
