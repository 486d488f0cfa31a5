"""``audit``: the access log, looked at from outside of the service.

Both commands read and write nothing: no key is made, no schema brought up, no lock taken. They work beside a running server as well as
on a store that nobody serves, and with the public key alone. What they read are hashes, signatures and the log's own rows, and what they
print names indexes and never a person, so they disclose nothing and are no events of the log.

Exit codes: 0 the log is whole, 1 it is damaged, 2 it could not be read.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The access log. 访问日志。")

AsJson = Annotated[bool, typer.Option("--json", help="For machines. 输出 JSON。")]
PublicKey = Annotated[
    str | None,
    typer.Option(
        help="Verifier key (name+id+key), or a file that holds it; default: the store's own. 验证公钥。",
        metavar="KEY|FILE",
    ),
]
LogFile = Annotated[
    Path | None, typer.Option("--log", help="A copy of a SQLite log, instead of the configured store. 日志文件副本。")
]
Against = Annotated[
    list[Path] | None,
    typer.Option(help="A file of checkpoints kept elsewhere; repeat for more. 与另存的检查点比对。", metavar="FILE"),
]


@app.command(help="Print the newest signed checkpoint, and the key that verifies it. 显示最新的签名检查点。")
def head(*, public_key: PublicKey = None, log: LogFile = None, as_json: AsJson = False) -> None:
    """Print the head; exit 1 when its signature does not fit."""
    from app.cli.verifying import Place, show_head
    from app.config import Settings

    raise typer.Exit(show_head(Place(Settings(), public_key, log), as_json=as_json))


@app.command(help="Compute the whole log again, and name the first index that differs. 校验整个访问日志。")
def verify(
    *, against: Against = None, public_key: PublicKey = None, log: LogFile = None, as_json: AsJson = False
) -> None:
    """Verify the log; exit 1 when anything in it differs."""
    from app.cli.verifying import Place, show_verification
    from app.config import Settings

    raise typer.Exit(show_verification(Place(Settings(), public_key, log), against or (), as_json=as_json))
