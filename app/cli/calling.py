"""One call of a command on a running service: signed in, sent again while the service is busy or gone, refused in one line.

A write carries an Idempotency-Key made for the command, so sending it again after a lost answer does it once.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import httpx

from app.cli.pushing import Credentials

ATTEMPTS: Final = 6
_LONGEST_WAIT: Final = 30.0
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_UNKNOWN: Final = "look whether it was done before asking again"
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_RUNNING: Final = "idempotency_in_progress"


class CallStopped(Exception):
    """The call cannot be made, or was refused; ``status`` and ``document`` are the service's, where it answered."""

    def __init__(self, line: str, *, status: int | None = None, document: Mapping[str, Any] | None = None) -> None:
        """Say in one line why."""
        super().__init__(line)
        self.line, self.status, self.document = line, status, dict(document or {})


class Caller:
    """Calls with a token, or with a client's id and secret to get one."""

    def __init__(
        self,
        client: httpx.Client,
        credentials: Credentials,
        *,
        scope: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the connection, what to sign in with, the scope to ask for, and how to wait."""
        self._client, self._credentials, self._scope, self._sleep = client, credentials, scope, sleep
        self._token = credentials.token
        if credentials.token is None and not (credentials.client_id and credentials.client_secret):
            message = "give --token (or DUANHAO_TOKEN), or --client-id and --client-secret"
            raise CallStopped(message)

    def asking(self, scope: str) -> "Caller":
        """Give a caller with the same credentials that signs in for another scope."""
        return Caller(self._client, self._credentials, scope=scope, sleep=self._sleep)

    def post(self, path: str, body: Mapping[str, Any], *, query: Mapping[str, str] | None = None) -> httpx.Response:
        """Post once, however often it has to be sent; raise ``CallStopped`` for anything but a 2xx."""
        return self._called("POST", path, {"Idempotency-Key": uuid4().hex}, json=dict(body), params=dict(query or {}))

    def once(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Post what nobody could tell again, such as a secret: as ``post``, but not sent again once it may have been done."""
        return self._called("POST", path, {}, json=dict(body), repeated=False)

    def upload(self, path: str, name: str, content: bytes, *, query: Mapping[str, str]) -> httpx.Response:
        """Post a file, as the one part of a form; as ``post``."""
        files = {"file": (name, content, "application/octet-stream")}
        return self._called("POST", path, {"Idempotency-Key": uuid4().hex}, files=files, params=dict(query))

    def change(
        self,
        method: str,
        path: str,
        *,
        version: str | None = None,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Change or delete what has this ``version``; raise ``CallStopped`` for anything but a 2xx."""
        token = self._credentials.token or self._signed_in()
        headers = {"Authorization": f"Bearer {token}", **({} if version is None else {"If-Match": f'"{version}"'})}
        content: dict[str, Any] = {} if body is None else {"json": dict(body)}
        return _taken(self._patiently(method, path, headers=headers, params=dict(query or {}), **content))

    def send(self, path: str, content: bytes, *, query: Mapping[str, str]) -> httpx.Response:
        """Hand in a file that changes nothing; raise ``CallStopped`` for anything but a 2xx."""
        token = self._credentials.token or self._signed_in()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
        return _taken(self._patiently("POST", path, content=content, headers=headers, params=dict(query)))

    def get(self, path: str, *, query: Mapping[str, str] | None = None) -> httpx.Response:
        """Look; raise ``CallStopped`` for anything but a 2xx."""
        return self._called("GET", path, {}, params=dict(query or {}))

    def _called(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        repeated: bool = True,
        **request: Any,  # noqa: ANN401 — of httpx
    ) -> httpx.Response:
        """Call signed in; a token that was got here and is over is got anew, once."""
        before = self._token
        answer = self._patiently(method, path, repeated=repeated, headers={**headers, **self._bearer()}, **request)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and before is not None and self._credentials.token is None:
            self._token = None
            answer = self._patiently(method, path, repeated=repeated, headers={**headers, **self._bearer()}, **request)
        return _taken(answer)

    def _bearer(self) -> dict[str, str]:
        self._token = self._token or self._signed_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _signed_in(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": self._scope,
        }
        answer = self._patiently("POST", "/oauth/token", data=form)
        document = _document(answer)
        token = document.get("access_token")
        if answer.status_code == HTTPStatus.OK and isinstance(token, str):
            return token
        line = f"signing in: {answer.status_code} {document.get('error', '')}".rstrip()
        raise CallStopped(line, status=answer.status_code)

    def _patiently(self, method: str, path: str, *, repeated: bool = True, **request: Any) -> httpx.Response:  # noqa: ANN401 — of httpx
        line = "the service cannot be reached"
        for attempt in range(ATTEMPTS):
            pause = min(2.0**attempt, _LONGEST_WAIT)
            try:
                answer = self._client.request(method, path, **request)
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
                line = f"not an address or not a token ({type(error).__name__})"
                raise CallStopped(line) from None
            except httpx.TransportError as error:
                line = f"the service cannot be reached ({type(error).__name__})"
                if not repeated and not isinstance(error, _NOT_SENT):
                    line = f"the answer was lost ({type(error).__name__}): {_UNKNOWN}"
                    raise CallStopped(line) from None
            else:
                document = _document(answer)
                if answer.status_code not in _BUSY and document.get("code") != _RUNNING:
                    return answer
                line = _refusal(answer.status_code, document)
                if not repeated and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                    line = f"{line} ({_UNKNOWN})"
                    raise CallStopped(line, status=answer.status_code, document=document)
                asked = answer.headers.get("Retry-After", "")
                pause = min(float(asked), _LONGEST_WAIT) if asked.isascii() and asked.isdigit() else pause
            if attempt + 1 < ATTEMPTS:
                self._sleep(pause)
        raise CallStopped(line)


def _taken(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    document = _document(answer)
    raise CallStopped(_refusal(answer.status_code, document), status=answer.status_code, document=document)


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(status: int, document: Mapping[str, Any]) -> str:
    """Say in one line why; problem documents never quote a value, and nothing else is repeated."""
    if "code" not in document:
        return f"{status} without a problem document"
    faults = "; ".join(f"{each['pointer']} {each['code']}" for each in document.get("errors", ()))
    return f"{status} {document['code']}" + (f" ({faults})" if faults else f": {document.get('detail', '')}")
