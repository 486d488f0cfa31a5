"""Reviews as a caller is shown them: their own items, whole campaigns to overseers. Each answer is a look, on record before it leaves.

To read one item by itself is what a reviewer has to do before a risky right is kept, so that look is remembered, under its event's id.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from app.campaigns.hints import HINTS
from app.campaigns.repository import CampaignRepository, Wanted
from app.campaigns.rules import LIST, OVERSEERS, Item, Review, Risk, State, Verdict, fits
from app.campaigns.schemas import CampaignPage, CampaignQuery, CampaignRead, ItemPage, ItemQuery, ItemRead
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE = Purpose.WORK_CONTACT


class CampaignPages:
    """Shows campaigns and items."""

    def __init__(
        self,
        *,
        rows: CampaignRepository,
        contacts: ContactRepository,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take the rows, the contacts, the gate, the rights of now, the key of cursors, the store and the clock."""
        self._rows, self._contacts, self._gate, self._rights = rows, contacts, gate, rights
        self._cursors, self._database, self._clock = cursors, database, clock

    async def campaigns(self, viewer: Viewer, query: CampaignQuery) -> Disclosed[CampaignPage]:
        """List campaigns. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        seek("campaign.list", _PURPOSE)
        own_contact(viewer)
        before = self._place(viewer, {}, query.cursor)

        async def attempt(viewer: Viewer) -> Disclosed[CampaignPage]:
            found, last = await self._rows.reviews(self._database.reader, before=before, limit=query.limit)
            items = [await self._campaign(viewer, each) for each in found]
            following = None if last is None else self._cursors.seal(viewer.caller, {}, str(last))
            return Disclosed(await self._told(viewer, "campaign.list", items, following, {}))

        return await self._rights.of(viewer, attempt)

    async def campaign(self, viewer: Viewer, identity: UUID) -> Disclosed[CampaignRead]:
        """Show one campaign. Raises ``NotFound``, and as ``campaigns`` does."""
        seek("campaign.read", _PURPOSE)
        own_contact(viewer)

        async def attempt(viewer: Viewer) -> Disclosed[CampaignRead]:
            review = await self._rows.review(self._database.reader, identity)
            if review is None:
                raise NotFound
            told = await self._campaign(viewer, review)
            look = Look(action="campaign.read", purpose=_PURPOSE, query={"campaign": str(identity)})
            note = await self._gate.disclose_plain(viewer, look, count=1)
            return Disclosed(orjson.dumps({**told, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def items(self, viewer: Viewer, identity: UUID, query: ItemQuery) -> Disclosed[ItemPage]:
        """List items: one's own, or others' to overseers. Raises ``NotFound``, ``NotPermitted``, and as ``campaigns`` does."""
        seek("campaign.items", _PURPOSE)
        own = own_contact(viewer)
        shape = {"campaign": str(identity), **query.shape()}
        after = self._place(viewer, shape, query.cursor)

        async def attempt(viewer: Viewer) -> Disclosed[ItemPage]:
            if await self._rows.review(self._database.reader, identity) is None:
                raise NotFound
            whose = own if query.reviewer == "me" else query.reviewer
            if whose != own and not oversees(viewer):
                raise NotPermitted
            wanted = Wanted(
                campaign_id=identity,
                reviewer_id=whose if isinstance(whose, UUID) else None,
                anybody=whose == "all",
                state=query.state,
                risk=query.risk,
                after=after,
            )
            found, last = await self._rows.page(self._database.reader, wanted, limit=query.limit)
            items, known = await self._views(viewer, found)
            following = None if last is None else self._cursors.seal(viewer.caller, shape, str(last))
            return Disclosed(await self._told(viewer, "campaign.items", items, following, shape, known))

        return await self._rights.of(viewer, attempt)

    async def item(self, viewer: Viewer, identity: UUID, item: UUID) -> Disclosed[ItemRead]:
        """Show one item by itself, to who is asked or an overseer; remember that it was read. Raises ``NotFound`` for everybody else."""
        seek("campaign.item", _PURPOSE)
        own = own_contact(viewer)

        async def attempt(viewer: Viewer) -> Disclosed[ItemRead]:
            found = await self._rows.item(self._database.reader, item)
            if found is None or found.campaign_id != identity or not (found.reviewer == own or oversees(viewer)):
                raise NotFound
            (view,), known = await self._views(viewer, [found])
            told = {"campaign": str(identity), "item": str(item)}
            look = Look(action="campaign.item", purpose=_PURPOSE, query=told)
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=sorted(known))
            if found.reviewer == own:
                view["opened"] = True
                await self._remember(found, own, UUID(orjson.loads(note)["event_id"]))
            return Disclosed(orjson.dumps({**view, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _remember(self, item: Item, person: UUID, event: UUID) -> None:
        if item.id in await self._rows.opened(self._database.reader, [item.id], person):
            return
        async with self._database.unit_of_work() as unit:
            await self._rows.open(unit.session, item.id, person, event, self._clock.now())

    def _place(self, viewer: Viewer, shape: Mapping[str, Any], cursor: str | None) -> UUID | None:
        return None if cursor is None else UUID(self._cursors.open(viewer.caller, shape, cursor))

    async def _told(
        self,
        viewer: Viewer,
        action: str,
        items: Sequence[Mapping[str, Any]],
        following: str | None,
        shape: Mapping[str, Any],
        known: Iterable[UUID] = (),
    ) -> bytes:
        look = Look(action=action, purpose=_PURPOSE, query=dict(shape) or None)
        note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=sorted(known))
        body = {"items": list(items), "next": following, "disclosure": orjson.Fragment(note)}
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)

    async def _campaign(self, viewer: Viewer, review: Review) -> dict[str, Any]:
        reader = self._database.reader
        own = await self._rows.counts(reader, review.id, own_contact(viewer))
        whole = await self._rows.counts(reader, review.id, None) if oversees(viewer) else None
        return {
            **summary(review),
            "scheduled": review.slot is not None,
            "started_at": review.started_at,
            "closed_at": review.closed_at,
            "own": _progress(own),
            "progress": None if whole is None else _progress(whole),
        }

    async def _views(self, viewer: Viewer, items: Sequence[Item]) -> tuple[list[dict[str, Any]], frozenset[UUID]]:
        """Write items as the viewer is shown them; give also whom they name."""
        people = {each.holder_id for each in items if each.holder_id is not None}
        people |= {subject for each in items if (subject := _subject(each)) is not None}
        known = await self._known(viewer, people | {each.reviewer for each in items if each.reviewer is not None})
        opened = await self._rows.opened(self._database.reader, [each.id for each in items], own_contact(viewer))
        return [_view(viewer, each, known, opened=each.id in opened) for each in items], frozenset(known)

    async def _known(self, viewer: Viewer, people: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        wanted = sorted(people)
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(_PURPOSE)
        return {
            record.subject: {name: record.public.get(name) for name in ("id", "name", "title", "department")}
            for record in records
            if record is not None and self._gate.verdict(plan, record) is not None
        }


def oversees(viewer: Viewer) -> bool:
    """Tell whether whole campaigns are told to a viewer."""
    return viewer.standing.kind == "person" and not viewer.standing.roles.isdisjoint(OVERSEERS)


def summary(review: Review) -> dict[str, Any]:
    """Write what a campaign is and when."""
    names = ("id", "kind", "stage", "on_silence", "remind_at", "due_at", "suspend_at", "predicted")
    return {name: getattr(review, name) for name in names}


def _subject(item: Item) -> UUID | None:
    """Give the contact that a grant is for, where it is for one."""
    scope = item.detail.get("scope") or {}
    return UUID(scope["value"]) if scope.get("kind") == "contact" else None


def _progress(counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    states = dict[str, int]()
    for (state, _), count in sorted(counts.items()):
        states[state] = states.get(state, 0) + count
    return {
        "total": sum(states.values()),
        "open": states.get(State.OPEN.value, 0),
        "open_high_risk": counts.get((State.OPEN.value, Risk.HIGH.value), 0),
        "states": states,
    }


def _view(viewer: Viewer, item: Item, known: Mapping[UUID, Mapping[str, Any]], *, opened: bool) -> dict[str, Any]:
    subject, detail = _subject(item), dict(item.detail)
    if subject is not None and subject not in known:
        detail["scope"] = {**detail["scope"], "value": None}
    return {
        "id": item.id,
        "kind": item.kind,
        "reference": item.reference,
        "about": _about(viewer, item, known),
        "detail": detail,
        "holder": None if item.holder_id is None else known.get(item.holder_id),
        "reviewer": item.reviewer if item.reviewer in known else None,
        "post": None if item.post is None else item.post.kind,
        "risk": item.risk,
        "hints": [{"code": each, "zh": HINTS[each][0], "en": HINTS[each][1]} for each in item.hints],
        "held_since": item.held_since,
        "last_used_at": item.last_used_at,
        "opened": opened,
        "state": item.state,
        "until": item.ends_at,
        "decided_at": item.decided_at,
        "verdicts": [each for each in Verdict if item.is_answerable and fits(each, item)],
    }


def _about(viewer: Viewer, item: Item, known: Mapping[UUID, Mapping[str, Any]]) -> str | None:
    subject, scope = _subject(item), item.detail.get("scope") or {}
    if subject is not None:
        found: str | None = known.get(subject, {}).get("name")
        return found
    place = item.reference if item.kind == LIST else scope.get("value")
    if item.kind == LIST or scope.get("kind") in {"department", "subtree"}:
        node = viewer.tree.nodes.get(UUID(place)) if place else None
        return None if node is None else node.name
    return None
