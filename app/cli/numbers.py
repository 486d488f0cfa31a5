"""``numbers``: giving numbers out and taking them back on a running service, over HTTP. The store is never opened here."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.number_moves import COMMANDS
from app.cli.options import AsJson, ClientId, ClientSecret, Token, Url

app = typer.Typer(no_args_is_help=True, help="Short numbers. 短号。")

_LOCAL = "http://127.0.0.1:8000"


@app.command()
def allocate(
    pool: Annotated[str, typer.Argument(help="Code or id of the pool.")],
    *,
    holder: Annotated[str, typer.Option(help="Who gets them: a contact's id, or `department:CODE`.")],
    count: Annotated[int, typer.Option(min=1, max=500, help="How many; all or none.")] = 1,
    digits: Annotated[str | None, typer.Option(help="This number and no other.")] = None,
    consumer_ref: Annotated[
        str | None, typer.Option(help="Your own name for it: repeated, the same numbers are told again.")
    ] = None,
    url: Url = _LOCAL,
    token: Token = None,
    client_id: ClientId = None,
    client_secret: ClientSecret = None,
    as_json: AsJson = False,
) -> None:
    """Give the next numbers of a pool, or a given one, to somebody. 从号段池分配号码。

    Prints the numbers on one line. Exit codes: 0 given; 1 the plan says no (too few free, number taken or resting, reference used for
    something else) and nothing was taken; 2 the call was refused otherwise or the service could not be reached.
    """
    from app.cli.numbering import Service
    from app.cli.numbering import allocate as ask
    from app.cli.pushing import Credentials

    kind, _, identity = holder.rpartition(":")
    body = {
        "holder": {"type": kind or "contact", "id": identity},
        "count": count,
        **({} if digits is None else {"digits": digits}),
        **({} if consumer_ref is None else {"consumer_ref": consumer_ref}),
    }
    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(ask(service, pool, body, as_json=as_json))


@app.command()
def release(
    digits: Annotated[str, typer.Argument(help="The number.")],
    *,
    reason: Annotated[str, typer.Option(help="released, left, moved, expired or abused.")] = "released",
    domain: Annotated[str | None, typer.Option(help="Numbering domain, where two have this number.")] = None,
    url: Url = _LOCAL,
    token: Token = None,
    client_id: ClientId = None,
    client_secret: ClientSecret = None,
    as_json: AsJson = False,
) -> None:
    """Take a number back; it rests as long as its pool and the reason say. 释放号码，进入冷冻期。

    Exit codes: 0 released; 1 nobody holds it; 2 there is no such number, the call was refused or the service could not be reached.
    """
    from app.cli.numbering import Service
    from app.cli.numbering import release as ask
    from app.cli.pushing import Credentials

    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(ask(service, digits, reason, domain, as_json=as_json))


@app.command()
def forecast(
    pool: Annotated[str, typer.Argument(help="Code or id of the pool.")],
    *,
    joiners: Annotated[
        int,
        typer.Option(
            min=0, help="So many numbers are needed besides, which neither past weeks nor HR's announcements tell."
        ),
    ] = 0,
    joiners_by: Annotated[str | None, typer.Option(help="On this day (YYYY-MM-DD); today by default.")] = None,
    url: Url = _LOCAL,
    token: Token = None,
    client_id: ClientId = None,
    client_secret: ClientSecret = None,
    as_json: AsJson = False,
) -> None:
    """Tell when a pool runs out, by its net take-up of the weeks before and the joiners whom HR has announced. 预测号段池何时用尽。

    A person's token without numbers:allocate or numbers:admin is told nothing of joiners (announced: -). Exit codes: 0 told;
    1 told, and it lasts no longer than the pool's lead time; 2 there is no such pool, the call was refused or the service could not be
    reached.
    """
    from app.cli.numbering import Service
    from app.cli.numbering import forecast as ask
    from app.cli.pushing import Credentials

    query = {"joiners": str(joiners), **({} if joiners_by is None else {"joiners_by": joiners_by})}
    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(ask(service, pool, query, as_json=as_json))


@app.command()
def check(
    *,
    findings: Annotated[int, typer.Option(min=0, max=200, help="Most findings of each rule; all are counted.")] = 20,
    url: Url = _LOCAL,
    token: Token = None,
    client_id: ClientId = None,
    client_secret: ClientSecret = None,
    as_json: AsJson = False,
) -> None:
    """Check everything that is always true of numbers, holders, cards and calling privileges. 检查号码数据是否一致。

    Needs the scope numbers:admin. Language: DUANHAO_LANGUAGE, else LANG. Exit codes: 0 sound; 1 something is broken; 2 it could not be
    checked: the call was refused or the service could not be reached.
    """
    import os

    from app.cli.numbering import Service
    from app.cli.pushing import Credentials
    from app.cli.reconciling import check as ask
    from app.doctor.findings import language

    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    raise typer.Exit(ask(service, findings, language(os.environ.get("DUANHAO_LANGUAGE")), as_json=as_json))


@app.command()
def reconcile(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="What the exchange says of itself.")
    ],
    *,
    format: Annotated[  # noqa: A002 — the option's name
        Literal["asterisk", "freeswitch", "sheet"],
        typer.Option(help="pjsip.conf, directory XML, or CSV/XLSX with a column of numbers."),
    ],
    domain: Annotated[str, typer.Option(help="Numbering domain that the exchange switches.")] = "main",
    url: Url = _LOCAL,
    token: Token = None,
    client_id: ClientId = None,
    client_secret: ClientSecret = None,
    as_json: AsJson = False,
) -> None:
    """Tell where an exchange and the directory differ, both ways; nothing is changed. 与交换机核对号码差异。

    Needs the scope numbers:admin. Language: DUANHAO_LANGUAGE, else LANG. Exit codes: 0 no drift; 1 drift; 2 it could not be found out: the
    call was refused, the answer was cut off, or the service could not be reached.
    """
    import os

    from app.cli.numbering import Service
    from app.cli.pushing import Credentials
    from app.cli.reconciling import reconcile as ask
    from app.doctor.findings import language

    service = Service(url=url, credentials=Credentials(token, client_id, client_secret))
    tongue = language(os.environ.get("DUANHAO_LANGUAGE"))
    raise typer.Exit(ask(service, file, {"format": format, "domain": domain}, tongue, as_json=as_json))


for each in COMMANDS:
    app.command()(each)
