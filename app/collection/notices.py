"""Privacy notices: what people are told about the handling of their data, version by version, and who has seen which.

The texts are for everybody and are no data of anybody's. That somebody has seen one is: it is told to the person at `GET /v1/me`, and to
who keeps the notices, page by page, each page on record. Of the rows only those count whose MAC holds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import written
from app.audit.intents import add_intent
from app.collection.errors import NoticeNotCurrent
from app.collection.models import PrivacyNotice
from app.collection.repository import Notice, NoticeRows
from app.collection.schemas import AcknowledgementPage, AcknowledgementQuery, NoticeCreate, NoticeQuery
from app.contacts.rights import CurrentRights, own_contact, seek
from app.contacts.roster import Roster
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/privacy-notices"
PUBLISHERS: Final = frozenset({"hr", "directory_steward"})
_PURPOSE: Final = Purpose.WORK_CONTACT
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
_NEWEST: Final = 2**31 - 1


class NoticeService:
    """Publishes and tells notices, and notes who saw them."""

    def __init__(
        self,
        *,
        rows: NoticeRows,
        roster: Roster,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, who has an account, the gate and the rights of now, what pages and repeats, and the clock."""
        self._rows, self._roster, self._gate, self._rights = rows, roster, gate, rights
        self._cursors, self._idempotency, self._clock = cursors, idempotency, clock

    async def told(self, contact_id: UUID) -> Mapping[str, Any]:
        """Tell the notice in force, and when ``contact_id`` acknowledged it (``app.contacts.notices.Notices``)."""
        notice = await self._rows.current(self._clock.now())
        if notice is None:
            return {"current": None, "acknowledged": None}
        return {
            "current": {"id": notice.id, "version": notice.version, "valid_from": notice.valid_from},
            "acknowledged": await self._rows.acknowledged_at(notice.id, contact_id),
        }

    async def listed(self, viewer: Viewer, query: NoticeQuery) -> dict[str, Any]:
        """List versions, newest first, or the one in force. Raises ``BadCursor``."""
        shape = {"privacy_notices": query.current}
        before = _NEWEST if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))
        current = await self._rows.current(self._clock.now())
        if query.current:
            return {"items": [] if current is None else [_view(current, current)], "next": None}
        page, after = await self._rows.page(before=before, limit=query.limit)
        following = None if after is None else self._cursors.seal(viewer.caller, shape, after)
        return {"items": [_view(each, current) for each in page], "next": following}

    async def publish(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: NoticeCreate) -> Answer:
        """Publish the next version once per ``key``. Raises ``NotPermitted``, ``Invalid``, ``NoticeRaced`` and what idempotency refuses."""
        seek("privacy_notice.publish", _PURPOSE)

        async def work() -> Receipt:
            author, now = author_of(viewer), self._clock.now()
            valid_from = await self._beginning(unit, body.valid_from, now)
            row = PrivacyNotice(
                **body.model_dump(exclude={"valid_from"}),
                valid_from=valid_from,
                published_at=now,
                actor_type=author.type,
                actor_id=author.id,
            )
            notice = await self._rows.publish(unit.session, row)
            told = {"notice": str(notice.id), "version": notice.version}
            await add_intent(unit.session, written(author, "privacy_notice.publish", now, query=told))
            return Receipt(notice.id, _receipt(notice), 201)

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", COLLECTION, key),
            body.model_dump(mode="json", exclude_unset=True),
            allowed=lambda: _refuse_others(viewer),
            work=work,
        )

    async def acknowledge(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Note that the caller has seen the notice in force; again: tell when. Raises ``NoContact``, ``NotFound``, ``NoticeNotCurrent``."""
        seek("privacy_notice.acknowledge", _PURPOSE)
        me, now = own_contact(viewer), self._clock.now()
        notice = await self._rows.by_id(identity)
        if notice is None:
            raise NotFound
        before = await self._rows.acknowledged_at(identity, me)
        if before is not None:
            return _acknowledged(notice, before, status=200)
        current = await self._rows.current(now)
        if current is None or current.id != identity:
            raise NoticeNotCurrent
        if not await self._rows.acknowledge(unit.session, identity, me, now):
            return _acknowledged(notice, await self._rows.acknowledged_at(identity, me) or now, status=200)
        told = {"notice": str(identity), "version": notice.version}
        draft = written(author_of(viewer), "privacy_notice.acknowledge", now, contacts=[me], query=told)
        await add_intent(unit.session, draft)
        return _acknowledged(notice, now, status=201)

    async def acknowledgements(
        self, viewer: Viewer, identity: UUID, query: AcknowledgementQuery
    ) -> Disclosed[AcknowledgementPage]:
        """List who has seen a version, or who has not, and count.

        Raises ``NotPermitted``, ``NotFound``, ``BadCursor`` and ``LogUnavailable``.
        """
        seek("privacy_notice.acknowledgements", _PURPOSE)
        shape = {"notice": str(identity), "state": query.state}
        after = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[AcknowledgementPage]:
            _refuse_others(viewer)
            notice = await self._rows.by_id(identity)
            if notice is None:
                raise NotFound
            plan, seen = viewer.plan(_PURPOSE), await self._rows.acknowledged(identity)
            people = await self._roster.with_accounts(plan)
            wanted = [each for each in people if (each in seen) == (query.state == "acknowledged")]
            rest = [each for each in wanted if after is None or each > after]
            page = rest[: query.limit]
            records = [
                each
                for each in await self._roster.records(page, plan, viewer.tree)
                if self._gate.verdict(plan, each) is not None
            ]
            look = Look(action="privacy_notice.acknowledgements", purpose=_PURPOSE, query=shape)
            note = await self._gate.disclose_plain(
                viewer, look, count=len(records), contacts=[each.subject for each in records]
            )
            more = len(rest) > query.limit
            body = {
                "version": notice.version,
                "people": len(people),
                "acknowledged": sum(each in seen for each in people),
                "items": [_person(each, viewer.tree, seen.get(each.subject)) for each in records],
                "next": self._cursors.seal(viewer.caller, shape, str(page[-1])) if more else None,
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _beginning(self, unit: UnitOfWork, wanted: datetime | None, now: datetime) -> datetime:
        """Give from when a new version is valid: not in the past, and not before the version that it replaces."""
        newest = await self._rows.newest_valid_from(unit.session)
        if wanted is None:
            return now
        if wanted < now - _CLOCK_DIFFERENCE:
            raise _fault("past_date", "This time has passed.", "该时间已过。")
        if newest is not None and wanted < newest:
            raise _fault("before_other", "The version before it begins later.", "早于上一版本的生效时间。")
        return wanted


def _fault(code: str, detail: str, detail_zh: str) -> Invalid:
    return Invalid(errors=[FieldError("/valid_from", code, detail, detail_zh)])


def _refuse_others(viewer: Viewer) -> None:
    if PUBLISHERS.isdisjoint(viewer.standing.roles):
        raise NotPermitted


def _view(notice: Notice, current: Notice | None) -> dict[str, Any]:
    return {
        "id": notice.id,
        "version": notice.version,
        "title_zh": notice.title_zh,
        "title_en": notice.title_en,
        "text_zh": notice.text_zh,
        "text_en": notice.text_en,
        "digest": notice.digest.hex(),
        "valid_from": notice.valid_from,
        "published_at": notice.published_at,
        "current": current is not None and current.id == notice.id,
    }


def _receipt(notice: Notice) -> dict[str, Any]:
    return {
        "id": str(notice.id),
        "version": notice.version,
        "digest": notice.digest.hex(),
        "valid_from": _written(notice.valid_from),
    }


def _acknowledged(notice: Notice, at: datetime, *, status: int) -> Receipt:
    told = {"notice": str(notice.id), "version": notice.version, "acknowledged_at": _written(at)}
    return Receipt(None, told, status)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _person(record: Record, tree: Tree, at: datetime | None) -> dict[str, Any]:
    public = record.public
    node = tree.nodes.get(record.cohort.departments[0]) if public["department"] is not None else None
    return {
        "id": public["id"],
        "name": public.get("name"),
        "employee_no": public["employee_no"],
        "department": None if node is None else node.name,
        "acknowledged_at": at,
    }
