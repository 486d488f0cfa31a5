"""The live plan as a file for an exchange: the same plan gives the same bytes, and bytes that an exchange has already are not sent again.

It tells names, so a holder is named only where policy gives the caller the power to export their C1; other lines are there without a name.
What is sent is written first, whole and in the order of digits, because its version is that of all of it; it then leaves in windows, each
on record before it does. How much one export may hold is bounded, and an exchange that switches more asks pool by pool.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from starlette.responses import Response

from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.stream import DisclosedStream
from app.kit.dependencies import names_version
from app.numbers.pool_repository import Domain
from app.permissions.outcomes import Power, Purpose
from app.permissions.standing import Viewer
from app.switching.errors import ExportTooLarge
from app.switching.export_schemas import WRITINGS, ExportFormat, ExportQuery
from app.switching.lines import OurLine
from app.switching.live import LivePlan

MOST_LINES: Final = 100_000
"""Most numbers of one export: some thirty megabytes of the service's memory."""
_ACTION: Final = "number.export"


class PlanStream(DisclosedStream[str]):
    """A file, window by window."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A piece of an export, how many numbers it holds, and of whom it tells."""

    body: bytes
    count: int
    contacts: tuple[UUID, ...]


class PlanExports:
    """Writes the plan for an exchange."""

    def __init__(self, showing: Showing, *, live: LivePlan, most: int = MOST_LINES) -> None:
        """Take what desks share, the live plan, and how many numbers an export may hold."""
        self._gate, self._rights, self._live, self._most = showing.gate, CurrentRights(showing.standings), live, most

    async def export(self, viewer: Viewer, asked: ExportFormat, query: ExportQuery, *, known: str | None) -> Response:
        """Begin an export, whose first window is on record when this returns; 304, which is on record too, where ``known`` names it.

        Raises ``Invalid`` for a domain that there is not, ``ExportTooLarge``, and ``LogUnavailable``; where rights change while it leaves,
        the connection is broken off.
        """
        seek(_ACTION, Purpose.WORK_CONTACT)

        async def attempt(viewer: Viewer) -> Response:
            domain = await self._live.domain(query.domain)
            windows = await self._written(viewer, domain, asked, query)
            version = self._version(windows)
            if known is not None and names_version(known, version):
                whole = _Window(b"", sum(each.count for each in windows), ())
                await self._recorded(viewer, asked, query, whole)
                return Response(status_code=304, headers={"ETag": f'"{version}"', "Cache-Control": "no-store"})
            pages = self._pages(viewer, asked, query, windows)
            writing = WRITINGS[asked]
            stream = PlanStream(await anext(pages), pages, media_type=writing.media_type, filename=writing.filename)
            stream.headers["ETag"] = f'"{version}"'
            return stream

        return await self._rights.of(viewer, attempt)

    async def _written(
        self, viewer: Viewer, domain: Domain, asked: ExportFormat, query: ExportQuery
    ) -> Sequence[_Window]:
        writing, after, count = WRITINGS[asked], "", 0
        found = [_Window(writing.head.encode(), 0, ())]
        while lines := await self._live.window(viewer, domain, after=after, power=Power.EXPORT):
            after = lines[-1].digits
            wanted = [each for each in lines if query.pool in {None, each.pool}]
            count += len(wanted)
            if count > self._most:
                raise ExportTooLarge(most=self._most)
            body = "".join(writing.lines(domain.code, wanted)).encode()
            if body:
                found.append(_Window(body, len(wanted), _contacts(wanted) if writing.named else ()))
        return _joined(found, writing.tail.encode())

    async def _pages(
        self, viewer: Viewer, asked: ExportFormat, query: ExportQuery, windows: Sequence[_Window]
    ) -> AsyncGenerator[bytes]:
        for each in windows:
            await self._recorded(viewer, asked, query, each)
            yield each.body

    async def _recorded(self, viewer: Viewer, asked: ExportFormat, query: ExportQuery, window: _Window) -> None:
        told = {"format": asked.value, **query.model_dump(mode="json", exclude_none=True)}
        look = Look(action=_ACTION, purpose=Purpose.WORK_CONTACT, query=told)
        await self._gate.disclose_plain(viewer, look, count=window.count, contacts=sorted(window.contacts))

    def _version(self, windows: Sequence[_Window]) -> str:
        digest = sha256()
        for each in windows:
            digest.update(each.body)
        return self._gate.version(digest.digest())


def _contacts(lines: Sequence[OurLine]) -> tuple[UUID, ...]:
    return tuple({contact for each in lines for contact in each.contacts})


def _joined(windows: Sequence[_Window], tail: bytes) -> Sequence[_Window]:
    """Put the head before the first window and the tail behind the last, so that no permit is for nothing but words of ours."""
    head, *rest = windows
    first = rest[0] if rest else _Window(b"", 0, ())
    whole = [_Window(head.body + first.body, first.count, first.contacts), *rest[1:]]
    last = whole[-1]
    whole[-1] = _Window(last.body + tail, last.count, last.contacts)
    return whole
