"""``keys``: the root key and what hangs below it."""

import typer

app = typer.Typer(no_args_is_help=True, help="Keys. 密钥。")


@app.command()
def init() -> None:
    """Make the keys of an empty store; does nothing when they are there. 初始化密钥。"""
    from app.cli.session import run
    from app.composition import Application
    from app.opening import key_provider

    async def work(application: Application) -> str:
        status = key_provider(application.settings).describe()
        return f"{status.name} root {status.root_id}"

    typer.echo(run(work))


@app.command()
def status() -> None:
    """Tell who holds the root key and which versions are in use. 查看密钥状态。"""
    from app.cli.session import run
    from app.composition import Application
    from app.opening import key_provider

    async def work(application: Application) -> list[str]:
        status = key_provider(application.settings).describe()
        versions = [
            f"{purpose} v{application.keyring.current_version(purpose)}" for purpose in ("field", "index", "sign")
        ]
        return [f"root {status.root_id} ({status.name}{', generated' if status.generated else ''})", *versions]

    for line in run(work):
        typer.echo(line)
