"""``calendar``: which days are worked, and a year's notice taken by whoever holds the machine, on record."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Working days. 工作日。")


@app.command()
def show(
    year: Annotated[int, typer.Argument(min=2000, max=2100, help="The year.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell whether a year is confirmed, and which of its days are not as their weekday. 显示某年的放假与调休安排。"""
    from app.cli.calendar_table import show_year

    show_year(year, as_json=as_json)


@app.command("import")
def import_file(
    file: Annotated[
        str, typer.Argument(help="JSON as `POST /v1/calendar/revisions` takes it; `-` for standard input.")
    ],
) -> None:
    """Confirm a year, or set days of the company's own. 录入年度放假安排或本单位的调整。

    All of the file or nothing. Exit codes: 0 taken; 1 something in it cannot be right, each fault on a line; 2 it cannot be read.
    """
    from app.cli.calendar_table import import_revision

    raise typer.Exit(import_revision(file))
