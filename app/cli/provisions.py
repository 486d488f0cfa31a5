"""``provisions``: a recipient's keys, and a package opened without any service. No store is opened."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Packages for recipients outside. 对外提供的资料包。")


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="Where the secret key is written, for your eyes only (0600).")],
) -> None:
    """Make a recipient's keys and print the public one, to be given to whoever provides. 生成接收方密钥。"""
    from app.cli.packages import make_keys

    raise SystemExit(make_keys(file))


@app.command("open")
def open_(
    file: Annotated[Path, typer.Argument(help="The package: the answer's content, decoded from base64.")],
    *,
    key: Annotated[
        Path | None, typer.Option(help="Your secret key file; without it you are asked for the passphrase.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the package as one JSON object.")] = False,
) -> None:
    """Open a package with your key, or with the passphrase that you were told. 离线开启资料包。

    Exit codes: 0 opened; 2 not opened.
    """
    from app.cli.packages import open_package

    passphrase = typer.prompt("Passphrase 口令", hide_input=True, err=True) if key is None else None
    raise SystemExit(open_package(file, key=key, passphrase=passphrase, as_json=as_json))
