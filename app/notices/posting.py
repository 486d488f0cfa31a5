"""Posting to an address outside: looked up, judged, and connected to at the very address that was judged, anew for every request.

The name is looked up here and the verdict is on what was found; the connection goes to that IP address, with the name in ``Host`` and in
TLS, where the certificate must still be the name's. A second look-up, which could say something else, does not happen. No redirect is
followed, no proxy of the environment is used, and of the answer no more is read than the caller asks for.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, Literal

import httpx

from app.notices.targets import Reach, Target, TargetRefused, judge, target

Failure = Literal["target_refused", "unresolvable", "timeout", "tls_failed", "unreachable"]
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the IP addresses that a name stands for; raises ``OSError`` when it stands for none."""

SECONDS: Final = 10.0
"""Longest time of one request from looking up the name to the status of the answer."""
_MOST_ADDRESSES: Final = 3


class PostFailed(Exception):
    """No answer was had; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        """Name the failure."""
        super().__init__(failure)
        self.failure: Failure = failure


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer: its status, what was read of its body, and how long it asked to wait."""

    status: int
    body: bytes
    wait: timedelta | None


async def looked_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@cache
def _systems_trust() -> ssl.SSLContext:
    """Read the system's certificates once in a process: it takes some forty milliseconds."""
    return ssl.create_default_context()


class Poster:
    """Posts."""

    def __init__(
        self,
        reach: Reach,
        *,
        resolver: Resolver = looked_up,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """Take what may be reached, who looks up names, whose certificates are believed (unset: the system's), and the deadline."""
        self.reach, self._resolver, self._seconds = reach, resolver, seconds
        self._client = httpx.AsyncClient(
            verify=trust or _systems_trust(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def check(self, url: str) -> Target:
        """Read an address and judge where it leads now; raise ``TargetRefused``. A name that stands for nothing now passes."""
        found = target(url, self.reach)
        try:
            async with asyncio.timeout(self._seconds):
                judge(found, await self._addresses(found), self.reach)
        except (OSError, UnicodeError, TimeoutError):
            return found
        return found

    async def post(self, called: Target, body: bytes, headers: Mapping[str, str], *, read: int = 0) -> Posted:
        """Post ``body``; read at most ``read`` bytes of the answer. Raises ``PostFailed``."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._posted(called, body, headers, read)
        except TargetRefused:
            raise PostFailed("target_refused") from None
        except (TimeoutError, httpx.TimeoutException):
            raise PostFailed("timeout") from None
        except httpx.HTTPError as error:
            raise PostFailed("tls_failed" if _is_tls(error) else "unreachable") from None

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def _posted(self, called: Target, body: bytes, headers: Mapping[str, str], read: int) -> Posted:
        try:
            addresses = judge(called, await self._addresses(called), self.reach)
        except (OSError, UnicodeError):
            raise PostFailed("unresolvable") from None
        last = len(addresses[:_MOST_ADDRESSES]) - 1
        for at, address in enumerate(addresses[:_MOST_ADDRESSES]):
            try:
                return await self._to(address, called, body, headers, read)
            except httpx.ConnectError as error:
                if at == last or _is_tls(error):
                    raise
        raise PostFailed("unresolvable")

    async def _to(self, address: str, called: Target, body: bytes, headers: Mapping[str, str], read: int) -> Posted:
        host = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            "POST",
            f"{called.scheme}://{host}:{called.port}{called.path}",
            content=body,
            headers={
                **headers,
                "Host": called.authority,
                "Content-Type": "application/json",
                "User-Agent": "Duanhao",
                "Accept-Encoding": "identity",
            },
            extensions={"sni_hostname": called.host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            return Posted(answer.status_code, await _beginning(answer, read), _wait(answer))
        finally:
            await answer.aclose()

    async def _addresses(self, called: Target) -> Sequence[str]:
        literal = called.literal
        return [str(literal)] if literal is not None else await self._resolver(called.host, called.port)


async def _beginning(answer: httpx.Response, most: int) -> bytes:
    if most == 0:
        return b""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])


def _wait(answer: httpx.Response) -> timedelta | None:
    """Read ``Retry-After`` in seconds; its other form, a date, is left to the ladder."""
    asked = answer.headers.get("Retry-After", "")
    return (
        timedelta(seconds=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) <= len("999999") else None
    )


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
