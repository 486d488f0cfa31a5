"""Taking files in, giving them to requests, and letting go of those that nobody filed with.

A file is read and judged before anything is written; then it is written, whole, in one transaction with its key, its record and, where a
request takes it at once, the request's new digest. So there is never a piece of a file. Until a request takes it, a file is its uploader's
alone, for 24 hours; what a request has taken stays with it for good.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.attaching import MOST, Attaching, refuse_closed
from app.approvals.deciding import version_of
from app.approvals.errors import TooManyAttachments, UnknownAttachment
from app.approvals.request import Attached
from app.attachments.attachment import Stored
from app.attachments.content import judge
from app.attachments.errors import ContentMismatch, TooManyUploads, UnreadableFile, UploadTooSlow
from app.attachments.kinds import FileType, checked_name
from app.attachments.repository import AttachmentRepository
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound, UnsupportedMediaType
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.query import Source
from app.kit.uploads import Upload
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer, author_of

STAGING: Final = "/v1/attachments"
LIFETIME: Final = timedelta(hours=24)
SWEEPER: Final = Author(type="system", id="attachments")
Receive = Callable[[], Awaitable[Upload]]
_LONGEST_SECONDS: Final = 300.0
_AT_ONCE: Final = 2
_ALTOGETHER: Final = 16
_JUDGED_AT_ONCE: Final = 2
_SWEPT_AT_ONCE: Final = 50
_CHARSETS: Final = frozenset({None, "utf-8", "us-ascii"})


class StagedFiles:
    """Files that wait, as filing takes them (``filing.Files``)."""

    def __init__(self, rows: AttachmentRepository, clock: Clock) -> None:
        """Take the rows and the clock."""
        self._rows, self._clock = rows, clock

    async def staged(
        self, source: Source, owner: UUID, wanted: Mapping[UUID, str], *, beside: int
    ) -> tuple[Attached, ...]:
        """Give files that are ``owner``'s to file with; see ``filing.Files``."""
        if len(wanted) + beside > MOST:
            raise TooManyAttachments
        if not wanted:
            return ()
        if isinstance(source, AsyncSession):
            await self._rows.hold(source, owner)
        found = await self._rows.staged(source, owner, self._clock.now())
        for identity, pointer in wanted.items():
            if identity not in found:
                raise UnknownAttachment(pointer)
        return tuple(Attached(each, found[each].digest) for each in wanted)

    async def bind(self, unit: UnitOfWork, request: UUID, attached: Iterable[Attached]) -> None:
        """Give staged files to a request."""
        if not await self._rows.bind(unit.session, [each.id for each in attached], request):
            raise UnknownAttachment("/attachments")


class Berths:
    """How many files are on their way in: each is held in memory until it is judged, so there is room for some of each, and of all."""

    def __init__(self) -> None:
        """Begin empty."""
        self._taken: Counter[UUID] = Counter()

    @asynccontextmanager
    async def of(self, person: UUID) -> AsyncIterator[None]:
        """Hold a place while a file comes in; raise ``TooManyUploads``."""
        if self._taken[person] >= _AT_ONCE or self._taken.total() >= _ALTOGETHER:
            raise TooManyUploads
        self._taken[person] += 1
        try:
            yield
        finally:
            self._taken[person] -= 1
            if not self._taken[person]:
                del self._taken[person]


