"""Options of commands that call a running service: where it is, what to sign in with, and whether the answer is for a machine."""

from typing import Annotated

import typer

Url = Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="DUANHAO_TOKEN", show_envvar=True, help="Access token with the scope of the command."),
]
ClientId = Annotated[str | None, typer.Option(envvar="DUANHAO_CLIENT_ID", help="Client id, to get a token with.")]
ClientSecret = Annotated[
    str | None,
    typer.Option(envvar="DUANHAO_CLIENT_SECRET", help="Its secret; better in the environment than in a command."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")]
