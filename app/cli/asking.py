"""Commands made of functions that ask a running service: each has the options of all that do, and gives its number as exit code."""

import inspect
from collections.abc import Callable
from typing import Any, Final

import typer

from app.cli.options import AsJson, ClientId, ClientSecret, Token, Url

_LOCAL: Final = "http://127.0.0.1:8000"
_COMMON: Final = {
    "url": (Url, _LOCAL),
    "token": (Token, None),
    "client_id": (ClientId, None),
    "client_secret": (ClientSecret, None),
    "as_json": (AsJson, False),
}


def over_http(command: Callable[..., int]) -> Callable[..., None]:
    """Make a command of what asks a service: with the options of all that do, and its number as exit code."""
    own = inspect.signature(command)
    mine = [each for name, each in own.parameters.items() if name not in {"service", "as_json"}]

    def run(**given: Any) -> None:  # noqa: ANN401 — as typer read them
        from app.cli.numbering import Service
        from app.cli.pushing import Credentials

        url, *credentials = (given.pop(name) for name in ("url", "token", "client_id", "client_secret"))
        raise typer.Exit(command(service=Service(url=url, credentials=Credentials(*credentials)), **given))

    keyword = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter(name, keyword, default=default, annotation=kind) for name, (kind, default) in _COMMON.items()
    ]
    signature = inspect.Signature([*(each.replace(kind=keyword) for each in mine), *common])
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    vars(run)["__signature__"] = signature
    run.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    return run