class AttachmentKeeper:
    """Keeps files."""

    def __init__(
        self,
        *,
        rows: AttachmentRepository,
        attaching: Attaching,
        database: Database,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, what puts files to requests, the stores, what repeats are told, and the clock."""
        self._rows, self._attaching, self._database, self._clock = rows, attaching, database, clock
        self._idempotency, self._berths = idempotency, Berths()
        self._judging = asyncio.Semaphore(_JUDGED_AT_ONCE)

    async def stage(self, viewer: Viewer, unit: UnitOfWork, key: str | None, receive: Receive) -> Answer:
        """Take in a file to file with later, once per ``key``; ``receive`` reads it.

        Raises ``NoContact``, ``TooManyUploads``, ``UploadTooSlow``, ``UnsupportedMediaType``, ``UnfitFileName``, ``ContentMismatch``,
        ``UnreadableFile``, ``UnsafeContent`` and ``TooManyAttachments``.
        """
        owner = _person(viewer)
        async with self._berths.of(owner):
            stored, content, mark = await self._received(owner, None, receive)

            async def work() -> Receipt:
                await self._rows.hold(unit.session, owner)
                if len(await self._rows.staged(unit.session, owner, stored.at)) >= MOST:
                    raise TooManyAttachments
                await self._rows.add(unit.session, stored, content)
                await self._noted(unit, author_of(viewer), "attachment.stage", stored.id)
                return _receipt(stored)

            call = Call(viewer.caller, "POST", STAGING, key)
            return await self._idempotency.run(unit, call, mark, allowed=lambda: None, work=work)

    async def attach(
        self, viewer: Viewer, unit: UnitOfWork, request: UUID, key: str | None, receive: Receive
    ) -> Answer:
        """Put a file to a request that concerns the caller, once per ``key``.

        Raises ``NotFound``, ``NotOpen``, ``TooManyAttachments`` and as ``stage``; for whom the request is not there, nothing is read.
        """
        owner = _person(viewer)
        found = await self._attaching.concerning(self._database.reader, viewer, request)
        if key is None:
            refuse_closed(found)
        async with self._berths.of(owner):
            stored, content, mark = await self._received(owner, request, receive)

            async def work() -> Receipt:
                held = await self._attaching.held(viewer, unit, request)
                await self._rows.add(unit.session, stored, content)
                after = await self._attaching.attach(viewer, unit, held, Attached(stored.id, stored.digest))
                return _receipt(stored, version_of(after, owner))

            call = Call(viewer.caller, "POST", f"/v1/requests/{request}/attachments", key)
            return await self._idempotency.run(unit, call, mark, allowed=lambda: None, work=work)

    async def discard(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """Let go of a file that the caller has staged; raise ``NotFound`` for any other."""
        owner, now = _person(viewer), self._clock.now()
        await self._rows.hold(unit.session, owner)
        if identity not in await self._rows.staged(unit.session, owner, now):
            raise NotFound
        await self._rows.drop(unit.session, [identity])
        await self._noted(unit, author_of(viewer), "attachment.discard", identity)

    async def sweep(self) -> int:
        """Let go of files that nobody filed with in time; give of how many."""
        total = 0
        while True:
            async with self._database.unit_of_work() as unit:
                past = await self._rows.past(unit.session, self._clock.now(), _SWEPT_AT_ONCE)
                if past:
                    await self._rows.drop(unit.session, past)
                for each in past:
                    await self._noted(unit, SWEEPER, "attachment.expire", each)
            total += len(past)
            if len(past) < _SWEPT_AT_ONCE:
                return total

    async def _received(
        self, owner: UUID, request: UUID | None, receive: Receive
    ) -> tuple[Stored, BytesIO, dict[str, str]]:
        """Read and judge a file; give it with what tells two uploads apart."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                upload = await receive()
        except TimeoutError:
            raise UploadTooSlow from None
        declared = _declared(upload)
        name, size = checked_name(upload.name), upload.content.tell()
        if not size:
            raise UnreadableFile
        identity, now = new_id(), self._clock.now()
        async with self._judging:
            digest, mark = await asyncio.to_thread(self._judged, identity, upload.content, declared, name)
        stored = Stored(
            id=identity,
            request=request,
            owner=owner,
            name=name,
            type=declared,
            size=size,
            digest=digest,
            at=now,
            until=None if request is not None else now + LIFETIME,
        )
        return stored, upload.content, {"name": name, "type": declared.value, "content": mark}

    def _judged(self, identity: UUID, content: BytesIO, declared: FileType, name: str) -> tuple[bytes, str]:
        judge(content, declared, name)
        with content.getbuffer() as view:
            mark = sha256(view).hexdigest()
        return self._rows.digest(identity, content), mark

    async def _noted(self, unit: UnitOfWork, author: Author, action: str, identity: UUID) -> None:
        event = written(author, action, self._clock.now(), query={"attachment": str(identity)})
        await add_intent(unit.session, event)


def _person(viewer: Viewer) -> UUID:
    if viewer.standing.contact_id is None:
        raise NoContact
    return viewer.standing.contact_id


def _declared(upload: Upload) -> FileType:
    """Give the media type that the caller names; raise ``UnsupportedMediaType`` for one that is not taken."""
    try:
        declared = FileType(upload.media_type)
    except ValueError:
        detail = "A file is PDF, PNG, JPEG, WebP, plain text, docx or xlsx."
        detail_zh = "文件须为 PDF、PNG、JPEG、WebP、纯文本、docx 或 xlsx。"
        raise UnsupportedMediaType(detail, detail_zh=detail_zh) from None
    if upload.charset not in _CHARSETS:
        raise ContentMismatch
    return declared


def _receipt(stored: Stored, version: str | None = None) -> Receipt:
    """Say what an upload answers; ``version`` is the request's, where one has taken it."""
    body: dict[str, Any] = {
        "id": str(stored.id),
        "media_type": stored.type.value,
        "size": stored.size,
        "digest": stored.digest.hex(),
        "expires_at": None if stored.until is None else stored.until.isoformat(),
    }
    if version is not None:
        body["request_version"] = version
    return Receipt(stored.id, body)
