"""The client behind ``duanhao hr push``: sends personnel events in order and tells what became of them.

The file is read whole before anything is sent. A busy or restarting service is waited for, a bounded number of times; since the
service does each event once, sending one again after a lost answer is safe. An event that is refused ends the run, because the
events after it may build on it; one that is taken and cannot be applied does not. At the end stand the totals by state, and every event
with a problem by its line; who joined without a number because a pool has run dry is among them, and no failure.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from standardwebhooks.webhooks import EmptyWebhookSecretError

from app.kit.clock import SystemClock
from app.notices.signing import headers

ALL_APPLIED: Final = 0
SOME_FAILED: Final = 1
REFUSED: Final = 2

_ATTEMPTS: Final = 6
_LONGEST_WAIT: Final = 30.0
_TIMEOUT: Final = 30.0
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class PushStopped(Exception):
    """The run cannot go on; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, a client's id and secret to get one with, or a file with a source's secret to sign with instead of having one."""

    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    secret_file: Path | None = None


_STATES: Final = {
    "applied": "已生效",
    "scheduled": "待生效",
    "waiting": "等待中",
    "superseded": "已被取代",
    "failed": "未生效",
}
"""What may become of an event, in the order of the totals."""
_NOT_DONE: Final = frozenset({"waiting", "failed"})


@dataclass(slots=True)
class Tally:
    """What became of the events so far."""

    states: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Count all that were taken."""
        return self.states.total()

    @property
    def not_done(self) -> int:
        """Count those that did nothing and, as things are, will not."""
        return sum(self.states[state] for state in _NOT_DONE)

    def add(self, line: int, answer: httpx.Response) -> None:
        """Count one 202; raise ``PushStopped`` when it is not the answer of this service."""
        try:
            told = answer.json()
            state, event_id, problem = told["state"], told["id"], told["problem"]
        except (ValueError, KeyError, TypeError):
            state = event_id = problem = None
        if state not in _STATES:
            message = f"line {line}: the answer is not that of a Duanhao service"
            raise PushStopped(message)
        self.states[state] += 1
        self.replayed += answer.headers.get("Idempotency-Replayed") == "true"
        if problem is not None or state in _NOT_DONE:
            self.problems.append({"line": line, "id": event_id, "state": state, **(problem or {})})

    def as_json(self, stopped: str | None) -> str:
        """Write the outcome for machines."""
        states = {state: self.states[state] for state in _STATES}
        outcome = {"sent": self.sent, **states, "replayed": self.replayed, "problems": self.problems}
        return json.dumps({**outcome, "stopped": stopped}, ensure_ascii=False)

    def as_text(self) -> str:
        """Write the outcome for people: totals by state, those without any left out but the two that everybody looks for."""
        told = [
            f"{self.states[state]} {state} {chinese}"
            for state, chinese in _STATES.items()
            if self.states[state] or state in {"applied", "failed"}
        ]
        return f"{self.sent} sent 已发送: {', '.join(told)}; {self.replayed} sent before 重复"


def connected(url: str) -> httpx.Client:
    """Make the connection to the service at ``url``."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT)


def push_file(
    file: Path,
    url: str,
    credentials: Credentials,
    *,
    as_json: bool,
    connect: Callable[[str], httpx.Client] = connected,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send every event of ``file`` to the service at ``url``; give the exit code, having said what happened.

    ``connect`` makes the connection, ``sleep`` waits for a number of seconds.
    """
    tally, stopped = Tally(), None
    console = Console(stderr=True, quiet=as_json)
    try:
        events = read_events(file)
        with connect(url) as client:
            _push(Sender(client, credentials, sleep=sleep), events, tally, console)
    except PushStopped as reason:
        stopped = str(reason)
    except httpx.InvalidURL as error:
        stopped = f"--url: {error}"
    if as_json:
        sys.stdout.write(tally.as_json(stopped) + "\n")
    else:
        for problem in tally.problems:
            told = ": ".join(filter(None, (problem["state"], problem.get("code"), problem.get("detail"))))
            sys.stderr.write(f"duanhao: line {problem['line']}: {problem['id']}: {told}\n")
        sys.stdout.write(tally.as_text() + "\n")
    if stopped is not None:
        if not as_json:
            sys.stderr.write(f"duanhao: {stopped}\n")
        return REFUSED
    return SOME_FAILED if tally.not_done else ALL_APPLIED


def _push(sender: "Sender", events: Sequence[tuple[int, bytes]], tally: Tally, console: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[applied]} applied · {task.fields[failed]} failed · {task.fields[replayed]} replayed"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("hr push", total=len(events), applied=0, failed=0, replayed=0)
        for line, body in events:
            tally.add(line, sender.send(line, body))
            progress.update(
                task,
                advance=1,
                applied=tally.states["applied"],
                failed=tally.states["failed"],
                replayed=tally.replayed,
            )


