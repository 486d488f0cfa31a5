"""``openapi``: the document that other teams build against."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The OpenAPI document. 接口文档。")
Target = Annotated[Path, typer.Option(help="The file.")]
_DEFAULT = Path("openapi/openapi.json")


def _document() -> bytes:
    import orjson

    from app.config import Settings
    from app.main import create_app

    return orjson.dumps(create_app(Settings()).openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


@app.command()
def write(file: Target = _DEFAULT) -> None:
    """Write the document from the code. 由代码生成接口文档。"""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_document())
    typer.echo(str(file))


@app.command()
def check(file: Target = _DEFAULT) -> None:
    """Exit 1 when the file is not what the code says. 检查接口文档是否最新。"""
    if not file.exists() or file.read_bytes() != _document():
        typer.echo(f"{file} is not what the code says: run `duanhao openapi write`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{file} is current")
