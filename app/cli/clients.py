"""``clients``: service accounts and front ends."""

from typing import Annotated

import typer

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
    """Make a client and print its secret, this once. 新建服务账号并显示一次密钥。"""
    from app.application import Application
    from app.auth.clients import NewClient
    from app.cli.session import on_record, run

    async def work(application: Application) -> str | None:
        detail = {
            "client_id": client_id,
            "scopes": sorted(scope),
            "redirect_uris": sorted(redirect_uri),
            "exchanges": exchanges,
        }
        async with on_record(application, "client.create", detail) as unit:
            new = NewClient(
                client_id, name, scopes=scope, ceiling=ceiling, confidential=not front_end, exchanges=exchanges
            )
            made = await application.clients.add(unit.session, new)
            await application.sign_in.redirects.add(unit.session, client_id, redirect_uri, at=application.clock.now())
            return made.secret

    typer.echo(run(work) or client_id)


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
    """Give a client a new secret and print it, this once; tokens from before are dead. 更换密钥。"""
    from app.application import Application
    from app.cli.session import on_record, run

    async def work(application: Application) -> str | None:
        async with on_record(application, "client.rotate_secret", {"client_id": client_id}) as unit:
            return (await application.clients.rotate_secret(unit.session, client_id)).secret

    typer.echo(run(work))


@app.command()
def exchange(
    client_id: Id, *, allow: Annotated[bool, typer.Option("--allow/--deny", help="Whether it may.")] = True
) -> None:
    """Let a back end act for people by token exchange, or no longer; its tokens from before are dead. 授权代表用户访问。"""
    from app.application import Application
    from app.cli.session import on_record, run

    async def work(application: Application) -> None:
        async with on_record(application, "client.exchange", {"client_id": client_id, "allowed": allow}) as unit:
            await application.clients.let_exchange(unit.session, client_id, allowed=allow)

    run(work)


@app.command()
def disable(client_id: Id) -> None:
    """End a client at once. 停用服务账号。"""
    from app.application import Application
    from app.cli.session import on_record, run

    async def work(application: Application) -> None:
        async with on_record(application, "client.disable", {"client_id": client_id}) as unit:
            await application.clients.disable(unit.session, client_id)

    run(work)


@app.command("redirect-uris")
def redirect_uris(
    client_id: Id,
    add: Annotated[list[str], typer.Option("--add", help="Register an address; repeat for more.")] = [],  # noqa: B006 — typer copies it
    remove: Annotated[list[str], typer.Option("--remove", help="Take one back; repeat for more.")] = [],  # noqa: B006 — as above
) -> None:
    """List, and change, where people come back to after signing in through a client. 查看或修改回调地址。"""
    from app.application import Application
    from app.auth.errors import ClientNotFound
    from app.cli.session import on_record, run

    async def work(application: Application) -> list[str]:
        redirects = application.sign_in.redirects
        if await application.clients.by_client_id(application.database.reader, client_id) is None:
            raise ClientNotFound
        if add or remove:
            detail = {"client_id": client_id, "added": sorted(add), "removed": sorted(remove)}
            async with on_record(application, "client.redirect_uris", detail) as unit:
                for uri in remove:
                    await redirects.remove(unit.session, client_id, uri)
                await redirects.add(unit.session, client_id, add, at=application.clock.now())
        return await redirects.of(application.database.reader, client_id)

    for uri in run(work):
        typer.echo(uri)
