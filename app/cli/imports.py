"""``import``: a file to a running service, over HTTP. The store is never opened here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What a file is about."""

    NUMBERS = "numbers"


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="At most 64 MiB.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What the file is about: the live number plan.")] = Kind.NUMBERS,
    written: Annotated[
        Format | None,
        typer.Option("--format", help="How it is written; by default by its name: .csv, .xlsx, .conf, .xml."),
    ] = None,
    domain: Annotated[str, typer.Option(help="Code of the numbering domain.")] = "main",
    apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Do it, or only tell what would be done.")] = False,
    overrule: Annotated[
        bool, typer.Option("--overrule", help="Also nice numbers that are kept back; two people, the same file.")
    ] = False,
    url: Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")] = "http://127.0.0.1:8000",
    token: Annotated[
        str | None,
        typer.Option(envvar="DUANHAO_TOKEN", show_envvar=True, help="Access token with scope numbers:admin."),
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
    """Take over a live number plan: a sheet, Asterisk's pjsip.conf or FreeSWITCH's directory. 导入现网号码。

    Prints each row that was not taken over with its reason, ranges that the numbers lack, and totals. Again with the same file nothing
    changes. Exit codes: 0 every row is, or would be, as the file says; 1 some are not; 2 the file was refused, the import failed or the
    service could not be reached.
    """
    from app.cli.importing import Asked, hand_in
    from app.cli.numbering import Service
    from app.cli.pushing import Credentials

    asked = Asked(
        file=file,
        kind={Kind.NUMBERS: "number_plan"}[kind],
        format=None if written is None else written.value,
        domain=domain,
        dry_run=not apply,
        overrule=overrule,
    )
    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(hand_in(service, asked, as_json=as_json))
