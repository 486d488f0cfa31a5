"""Starting, answering and cancelling reviews for a caller: may they, are they still who was asked, and what are they told.

Only people do any of it. Several answers are one transaction in which each stands by itself: one that is refused keeps none of the others
out, and all items are locked before the first of them changes anything.
"""

from typing import Any
from uuid import UUID

import orjson

from app.campaigns.errors import NotInPost
from app.campaigns.reading import summary
from app.campaigns.repository import CampaignRepository, Wanted
from app.campaigns.rules import MOST_AT_ONCE, STARTERS, Item, Kind, Post, Review, Risk, State, Verdict
from app.campaigns.schemas import CampaignStart, Decision, Decisions
from app.campaigns.service import Answer, CampaignService, Terms
from app.campaigns.staff import HEAD, SELF
from app.contacts.rights import own_contact, seek
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound, Problem
from app.kit.idempotency import Answer as Repeatable
from app.kit.idempotency import Call, Idempotency, Receipt
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COLLECTION = "/v1/campaigns"
_PURPOSE = Purpose.WORK_CONTACT


class CampaignKeeper:
    """Keeps campaigns for a viewer."""

    def __init__(
        self,
        *,
        service: CampaignService,
        rows: CampaignRepository,
        idempotency: Idempotency,
        terms: dict[Kind, Terms],
        clock: Clock,
    ) -> None:
        """Take what does it, the rows, what makes a repeat harmless, the terms of campaigns that name none, and the clock."""
        self._service, self._rows, self._idempotency = service, rows, idempotency
        self._terms, self._clock = terms, clock

    async def start(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: CampaignStart) -> Repeatable:
        """Begin a campaign, once per ``key``. Raises ``NoContact``, ``NotPermitted`` and ``SlotTaken``."""
        seek("campaign.start", _PURPOSE)
        person, usual = own_contact(viewer), self._terms[body.kind]

        async def work() -> Receipt:
            terms = Terms(
                answer_days=usual.answer_days if body.answer_days is None else body.answer_days,
                suspend_days=usual.suspend_days if body.suspend_days is None else body.suspend_days,
                on_silence=body.on_silence or usual.on_silence,
            )
            review = await self._service.start(unit, author_of(viewer), body.kind, terms, person=person)
            told: dict[str, Any] = orjson.loads(orjson.dumps(summary(review), option=orjson.OPT_UTC_Z))
            return Receipt(review.id, told)

        call = Call(viewer.caller, "POST", COLLECTION, key)
        return await self._idempotency.run(
            unit, call, body.model_dump(mode="json"), allowed=lambda: _admit(viewer), work=work
        )

    async def cancel(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End a campaign without consequences. Raises ``NoContact``, ``NotPermitted``, ``NotFound`` and ``CampaignOver``."""
        seek("campaign.cancel", _PURPOSE)
        own_contact(viewer)
        _admit(viewer)
        await self._service.cancel(unit, author_of(viewer), identity)

    async def answer(
        self, viewer: Viewer, unit: UnitOfWork, place: tuple[UUID, UUID], body: Decision
    ) -> dict[str, Any]:
        """Answer for one item (its campaign and id). Raises as the service does, and ``NotInPost``."""
        seek("campaign.decide", _PURPOSE)
        person = own_contact(viewer)
        review, answer = (
            await self._review(unit, place[0]),
            Answer(item=place[1], verdict=body.verdict, until=body.until),
        )
        locked = await self._service.locked(unit, [answer.item])
        after = await self._answered(viewer, unit, person, review, locked.get(answer.item), answer)
        return {"item": after.id, "state": after.state, "until": after.ends_at}

    async def answer_all(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: Decisions) -> dict[str, Any]:
        """Answer for several items of a campaign; tell what became of each. Raises ``NoContact`` and ``NotFound``."""
        seek("campaign.decide", _PURPOSE)
        person = own_contact(viewer)
        review = await self._review(unit, identity)
        answers = [Answer(item=each.item, verdict=each.verdict, until=each.until) for each in body.decisions]
        if body.keep is not None:
            wanted = Wanted(campaign_id=identity, reviewer_id=person, state=State.OPEN, risk=Risk.LOW)
            harmless = await self._rows.unanswered(unit.session, wanted, limit=MOST_AT_ONCE)
            locked = {each.id: each for each in harmless}
            answers = [Answer(item=each.id, verdict=Verdict.KEEP) for each in harmless]
        else:
            locked = await self._service.locked(unit, [each.item for each in answers])
        outcomes = []
        for each in answers:
            try:
                after = await self._answered(viewer, unit, person, review, locked.get(each.item), each)
                locked[each.item] = after
                outcomes.append({"item": each.item, "state": after.state, "problem": None})
            except Problem as refused:
                outcomes.append({"item": each.item, "state": None, "problem": _refusal(refused)})
        counts = await self._rows.counts(unit.session, identity, person)
        taken = sum(each["problem"] is None for each in outcomes)
        left = sum(count for (state, _), count in counts.items() if state == State.OPEN.value)
        return {"taken": taken, "refused": len(outcomes) - taken, "left": left, "items": outcomes}

    async def confirm_own(self, viewer: Viewer, unit: UnitOfWork) -> dict[str, Any]:
        """Say that the caller's own card is right. Raises ``NoContact``."""
        seek("contact.confirm", _PURPOSE)
        person = own_contact(viewer)
        answered = await self._service.confirm_own(unit, author_of(viewer), person)
        return {"contact": person, "confirmed_at": self._clock.now(), "answered": answered}

    async def _review(self, unit: UnitOfWork, identity: UUID) -> Review:
        review = await self._rows.review(unit.session, identity)
        if review is None:
            raise NotFound
        return review

    async def _answered(
        self, viewer: Viewer, unit: UnitOfWork, person: UUID, review: Review, item: Item | None, answer: Answer
    ) -> Item:
        if item is None or item.post is None or item.reviewer != person:
            raise NotFound
        if not _in_post(viewer, item.post):
            raise NotInPost
        return await self._service.answer(unit, author_of(viewer), person, review, item, answer)


def _admit(viewer: Viewer) -> None:
    if viewer.standing.roles.isdisjoint(STARTERS):
        raise NotPermitted


def _in_post(viewer: Viewer, post: Post) -> bool:
    """Tell whether the viewer, whose standing was read afresh, still is what they were asked as."""
    if post.kind == SELF:
        return True
    if post.kind == HEAD:
        node = None if post.department is None else viewer.tree.nodes.get(post.department)
        return node is not None and node.head_id == post.person
    return post.kind in viewer.standing.roles


def _refusal(refused: Problem) -> dict[str, str]:
    context = current_request()
    chinese = context is not None and context.language == "zh"
    return {"code": refused.code, "detail": refused.detail_zh if chinese else refused.detail}
