"""The client behind ``duanhao numbers``: one call, told to people on a line or to machines as the service's own JSON."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx

from app.cli.calling import Caller, CallStopped
from app.cli.pushing import Credentials, connected

DONE: Final = 0
REFUSED_BY_PLAN: Final = 1
NOT_DONE: Final = 2

_SCOPE: Final = "numbers:allocate"
_READ: Final = "numbers:read"
_KNOWN: Final[tuple[str, ...]] = ("requested", "available", "state", "available_from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where the service is, with what to sign in, how to connect and how to wait."""

    url: str
    credentials: Credentials
    connect: Callable[[str], httpx.Client] = connected
    sleep: Callable[[float], None] = time.sleep


def allocate(service: Service, pool: str, body: Mapping[str, Any], *, as_json: bool) -> int:
    """Give numbers of a pool to a holder; give the exit code, having said what happened."""

    def told(answer: Mapping[str, Any]) -> str:
        return " ".join(each["digits"] for each in answer["numbers"])

    return _called(service, f"/v1/number-pools/{pool}/allocations", body, {}, told, as_json=as_json)


def release(service: Service, digits: str, reason: str, domain: str | None, *, as_json: bool) -> int:
    """Take a number back; give the exit code, having said what happened."""

    def told(answer: Mapping[str, Any]) -> str:
        until = answer["available_from"]
        rests = f" · free from {until} 可再分配" if until else ""
        return f"{answer['digits']} {answer['state']}{rests}"

    query = {} if domain is None else {"domain": domain}
    return _called(service, f"/v1/numbers/{digits}/releases", {"reason": reason}, query, told, as_json=as_json)


def forecast(service: Service, pool: str, query: Mapping[str, str], *, as_json: bool) -> int:
    """Tell when a pool runs out; give the exit code: 1 when it lasts no longer than it takes to get more numbers."""
    short = False

    def told(answer: Mapping[str, Any]) -> str:
        nonlocal short
        short = answer["short"]
        weekly, end = answer["weekly"], answer["exhausted_on"]
        rate = f"{weekly['net']} ({weekly['low']} … {weekly['high']})" if weekly else "? 数据不足"
        span = f" ({answer['earliest']} … {answer['latest'] or '?'})" if end else ""
        announced = "-" if answer.get("announced") is None else answer["announced"]
        ahead = f"announced 已公布入职 {announced} · weekly 每周净增 {rate} · exhausted 预计用尽 {end or '-'}{span}"
        return f"{answer['pool']}: free 可用 {answer['free']} · {ahead}"

    code = _called(service, f"/v1/number-pools/{pool}/forecast", None, query, told, as_json=as_json)
    return REFUSED_BY_PLAN if code == DONE and short else code


def _called(
    service: Service,
    path: str,
    body: Mapping[str, Any] | None,
    query: Mapping[str, str],
    told: Callable[[Mapping[str, Any]], str],
    *,
    as_json: bool,
) -> int:
    if body is None:
        return called(service, _READ, lambda caller: caller.get(path, query=query), told, as_json=as_json)
    return called(service, _SCOPE, lambda caller: caller.post(path, body, query=query), told, as_json=as_json)


def called(
    service: Service,
    scope: str,
    ask: Callable[[Caller], httpx.Response],
    told: Callable[[Mapping[str, Any]], str],
    *,
    as_json: bool,
) -> int:
    """Ask, signed in for ``scope``, and say what was answered as ``told`` writes it, or as JSON; give the exit code."""
    document: Mapping[str, Any]
    try:
        with service.connect(service.url) as client:
            caller = Caller(client, service.credentials, scope=scope, sleep=service.sleep)
            answer = ask(caller)
            try:
                document = {} if answer.status_code == HTTPStatus.NO_CONTENT else answer.json()
                line = told(document)
            except (ValueError, KeyError, TypeError) as error:
                message = "the answer is not that of a Duanhao service"
                raise CallStopped(message) from error
    except httpx.InvalidURL as error:
        return _stopped(CallStopped(f"--url: {error}"), as_json=as_json)
    except CallStopped as reason:
        return _stopped(reason, as_json=as_json)
    sys.stdout.write((json.dumps(document, ensure_ascii=False) if as_json else line) + "\n")
    return DONE


def _stopped(reason: CallStopped, *, as_json: bool) -> int:
    if as_json:
        known = {name: reason.document[name] for name in _KNOWN if name in reason.document}
        problem: dict[str, Any] = {
            "status": reason.status,
            "code": reason.document.get("code"),
            "detail": reason.line,
            **known,
        }
        sys.stdout.write(json.dumps({"problem": problem}, ensure_ascii=False) + "\n")
    else:
        more = ", ".join(f"{name} {reason.document[name]}" for name in _KNOWN if reason.document.get(name) is not None)
        sys.stderr.write(f"duanhao: {reason.line}" + (f" ({more})" if more else "") + "\n")
    return REFUSED_BY_PLAN if reason.status == HTTPStatus.CONFLICT else NOT_DONE
