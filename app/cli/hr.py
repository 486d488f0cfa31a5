"""``hr``: personnel events to a running service, over HTTP. The store is never opened here."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Personnel events. 人事事件。")


@app.callback()
def nouns() -> None:
    """Keep the verb."""


@app.command()
def push(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON lines: one event a line.")
    ],
    *,
    url: Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")] = "http://127.0.0.1:8000",
    token: Annotated[
        str | None, typer.Option(envvar="DUANHAO_TOKEN", show_envvar=True, help="Access token with scope hr:write.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(envvar="DUANHAO_CLIENT_ID", help="Client id, to get a token with.")
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(envvar="DUANHAO_CLIENT_SECRET", help="Its secret; better in the environment than in a command."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Send events in order, each once. 按顺序发送人事事件。

    Totals by state stand at the end, and each event with a problem by its line. Sending a file again is harmless: the service tells again
    what became of each event. Exit codes: 0 all applied, 1 some could not be applied, 2 the file or an event was refused or the service
    could not be reached; then nothing after that event was sent.
    """
    from app.cli.pushing import Credentials, push_file

    raise typer.Exit(push_file(file, url, Credentials(token, client_id, client_secret), as_json=as_json))