def read_events(file: Path) -> list[tuple[int, bytes]]:
    """Read JSON lines: the number and the bytes of each line that is not blank; raise ``PushStopped`` at one that is no object."""
    found = []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file}: {error.strerror if isinstance(error, OSError) else 'not UTF-8'}"
        raise PushStopped(message) from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            message = f"{file}: line {number} is not a JSON object; nothing was sent"
            raise PushStopped(message)
        found.append((number, line.strip().encode()))
    if not found:
        message = f"{file}: no events"
        raise PushStopped(message)
    return found


class Signing(httpx.Auth):
    """Signs each attempt anew, with its own time, under the secret of a source."""

    requires_request_body = True

    def __init__(self, secret: str) -> None:
        """Take the secret; raise ``ValueError`` for text that is none."""
        headers("push", b"", [secret], SystemClock().now())
        self._secret = secret

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the secret from a file; raise ``PushStopped``."""
        try:
            return cls(file.read_text(encoding="ascii").strip())
        except (OSError, ValueError, EmptyWebhookSecretError):
            message = f"{file}: no signing secret of a source can be read there"
            raise PushStopped(message) from None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Write the three headers; a repeat has the id of the first attempt."""
        name = f"push_{sha256(request.content).hexdigest()[:32]}"
        request.headers.update(headers(name, request.content, [self._secret], SystemClock().now()))
        yield request


class Sender:
    """Sends one event after another."""

    def __init__(self, client: httpx.Client, credentials: Credentials, *, sleep: Callable[[float], None]) -> None:
        """Take the connection, what to sign in with, and how to wait."""
        self._client, self._credentials, self._sleep = client, credentials, sleep
        self._token = credentials.token
        self._signing = None if credentials.secret_file is None else Signing.read(credentials.secret_file)
        if self._signing is None and self._token is None and not (credentials.client_id and credentials.client_secret):
            message = "give --token (or DUANHAO_TOKEN), --client-id and --client-secret, or --secret-file"
            raise PushStopped(message)

    def send(self, line: int, body: bytes) -> httpx.Response:
        """Send one event and give its 202; raise ``PushStopped`` for everything else that stays after the retries."""
        renewable = self._credentials.token is None and self._signing is None
        while True:
            sent, what = {"Content-Type": "application/json"}, f"line {line}"
            if self._signing is None:
                self._token = self._token or self._signed_in()
                sent["Authorization"] = f"Bearer {self._token}"
            answer = self._patiently(what, "/v1/hr/events", content=body, headers=sent, auth=self._signing)
            if answer.status_code == HTTPStatus.UNAUTHORIZED and renewable:
                self._token, renewable = None, False
                continue
            if answer.status_code == HTTPStatus.ACCEPTED:
                return answer
            message = f"line {line}: {_refusal(answer)}"
            raise PushStopped(message)

    def _signed_in(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": "hr:write",
        }
        answer = self._patiently("signing in", "/oauth/token", data=form)
        try:
            if answer.status_code == HTTPStatus.OK:
                return str(answer.json()["access_token"])
            message = f"signing in: {answer.status_code} {answer.json()['error']}"
        except (ValueError, KeyError, TypeError):
            message = f"signing in: {answer.status_code}"
        raise PushStopped(message)

    def _patiently(self, what: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 — of httpx
        """Post until the service answers something else than busy, at most ``_ATTEMPTS`` times."""
        last = what
        for attempt in range(_ATTEMPTS):
            pause = min(2.0**attempt, _LONGEST_WAIT)
            try:
                answer = self._client.post(path, **request)
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
                message = f"{what}: not an address or not a token ({type(error).__name__})"
                raise PushStopped(message) from None
            except httpx.TransportError as error:
                last = f"{what}: the service cannot be reached ({type(error).__name__})"
            else:
                if answer.status_code not in _BUSY:
                    return answer
                last = f"{what}: {_refusal(answer)}"
                pause = _asked_for(answer, pause)
            if attempt + 1 < _ATTEMPTS:
                self._sleep(pause)
        raise PushStopped(last)


def _asked_for(answer: httpx.Response, otherwise: float) -> float:
    """Give the seconds of ``Retry-After`` (RFC 9110 section 10.2.3, the form in seconds), within bounds."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isascii() and asked.isdigit() else otherwise


def _refusal(answer: httpx.Response) -> str:
    """Say in one line why; problem documents never quote a value, and nothing else is repeated."""
    try:
        document = answer.json()
        faults = "; ".join(f"{each['pointer']} {each['code']}" for each in document["errors"])
        return f"{answer.status_code} {document['code']}" + (f" ({faults})" if faults else f": {document['detail']}")
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} without a problem document"
