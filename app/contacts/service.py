"""Reading the directory. Every answer goes through the gate; what it returns is what leaves.

A look whose viewer's rights moved while it was being recorded is decided once more with the rights of now, and then refused. A refusal is
said only under the rights of now, since no record compares epochs for it.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.audit.terms import Terms
from app.auth.errors import FreshSignInRequired
from app.contacts.fields import CATALOGUE
from app.contacts.forms import Forms, unpack_consents
from app.contacts.listing import ContactLists
from app.contacts.past import is_purged, keys_of
from app.contacts.query_schemas import HistoryQuery, ListQuery
from app.contacts.repository import ContactRepository
from app.contacts.schemas import ContactPage, ContactView, HistoryPage, RevealRequest, RevealView
from app.crypto.sealer import Sealer
from app.disclosure.errors import ApprovalRequired, CaseMissing
from app.disclosure.gate import Gate
from app.disclosure.hotlines import HOTLINE, HotlineDoor
from app.disclosure.looks import Look
from app.disclosure.masks import Told
from app.disclosure.opened import Opened
from app.disclosure.records import Record
from app.disclosure.rights import seek
from app.disclosure.view import Disclosed
from app.kit.db import Row
from app.kit.dependencies import names_version
from app.kit.errors import LogUnavailable, NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")
DISPLAY_SECONDS: Final = 60
_ON_NO_CARD: Final = frozenset({"secrecy"})
"""Members that policy reads and no card tells, so no history does."""


class ContactService:
    """Reads contacts for a viewer."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        lists: ContactLists,
        gate: Gate,
        standings: Standings,
        cursors: Cursors,
        terms: Terms,
        sealer: Sealer,
        forms: Forms,
    ) -> None:
        """Take the rows, pages of them, the gate, who viewers are, the keys of cursors and of terms in the log, and the forms."""
        self._hotlines = HotlineDoor(gate)
        self._repository, self._lists, self._gate, self._standings = repository, lists, gate, standings
        self._cursors, self._terms, self._sealer, self._forms = cursors, terms, sealer, forms

    async def read(
        self, viewer: Viewer, identity: UUID, purpose: Purpose, *, known: str | None = None
    ) -> Disclosed[ContactView]:
        """Show one card; 304 when ``known`` (``If-None-Match``) names what would be shown. Raises ``NotFound``.

        While the log cannot be written, a hotline's C1 members are shown all the same, and for everything else it is ``LogUnavailable``.
        """
        try:
            _, opened = await self.look(viewer, identity, Look(action="contact.read", purpose=purpose))
        except LogUnavailable:
            body, version = await self._unlogged_hotline(viewer, identity, purpose)
            return Disclosed(body, etag=version)
        body, version = opened.one()
        if known is not None and names_version(known, version):
            return Disclosed(b"", etag=version, status_code=304)
        return Disclosed(body, etag=version)

    async def look(self, viewer: Viewer, identity: UUID, look: Look) -> tuple[Record, Opened]:
        """Show one contact to ``viewer``; give the closed record too, for a write that builds on what was seen."""
        seek(look.action, look.purpose, identity)

        async def attempt(viewer: Viewer) -> tuple[Record, Opened]:
            record = await self._repository.by_id(identity, viewer.tree)
            opened = await self._gate.disclose_one(viewer, record, look)
            if record is None:
                raise NotFound
            return record, opened

        return await self._with_current_rights(viewer, attempt)

    async def search(self, viewer: Viewer, query: ListQuery) -> Disclosed[ContactPage]:
        """List cards: the viewer's rows only, cut before they are ranked or ordered, counted and paged."""
        shape = query.shape()
        after = self._cursors.open(viewer.caller, shape, query.cursor) if query.cursor is not None else None
        logged = {**shape, **({"q": self._terms.masked(query.q)} if query.q else {})}
        look = Look(action="contact.list", purpose=query.purpose, query=logged)

        async def attempt(viewer: Viewer) -> Disclosed[ContactPage]:
            plan = viewer.plan(query.purpose)
            page = await self._lists.page(query, plan, after=after, tree=viewer.tree)
            total = await self._lists.count(query, plan, tree=viewer.tree) if query.total else None
            opened = await self._gate.disclose(viewer, page.records, look)
            following = None if page.ends is None else self._cursors.seal(viewer.caller, shape, page.ends)
            return Disclosed(opened.page(following, total))

        try:
            return await self._with_current_rights(viewer, attempt)
        except LogUnavailable:
            if query.kind != HOTLINE:
                raise
            return await self._unlogged_hotlines(viewer, query, shape, after)

    async def _unlogged_hotline(self, viewer: Viewer, identity: UUID, purpose: Purpose) -> tuple[bytes, str]:
        current = await self._standings.of(viewer.subject, fresh=True)
        return self._hotlines.card(current, purpose, await self._repository.by_id(identity, current.tree))

    async def _unlogged_hotlines(
        self, viewer: Viewer, query: ListQuery, shape: Mapping[str, Any], after: list[Any] | None
    ) -> Disclosed[ContactPage]:
        current = await self._standings.of(viewer.subject, fresh=True)
        plan = current.plan(query.purpose)
        page = await self._lists.page(query, plan, after=after, tree=current.tree)
        total = await self._lists.count(query, plan, tree=current.tree) if query.total else None
        following = None if page.ends is None else self._cursors.seal(current.caller, shape, page.ends)
        return Disclosed(self._hotlines.page(current, query.purpose, page.records, following, total))

    async def reveal(self, viewer: Viewer, identity: UUID, request: RevealRequest) -> Disclosed[RevealView]:
        """Show some fields of one contact as far as a reveal goes, for a purpose and a reason; one look, no further state."""
        seek("contact.reveal", request.purpose, identity, CATALOGUE.named(request.fields))

        async def attempt(viewer: Viewer) -> Disclosed[RevealView]:
            record = await self._repository.by_id(identity, viewer.tree)
            if record is None or self._gate.verdict(viewer.plan(request.purpose), record) is None:
                raise NotFound
            reason = self._sealer.existing(identity, record.key).seal("audit.reason", request.reason).envelope
            look = Look(
                action="contact.reveal",
                purpose=request.purpose,
                reason=reason,
                fields=request.fields,
                case=request.case,
            )
            fields, note = await self._gate.reveal(viewer, record, request.fields, look)
            return Disclosed(b'{"fields":%b,"display_seconds":%d,"disclosure":%b}' % (fields, DISPLAY_SECONDS, note))

        return await self._with_current_rights(viewer, attempt)

    async def history(self, viewer: Viewer, identity: UUID, query: HistoryQuery) -> Disclosed[HistoryPage]:
        """List what was changed on a contact, newest first, each value as the viewer's card would show it for that purpose."""
        limit, cursor, purpose = query.limit, query.cursor, query.purpose
        seek("contact.history", purpose, identity)
        shape = {"history": str(identity), "purpose": purpose.value}
        before = UUID(self._cursors.open(viewer.caller, shape, cursor)) if cursor is not None else None

        async def attempt(viewer: Viewer) -> Disclosed[HistoryPage]:
            record = await self._repository.by_id(identity, viewer.tree)
            if record is None or self._gate.verdict(viewer.plan(purpose), record) is None:
                raise NotFound
            hidden = self._gate.untold(viewer.plan(purpose), record) | _ON_NO_CARD
            if viewer.standing.contact_id != identity:
                hidden |= self._forms.closed(record.cohort.kind, unpack_consents(record.consented))
            rows = await self._repository.changes(
                identity,
                hidden=hidden,
                before=before,
                limit=limit + 1,
                since_kind=not _knows_applicants(viewer, record),
            )
            page = rows[:limit]
            boxes = [(row[2], row[3]) for row in page if row[3] is not None and not is_purged(row)]
            look = Look(action="contact.history", purpose=purpose)
            values, note = await self._gate.open_history(viewer, record, boxes, look, past=keys_of(page))
            told = iter(values)
            items = [_change(row, told) for row in page]
            following = self._cursors.seal(viewer.caller, shape, str(page[-1][0])) if len(rows) > limit else None
            body = orjson.dumps({"items": items, "next": following, "disclosure": orjson.Fragment(note)})
            return Disclosed(body)

        return await self._with_current_rights(viewer, attempt)

    async def _with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        try:
            return await attempt(viewer)
        except EpochMoved:
            return await attempt(await self._standings.of(viewer.subject, fresh=True))
        except (NotFound, ApprovalRequired, CaseMissing, NotPermitted, FreshSignInRequired):
            current = await self._standings.of(viewer.subject, fresh=True)
            if current.standing == viewer.standing:
                raise
            return await attempt(current)


def _knows_applicants(viewer: Viewer, record: Record) -> bool:
    """Tell whether the viewer would have known of the contact as an applicant: to all others its history begins when it joined."""
    applicant = record.cohort._replace(kind="applicant")
    return viewer.plan(Purpose.WORK_CONTACT).cohort(applicant, record.subject).visible


def _change(row: Row, told: Iterator[Told]) -> dict[str, Any]:
    _, _, name, box, at, actor_type, actor_id, request_id, *_ = row
    state = "removed" if box is None else "purged" if is_purged(row) else "told"
    return {
        "field": name,
        "state": state,
        **({"value": next(told)} if state == "told" else {}),
        "at": at,
        "actor": {"type": actor_type, "id": actor_id},
        "request_id": request_id,
    }
