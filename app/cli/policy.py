"""``policy``: packs checked and tried without a store; put in force, or back, by whoever holds the machine, on record."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.custody.founding import Waits

app = typer.Typer(no_args_is_help=True, help="Policy packs. 权限策略。")

File = Annotated[
    str, typer.Argument(help="A pack's file, or `default` or `strict` for one that ships with the service.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the list of activations.")]


@app.command()
def check(file: File, *, as_json: AsJson = False) -> None:
    """Read a pack and say what is wrong with it, line by line. 检查策略文件。

    Tests stand in the pack, or beside it in NAME.tests.yaml. Remarks name what can never matter: rules that apply to nobody, grants above
    a cap that always holds, fields that there are not. Exit codes: 0 a pack, with or without remarks; 1 not a pack; 2 it cannot be read.
    """
    from app.cli.policing import check_file

    raise typer.Exit(check_file(file, as_json=as_json))


@app.command("test")
def try_them(
    file: Annotated[
        str | None, typer.Argument(help="As for `check`; left out, both packs that ship are tried.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Try the tests that a pack carries. 运行策略自带的测试。

    Exit codes: 0 all hold, 1 some fail or it is not a pack, 2 it cannot be read.
    """
    from app.cli.policing import try_files

    raise typer.Exit(try_files([file] if file else ["default", "strict"], as_json=as_json))


@app.command()
def activate(
    version: Annotated[
        str, typer.Argument(help="A stored version (id, or as in `open-1.1.0`), or a pack as for `check`.")
    ],
    *,
    reason: Reason,
    simulation: Annotated[str | None, typer.Option(help="Id of the simulation that was looked at before.")] = None,
) -> None:
    """Put a pack in force, also in servers that run; its own tests must hold. 启用策略。"""
    from app.cli.policing import activate_version

    _say(activate_version(version, reason, simulation))


@app.command()
def rollback(*, reason: Reason) -> None:
    """Put back in force what was in force before. 回退到上一策略。"""
    from app.cli.policing import roll_back

    _say(roll_back(reason))


@app.command()
def simulate(
    file: File,
    *,
    sample: Annotated[
        int, typer.Option(min=1, max=20_000, help="Most viewers, and most contacts, to ask about.")
    ] = 2_000,
    as_json: AsJson = False,
) -> None:
    """Count what a pack would give and take if it were in force, without changing anything. 模拟策略的影响。

    Opens the store; the simulation is stored, and its id is what `activate --simulation` takes. Exit codes: 0 counted, 1 not a pack.
    """
    from app.cli.policing import simulate_file

    raise typer.Exit(simulate_file(file, sample, as_json=as_json))


def _say(outcome: "str | Waits") -> None:
    """Print what is in force; end with exit code 1 when another operator has to put it there."""
    from app.cli.giving import waiting

    if not isinstance(outcome, str):
        typer.echo(waiting(outcome), err=True)
        raise typer.Exit(1)
    typer.echo(outcome)
