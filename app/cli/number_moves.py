"""``numbers hold`` to ``numbers retire``: holding numbers, passing them on and taking them aside on a running service, over HTTP.

All of them end alike: 0 done, or ended already where a command only ends something, so that it may be repeated; 1 the plan says no (taken,
over, not held) and nothing was changed; 2 the call was refused otherwise, there is no such number or hold, or the service could not be
reached.
"""

from typing import Annotated, Any, Final

import typer

from app.cli.asking import over_http

Digits = Annotated[str, typer.Argument(help="The number.")]
Hold = Annotated[str, typer.Argument(help="Id of the hold.")]
Domain = Annotated[str | None, typer.Option(help="Numbering domain, where two have this number.")]
Until = Annotated[str | None, typer.Option(help="Until when: 2027-01-31T18:00:00+08:00.")]
Minutes = Annotated[int, typer.Option(min=1, help="For how long.")]
Holder = Annotated[str, typer.Option(help="A contact's id, or `department:CODE`, `room:CODE` …")]


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _holder(text: str) -> dict[str, str]:
    kind, _, identity = text.rpartition(":")
    return {"type": kind or "contact", "id": identity}


def hold(
    service: Any,  # noqa: ANN401 — a ``Service``, whose module is imported when a command runs
    pool: Annotated[str, typer.Argument(help="Code or id of the pool.")],
    purpose: Annotated[str, typer.Option(help="What for; stands in the hold.")],
    count: Annotated[int, typer.Option(min=1, max=500, help="How many; all or none.")] = 1,
    digits: Annotated[str | None, typer.Option(help="This number and no other.")] = None,
    pattern: Annotated[str | None, typer.Option(help="How they look: `?` is a digit, `*` any number of them.")] = None,
    minutes: Minutes = 30,
    *,
    as_json: bool,
) -> int:
    """Hold numbers of a pool for a while. 暂留号码。"""
    from app.cli import number_calls

    body = {"pool": pool, "purpose": purpose, "minutes": minutes, "count": count, "digits": digits, "pattern": pattern}
    return number_calls.hold(service, _given(body), as_json=as_json)


def holds(
    service: Any,  # noqa: ANN401 — as ``hold``
    pool: Annotated[str | None, typer.Option(help="Code or id of the pool.")] = None,
    expires_before: Annotated[str | None, typer.Option(help="Those that end before this moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most of them.")] = 20,
    *,
    as_json: bool,
) -> int:
    """List holds that are not over. 列出号码暂留。"""
    from app.cli import number_calls

    query = {"pool": pool, "expires_before": expires_before, "limit": str(limit)}
    return number_calls.holds(service, _given(query), as_json=as_json)


def extend(service: Any, hold: Hold, minutes: Minutes = 30, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """Hold for so long from now on. 延长暂留。"""
    from app.cli import number_calls

    return number_calls.extend(service, hold, minutes, as_json=as_json)


def drop(service: Any, hold: Hold, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """Let the numbers of a hold go. 取消暂留。"""
    from app.cli import number_calls

    return number_calls.drop(service, hold, as_json=as_json)


def transfer(
    service: Any,  # noqa: ANN401 — as ``hold``
    digits: Digits,
    to: Holder,
    holder: Annotated[str | None, typer.Option(help="Whose share of a line, as `--to`.")] = None,
    reason: Annotated[str, typer.Option(help="handover, moved or correction.")] = "handover",
    until: Until = None,
    domain: Domain = None,
    *,
    as_json: bool,
) -> int:
    """Let somebody else have a number at once. 号码过户。"""
    from app.cli import number_calls

    body = {"to": _holder(to), "holder": None if holder is None else _holder(holder), "reason": reason, "until": until}
    return number_calls.act(service, digits, "transfers", _given(body), domain, as_json=as_json)


def swap(
    service: Any,  # noqa: ANN401 — as ``hold``
    digits: Digits,
    other: Annotated[str, typer.Argument(help="The number that it changes holders with.")],
    reason: Annotated[str, typer.Option(help="handover, moved or correction.")] = "correction",
    domain: Domain = None,
    *,
    as_json: bool,
) -> int:
    """Let two numbers change holders. 号码互换。"""
    from app.cli import number_calls

    return number_calls.act(service, digits, "swaps", {"with": other, "reason": reason}, domain, as_json=as_json)


def restore(service: Any, digits: Digits, until: Until = None, domain: Domain = None, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """Give a number that rests back to whoever had it last. 归还原持有人。"""
    from app.cli import number_calls

    return number_calls.act(service, digits, "restorations", _given({"until": until}), domain, as_json=as_json)


def confirm(
    service: Any,  # noqa: ANN401 — as ``hold``
    digits: Digits,
    assignment: Annotated[str | None, typer.Option(help="Only if this assignment is what was set up.")] = None,
    domain: Domain = None,
    *,
    as_json: bool,
) -> int:
    """Say that a number works, as the exchange does. 确认号码已开通。"""
    from app.cli import number_calls

    body = _given({"assignment_id": assignment})
    return number_calls.act(service, digits, "confirmations", body, domain, as_json=as_json)


def block(
    service: Any,  # noqa: ANN401 — as ``hold``
    digits: Digits,
    reason: Annotated[str, typer.Option(help="leaked, harassed, fault, dispute or other.")],
    until: Until = None,
    domain: Domain = None,
    *,
    as_json: bool,
) -> int:
    """Let nobody have a number; whoever holds it loses it. 停用号码。"""
    from app.cli import number_calls

    body = _given({"reason": reason, "until": until})
    return number_calls.act(service, digits, "blocks", body, domain, as_json=as_json)


def unblock(service: Any, digits: Digits, domain: Domain = None, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """End a block; what is left of the rest is waited for. 解除停用。"""
    from app.cli import number_calls

    return number_calls.undo(service, digits, "blocks", domain, as_json=as_json)


def reserve(
    service: Any,  # noqa: ANN401 — as ``hold``
    digits: Digits,
    purpose: Annotated[str, typer.Option(help="What for; stands at the number.")],
    until: Until = None,
    domain: Domain = None,
    *,
    as_json: bool,
) -> int:
    """Keep a free number for a purpose. 预留号码。"""
    from app.cli import number_calls

    body = _given({"purpose": purpose, "until": until})
    scope = number_calls.ADMIN
    return number_calls.act(service, digits, "reservations", body, domain, scope=scope, as_json=as_json)


def unreserve(service: Any, digits: Digits, domain: Domain = None, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """End a reservation. 解除预留。"""
    from app.cli import number_calls

    return number_calls.undo(service, digits, "reservations", domain, as_json=as_json)


def retire(service: Any, digits: Digits, domain: Domain = None, *, as_json: bool) -> int:  # noqa: ANN401 — as ``hold``
    """Give a number up for ever. 废止号码。"""
    from app.cli import number_calls

    return number_calls.retire(service, digits, domain, as_json=as_json)


COMMANDS: Final = tuple(
    over_http(each)
    for each in (
        hold,
        holds,
        extend,
        drop,
        transfer,
        swap,
        restore,
        confirm,
        block,
        unblock,
        reserve,
        unreserve,
        retire,
    )
)
