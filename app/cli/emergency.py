"""``emergency``: a custodian's keys, the nightly sheet opened away from the service, and its records brought back. No store is opened."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The custodian's emergency sheet. 应急联系单。")

_LOCAL = "http://127.0.0.1:8000"
_RECORDS = Path("emergency-openings.jsonl")


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="Where the secret key is written, for your eyes only (0600).")],
) -> None:
    """Make a custodian's keys and print the public one, to be given to the service. 生成保管人密钥。"""
    from app.cli.sheets import make_keys

    raise SystemExit(make_keys(file))


@app.command("open")
def open_(
    file: Annotated[Path, typer.Argument(help="The sheet, as it was fetched.")],
    *,
    key: Annotated[Path, typer.Option(help="Your secret key file.")],
    reason: Annotated[str, typer.Option(help="Why you open it; signed, and uploaded later.")],
    records: Annotated[Path, typer.Option(help="File to which the record of this opening is appended.")] = _RECORDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sheet as one JSON object.")] = False,
) -> None:
    """Open a sheet, without any service: the reason is put on record first, then the sheet is printed. 离线开启应急联系单。

    Exit codes: 0 opened; 2 not opened, or the record could not be written.
    """
    from app.cli.sheets import open_sheet

    raise SystemExit(open_sheet(file, key, reason, records, as_json=as_json))


@app.command()
def upload(
    records: Annotated[Path, typer.Argument(help="The file of opening records.")] = _RECORDS,
    *,
    url: Annotated[str, typer.Option(envvar="DUANHAO_URL", help="Where the service is.")] = _LOCAL,
    token: Annotated[
        str | None, typer.Option(envvar="DUANHAO_TOKEN", show_envvar=True, help="Your own access token.")
    ] = None,
) -> None:
    """Bring the records of openings to the service, into its log; again is harmless. 上传开启记录。"""
    from app.cli.numbering import Service
    from app.cli.pushing import Credentials
    from app.cli.sheets import upload as send

    raise SystemExit(send(Service(url=url, credentials=Credentials(token=token)), records))
