"""``hr``: personnel events to a running service, over HTTP, and the sources that sign theirs. Only ``hr sources`` opens the store."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli import hr_sources

app = typer.Typer(no_args_is_help=True, help="Personnel events. 人事事件。")


app.add_typer(hr_sources.app, name="sources")


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
    secret_file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="File with the signing secret of the source, for a token."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Send events in order, each once. 按顺序发送人事事件。

    Totals by state stand at the end, and each event with a problem by its line. Sending a file again is harmless: the service tells again
    what became of each event. Exit codes: 0 all applied, 1 some could not be applied, 2 the file or an event was refused or the service
    could not be reached; then nothing after that event was sent.
    """
    from app.cli.pushing import Credentials, push_file

    credentials = Credentials(token, client_id, client_secret, secret_file)
    raise typer.Exit(push_file(file, url, credentials, as_json=as_json))


class Format(StrEnum):
    """How a head-count is written."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


class Language(StrEnum):
    """The language of the table."""

    EN = "en"
    ZH = "zh"


@app.command()
def reconcile(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Everybody in service; at most 64 MiB.")
    ],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the diff after showing it.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="When the file was true, RFC 3339; by default when it was last written.")
    ] = None,
    department: Annotated[
        str | None, typer.Option(help="Code of the department that it is of, with all below.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="The personnel system; by default the client id.")] = None,
    written: Annotated[
        Format | None, typer.Option("--format", help="How it is written; by default by its name: .jsonl, .csv, .xlsx.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the table.")] = Language.ZH,
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
    """Hold a head-count against the directory: the diff as a table, then applied with --apply. 花名册对账，先看差异再应用。

    Whoever is in service here and not in the file is a leaver. Exit codes: 0 nothing differs, or all of it was applied; 1 there are
    differences, or some could not be applied; 2 the file was refused, a job failed, the service could not be reached, or no worker took a
    job up within half an hour (after ten seconds it is said); 3 more would leave than may without an approved request, and nothing was
    applied.
    """
    from app.cli.headcounts import Asked
    from app.cli.headcounts import reconcile as run
    from app.cli.numbering import Service
    from app.cli.pushing import Credentials

    asked = Asked(
        file=file,
        format=None if written is None else written.value,
        source=source,
        as_of=as_of,
        department=department,
        apply=apply,
        language="zh" if lang is Language.ZH else "en",
    )
    raise typer.Exit(
        run(Service(url=url, credentials=Credentials(token, client_id, client_secret)), asked, as_json=as_json)
    )


@app.command()
def deadlines(
    since: Annotated[str | None, typer.Option("--from", help="First day on which one was due: 2026-01-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day on which one was due.")] = None,
    *,
    department: Annotated[str | None, typer.Option(help="Code or id of a department, with those below it.")] = None,
    kind: Annotated[str | None, typer.Option(help="joiner, mover or leaver.")] = None,
    url: Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")] = "http://127.0.0.1:8000",
    token: Annotated[
        str | None,
        typer.Option(envvar="DUANHAO_TOKEN", show_envvar=True, help="Your own access token: HR, auditor, or head."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")] = False,
) -> None:
    """Report deadlines met, late and open, by month, kind and department; the last twelve months unless told. 期限执行报告。

    Language: DUANHAO_LANGUAGE, else LANG. Exit codes: 0 none was broken, 1 one was, 2 it could not be found out.
    """
    from app.cli.deadlines import report
    from app.cli.numbering import Service
    from app.cli.pushing import Credentials
    from app.doctor.findings import language

    asked = {"from": since, "to": until, "department": department, "kind": kind}
    query = {name: value for name, value in asked.items() if value is not None}
    service = Service(url=url, credentials=Credentials(token))
    raise typer.Exit(report(service, query, language(os.environ.get("DUANHAO_LANGUAGE")), as_json=as_json))
