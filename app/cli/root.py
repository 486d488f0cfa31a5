"""``duanhao``: one entry point.

Exit codes everywhere: 0 done, 1 done but something is wrong with what was looked at, 2 could not be done, or not while production refuses.
"""

import sys
from typing import Annotated

import typer

from app import __version__
from app.cli import (
    archive,
    audit,
    calendar,
    clients,
    db,
    demo,
    devices,
    doctor,
    emergency,
    history,
    hr,
    imports,
    keys,
    numbers,
    openapi,
    policy,
    provisions,
    serve,
    tokens,
    users,
)

app = typer.Typer(
    name="duanhao",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Duanhao 短号: contacts, short numbers, and who looked.",
)
for name, noun in (
    ("db", db.app),
    ("keys", keys.app),
    ("token", tokens.app),
    ("clients", clients.app),
    ("users", users.app),
    ("hr", hr.app),
    ("numbers", numbers.app),
    ("devices", devices.app),
    ("policy", policy.app),
    ("calendar", calendar.app),
    ("audit", audit.app),
    ("emergency", emergency.app),
    ("history", history.app),
    ("archive", archive.app),
    ("provisions", provisions.app),
    ("openapi", openapi.app),
    ("demo", demo.app),
):
    app.add_typer(noun, name=name)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("doctor")(doctor.doctor)
app.command("import")(imports.import_file)


@app.callback(invoke_without_command=True)
def root(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Take the options that stand before the noun."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run; a problem is one line on standard error and exit code 2."""
    from app.cli.failures import explained

    with explained():
        app()
    sys.exit(0)
