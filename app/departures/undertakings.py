"""The confidentiality undertaking: what the company has its leavers confirm, version by version, and who confirmed which.

The texts are for everybody and are nobody's data. Whoever leaves confirms by a call of their own while they can, or signs on paper, and HR
puts that on record; a confirmation names the version and its digest, and is never taken back.
"""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.repository import ContactRepository
from app.contacts.rights import own_contact, seek
from app.departures.errors import TextNotCurrent
from app.departures.schemas import ConfirmationCreate, TextCreate, TextQuery
from app.departures.undertaking_rows import Confirmation, Text, UndertakingRows
from app.disclosure.showing import Showing
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/confidentiality-undertakings"
PUBLISHERS: Final = frozenset({"hr", "directory_steward"})
_PURPOSE: Final = Purpose.WORK_CONTACT
_NEWEST: Final = 2**31 - 1
_STAFF: Final = frozenset({"employee", "temporary"})


class Undertakings:
    """Publishes versions, and notes who confirmed them."""

    def __init__(
        self, showing: Showing, *, rows: UndertakingRows, contacts: ContactRepository, idempotency: Idempotency
    ) -> None:
        """Take what desks share, the rows, the cards, and what repeats are told."""
        self.rows, self._contacts, self._idempotency = rows, contacts, idempotency
        self._reader, self._cursors, self._clock = showing.reader, showing.cursors, showing.clock

    async def listed(self, viewer: Viewer, query: TextQuery) -> dict[str, Any]:
        """List versions, newest first. Raises ``BadCursor``."""
        shape = {"undertakings": True}
        before = _NEWEST if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))
        found = await self.rows.page(self._reader, before=before, most=query.limit + 1)
        current, page = await self.rows.current(self._reader), found[: query.limit]
        more = len(found) > query.limit
        following = self._cursors.seal(viewer.caller, shape, page[-1].version) if more else None
        return {"items": [_view(each, current) for each in page], "next": following}

    async def publish(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: TextCreate) -> Answer:
        """Publish the next version once per ``key``. Raises ``NotPermitted``, ``TextRaced`` and what idempotency refuses."""
        seek("undertaking.publish", _PURPOSE)

        async def work() -> Receipt:
            author, now = author_of(viewer), self._clock.now()
            version, said = await self.rows.next_version(unit.session), body.model_dump()
            digest = Text.digest_of(version, body.title_zh, body.title_en, body.text_zh, body.text_en)
            text = Text(
                id=new_id(),
                version=version,
                digest=digest,
                published_at=now,
                actor_type=author.type,
                actor_id=author.id,
                **said,
            )
            await self.rows.publish(unit.session, text)
            told = {"undertaking": str(text.id), "version": version}
            await add_intent(unit.session, written(author, "undertaking.publish", now, query=told))
            return Receipt(text.id, {"id": str(text.id), "version": version, "digest": digest.hex()}, 201)

        call = Call(viewer.caller, "POST", COLLECTION, key)
        return await self._idempotency.run(
            unit, call, body.model_dump(mode="json"), allowed=lambda: _refuse_others(viewer), work=work
        )

    async def confirm(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: ConfirmationCreate) -> Receipt:
        """Note that the caller, or somebody who signed on paper, confirmed the version in force; again: tell when.

        Raises ``NoContact``, ``NotPermitted``, ``NotFound`` and ``TextNotCurrent``.
        """
        seek("undertaking.confirm", _PURPOSE, body.contact)
        me = own_contact(viewer)
        whose = me if body.contact is None else body.contact
        if whose != me:
            _refuse_others(viewer)
        text = await self.rows.text(unit.session, identity)
        if text is None or not await self._is_staff(unit, whose):
            raise NotFound
        known = {each.text_id: each for each in await self.rows.confirmations(unit.session, whose)}
        if text.id in known:
            return _receipt(text, known[text.id], status=200)
        current, now, author = await self.rows.current(unit.session), self._clock.now(), author_of(viewer)
        if current is None or current.id != identity:
            raise TextNotCurrent
        said = Confirmation(
            text_id=text.id,
            contact_id=whose,
            means="own" if whose == me else "recorded",
            digest=text.digest,
            at=now,
            actor_type=author.type,
            actor_id=author.id,
        )
        first = await self.rows.confirm(unit.session, said)
        if first:
            told = {"undertaking": str(text.id), "version": text.version, "means": said.means}
            draft = written(author, "undertaking.confirm", now, contacts=[whose], query=told)
            await add_intent(unit.session, draft)
        return _receipt(text, said, status=201 if first else 200)

    async def _is_staff(self, unit: UnitOfWork, contact: UUID) -> bool:
        loaded = await self._contacts.for_change(unit.session, contact)
        return loaded is not None and loaded[0].kind in _STAFF


def _refuse_others(viewer: Viewer) -> None:
    if PUBLISHERS.isdisjoint(viewer.standing.roles):
        raise NotPermitted


def _view(text: Text, current: Text | None) -> dict[str, Any]:
    told = {name: getattr(text, name) for name in ("id", "version", "title_zh", "title_en", "text_zh", "text_en")}
    return {
        **told,
        "digest": text.digest.hex(),
        "published_at": text.published_at,
        "current": current is not None and current.id == text.id,
    }


def _receipt(text: Text, said: Confirmation, *, status: int) -> Receipt:
    told = {
        "undertaking": str(text.id),
        "version": text.version,
        "contact": str(said.contact_id),
        "means": said.means,
        "confirmed_at": _written(said.at),
    }
    return Receipt(None, told, status)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
