"""The client behind ``duanhao numbers hold``, ``transfer``, ``block`` and their kin: what is asked, and how it is told on a line."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from app.cli.calling import Caller, CallStopped
from app.cli.numbering import Service, called

HOLDS: Final = "/v1/number-holds"
ALLOCATE: Final = "numbers:allocate"
ADMIN: Final = "numbers:admin"
READ: Final = "numbers:read"
_ENDED: Final = frozenset({"available", "quarantined"})
"""How a number stands that is neither blocked nor reserved, and that nobody has: its block or reservation has ended."""


def hold(service: Service, body: Mapping[str, Any], *, as_json: bool) -> int:
    """Hold numbers of a pool; give the exit code, having said which and until when."""
    return called(service, ALLOCATE, lambda caller: caller.post(HOLDS, body), _held, as_json=as_json)


def holds(service: Service, query: Mapping[str, str], *, as_json: bool) -> int:
    """List holds that are not over; give the exit code."""

    def told(answer: Mapping[str, Any]) -> str:
        lines = [_held(each) for each in answer["items"]]
        more = [] if answer["next"] is None else ["… more 更多: --limit"]
        return "\n".join([*lines, *more] or ["none 无"])

    return called(service, READ, lambda caller: caller.get(HOLDS, query=query), told, as_json=as_json)


def extend(service: Service, identity: str, minutes: int, *, as_json: bool) -> int:
    """Hold for so long from now on; give the exit code."""

    def ask(caller: Caller) -> httpx.Response:
        return caller.change(
            "PATCH", f"{HOLDS}/{identity}", version=_version(caller, identity), body={"minutes": minutes}
        )

    return called(service, f"{READ} {ALLOCATE}", ask, _held, as_json=as_json)


def drop(service: Service, identity: str, *, as_json: bool) -> int:
    """Let the numbers of a hold go; give the exit code."""

    def ask(caller: Caller) -> httpx.Response:
        try:
            return caller.change("DELETE", f"{HOLDS}/{identity}", version=_version(caller, identity))
        except CallStopped as refusal:
            if refusal.document.get("code") != "hold_over" or _hold(caller, identity)["state"] != "dropped":
                raise
            return _already(id=identity, state="dropped")

    return called(service, f"{READ} {ALLOCATE}", ask, _ended(f"{identity} dropped", "已取消"), as_json=as_json)


def act(
    service: Service,
    digits: str,
    part: str,
    body: Mapping[str, Any],
    domain: str | None,
    *,
    scope: str = ALLOCATE,
    as_json: bool,
) -> int:
    """Do something to a number by creating ``part`` of it; give the exit code, having said how it stands."""
    path, query = f"/v1/numbers/{digits}/{part}", _within(domain)
    return called(service, scope, lambda caller: caller.post(path, body, query=query), _stands, as_json=as_json)


def undo(service: Service, digits: str, part: str, domain: str | None, *, as_json: bool) -> int:
    """End a block or a reservation; give the exit code, which is the same where it has ended already."""
    path, query = f"/v1/numbers/{digits}/{part}", _within(domain)

    def ask(caller: Caller) -> httpx.Response:
        try:
            return caller.change("DELETE", path, query=query)
        except CallStopped as refusal:
            state = refusal.document.get("state")
            if refusal.document.get("code") != "number_not_available" or state not in _ENDED:
                raise
            return _already(digits=digits, state=state)

    return called(service, ADMIN, ask, _ended(f"{digits} {part} ended", "已解除"), as_json=as_json)


def retire(service: Service, digits: str, domain: str | None, *, as_json: bool) -> int:
    """Give a number up for ever; give the exit code, which is the same where somebody has done so already."""
    path, query = f"/v1/numbers/{digits}/retirements", _within(domain)

    def ask(caller: Caller) -> httpx.Response:
        try:
            return caller.post(path, {}, query=query)
        except CallStopped as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND or not _retired(caller, digits, domain):
                raise
            return _already(digits=digits, state="retired")

    return called(service, ADMIN, ask, _ended(f"{digits} retired", "已废止"), as_json=as_json)


def _retired(caller: Caller, digits: str, domain: str | None) -> bool:
    """Look for a retired number, which goes by its digits no more; whoever may not look is told nothing."""
    try:
        found = caller.asking(READ).get("/v1/numbers", query={"digits": digits, "state": "retired", "limit": "200"})
    except CallStopped:
        return False
    return any(domain in {None, each["domain"]} for each in found.json()["items"])


def _already(**members: str) -> httpx.Response:
    return httpx.Response(HTTPStatus.OK, json={**members, "already": True})


def _ended(line: str, line_zh: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda answer: f"{line} already 此前{line_zh}" if answer.get("already") else f"{line} {line_zh}"


def _hold(caller: Caller, identity: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = caller.get(f"{HOLDS}/{identity}").json()
    return found


def _version(caller: Caller, identity: str) -> str:
    return str(_hold(caller, identity)["version"])


def _within(domain: str | None) -> dict[str, str]:
    return {} if domain is None else {"domain": domain}


def _held(answer: Mapping[str, Any]) -> str:
    numbers = " ".join(answer["numbers"])
    return f"{answer['id']} {answer['pool']}: {numbers} · until 保留至 {answer['expires_at']}"


def _stands(answer: Mapping[str, Any]) -> str:
    return "\n".join(_line(each) for each in answer.get("numbers", [answer]))


def _line(number: Mapping[str, Any]) -> str:
    until = number.get("until") or number.get("available_from")
    return f"{number['digits']} {number['state']}" + (f" · until 至 {until}" if until else "")
