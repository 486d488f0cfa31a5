"""``import``: a file to a running service, over HTTP. The store is never opened here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What a file is about."""

    NUMBERS = "numbers"
    CONTACTS = "contacts"


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="At most 64 MiB.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What the file is about: the live number plan, or people.")] = Kind.NUMBERS,
    written: Annotated[
        Format | None,
        typer.Option("--format", help="How it is written; by default by its name: .csv, .xlsx, .conf, .xml."),
    ] = None,
    domain: Annotated[str, typer.Option(help="Numbers: code of the numbering domain.")] = "main",
    profile: Annotated[
        str,
        typer.Option(help="People: how the sheet is written: generic, wecom, dingtalk, feishu, beisen, or your own."),
    ] = "generic",
    apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Do it, or only tell what would be done.")] = False,
    overrule: Annotated[
        bool,
        typer.Option("--overrule", help="Numbers: also nice numbers that are kept back; two people, the same file."),
    ] = False,
    url: Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")] = "http://127.0.0.1:8000",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="DUANHAO_TOKEN",
            show_envvar=True,
            help="Access token with scope numbers:admin; for people hr:write or contacts:write.",
        ),
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
    """Take over a live number plan (a sheet, Asterisk's pjsip.conf, FreeSWITCH's directory) or people from a sheet. 导入现网号码或人员。

    Prints each row that was not taken over with its reason, ranges that the numbers lack, columns that were not read, and totals. Again
    with the same file nothing changes. Exit codes: 0 every row is, or would be, as the file says; 1 some are not; 2 the file was refused,
    the import failed, the service could not be reached, or no worker took the file up within half an hour (after ten seconds it is said).
    """
    from app.cli.importing import Asked, hand_in
    from app.cli.numbering import Service
    from app.cli.pushing import Credentials

    asked = Asked(
        file=file,
        kind={Kind.NUMBERS: "number_plan", Kind.CONTACTS: "contacts"}[kind],
        format=None if written is None else written.value,
        domain=domain,
        profile=profile,
        dry_run=not apply,
        overrule=overrule,
    )
    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(hand_in(service, asked, as_json=as_json))
