"""``doctor``: what is wrong with this installation, and how to mend it."""

from typing import Annotated

import typer


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="For machines. 输出 JSON。")] = False) -> None:
    """Tell what is wrong and how to mend it; writes nothing, prints no secret. 检查安装并给出修复办法。

    Works whatever is broken: without a database, with a wrong key, on a stale schema. Run it where the service runs, as its user and with
    its settings. Language: DUANHAO_LANGUAGE, else LANG. Exit codes: 0 all is well, 1 there are warnings, 2 there are errors.
    """
    import asyncio
    import os

    import orjson

    from app.doctor.examination import examined
    from app.doctor.findings import document, language, lines, worst

    settings, findings = asyncio.run(examined())
    if as_json:
        typer.echo(orjson.dumps(document(findings)))
    else:
        configured = settings.language if settings is not None else os.environ.get("DUANHAO_LANGUAGE")
        typer.echo("\n".join(lines(findings, language(configured))))
    raise typer.Exit(int(worst(findings)))
