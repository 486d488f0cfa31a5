"""``demo``: a company to try the service with, and a call for each kind of caller that shows its main job. Never in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from app.config import Settings

if TYPE_CHECKING:
    from app.demo.loader import Progress

_HOUR: Final = 3600

app = typer.Typer(no_args_is_help=True, help="The demo company. 演示公司。")


@app.callback()
def nouns() -> None:
    """Keep the verb."""


@app.command()
def load() -> None:
    """Load 2,000 people who do not exist into an empty store; a store that holds anything is refused. 向空库载入演示公司。"""
    from app.application import Application
    from app.cli.session import operator, run
    from app.demo import loader

    settings = _development(Settings())

    async def work(application: Application) -> loader.DemoReport:
        with _progress() as tell:
            return await loader.load(application, author=operator(), progress=tell)

    report = run(work, settings=settings)
    said = _outcome(loaded=report.loaded, contacts=report.contacts, departments=report.departments)
    if not report.loaded:
        typer.echo(f"duanhao: the store is not empty · 数据库非空: {said}", err=True)
        raise typer.Exit(2)
    typer.echo(said)


def introduce(settings: Settings, base_url: str) -> None:
    """Load the company when the store is empty, then print where the documentation is and a call to paste for each kind of caller.

    ``base_url`` is where the server is about to listen. A store that has contacts keeps them; the tokens in the calls are fresh each time.
    """
    from app.application import Application
    from app.cli.session import operator, run
    from app.demo import introduction, loader

    reachable = base_url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

    async def work(application: Application) -> tuple[loader.DemoReport, tuple[introduction.Call, ...]]:
        with _progress() as tell:
            report = await loader.load(application, author=operator(), progress=tell)
        return report, await introduction.calls(application, operator(), reachable)

    report, calls = run(work, settings=_development(settings))
    lines = [
        "",
        f"Duanhao 短号 · {_outcome(loaded=report.loaded, contacts=report.contacts, departments=report.departments)}",
        f"Documentation · 接口文档：{reachable}/docs",
        "",
    ]
    for number, call in enumerate(calls, start=1):
        lines += [f"{number}. {call.caller.en}: {call.en}", f"   {call.caller.zh}：{call.zh}", "", call.command, ""]
    if calls:
        hours = introduction.TOKEN_SECONDS // _HOUR
        lines += [
            f"These tokens live {hours} hours. For another person or service account: duanhao token mint NAME",
            f"以上令牌 {hours} 小时内有效。其他人员或服务账号请用：duanhao token mint 账号",
            f"NAME · 账号：{', '.join(_names())}",
        ]
    else:
        lines.append(
            "The store holds other data than the demo, so there are no calls to paste. 库中不是演示数据，未生成示例调用。"
        )
    typer.echo("\n".join([*lines, ""]))


def _names() -> list[str]:
    from app.demo.staffing import CLIENTS, PRINCIPALS

    return [*(each.user_name for each in PRINCIPALS), *(each.client_id for each in CLIENTS if each.confidential)]


def _outcome(*, loaded: bool, contacts: int, departments: int) -> str:
    en, zh = ("loaded", "已载入") if loaded else ("kept as it was", "保留原有数据")
    return f"{contacts} contacts, {departments} departments, {en} · {contacts} 个联系人、{departments} 个部门，{zh}"


def _development(settings: Settings) -> Settings:
    if settings.env == "production":
        message = "production takes no demo · 生产环境不载入演示数据"
        raise typer.BadParameter(message)
    return settings


@contextmanager
def _progress() -> "Iterator[Progress]":
    """Show a bar on standard error from the first step on, which names what is being written; on no terminal it shows nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("demo", total=None, visible=False)
        yield lambda phase, done, total: bar.update(
            task, description=f"demo · {phase.label}", completed=done, total=total, visible=True
        )
