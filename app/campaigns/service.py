"""Starting, answering and cancelling reviews, inside a transaction. What an answer does is in it: no right outlives its own refusal.

Whoever answers holds the item's row until the end, so of two answers at once, or an answer and the end of patience, one counts and the
other meets what became of it. Items are locked together and in one order before anything else is. Nobody answers for a right of their own,
by whatever account, and nobody as somebody that they are no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.approvals.resolving import Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.campaigns.effects import Effects
from app.campaigns.errors import CampaignOver, ItemAnswered, ItemUnopened, OwnRight, SlotTaken, UnfitEnd, UnfitVerdict
from app.campaigns.joints import Calendar, notice_about
from app.campaigns.repository import CampaignRepository
from app.campaigns.rules import (
    CARD,
    MARKED,
    OF_ACCURACY,
    Item,
    Kind,
    Review,
    Silence,
    Stage,
    State,
    Verdict,
    fits,
    keeps,
    state_of,
)
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.notices.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a campaign goes: working days to answer in, further ones until silence counts, and what it then means."""

    answer_days: int
    suspend_days: int
    on_silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict on an item; ``until`` goes with shortening."""

    item: UUID
    verdict: Verdict
    until: datetime | None = None


class CampaignService:
    """Keeps campaigns."""

    def __init__(
        self,
        *,
        rows: CampaignRepository,
        effects: Effects,
        persons: Persons,
        calendar: Calendar,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the rows, what answers do, who is who under several accounts, working days, what tells people, and the clock."""
        self._rows, self._effects, self._persons, self._calendar = rows, effects, persons, calendar
        self._teller, self._clock = teller, clock

    async def start(
        self,
        unit: UnitOfWork,
        author: Author,
        kind: Kind,
        terms: Terms,
        *,
        person: UUID | None = None,
        slot: str | None = None,
    ) -> Review:
        """Begin a campaign now; the sweep works out its items and asks. Raises ``SlotTaken`` while one of this kind is under way."""
        if await self._rows.running(unit.session, kind):
            raise SlotTaken
        now = self._clock.now()
        days = await self._calendar.current(unit.session)
        remind, due, suspend = (
            days.due(now, count)
            for count in (terms.answer_days // 2, terms.answer_days, terms.answer_days + terms.suspend_days)
        )
        review = Review(
            id=new_id(),
            kind=kind,
            stage=Stage.PREPARING,
            slot=slot,
            started_by=person,
            started_at=now,
            answer_days=terms.answer_days,
            suspend_days=terms.suspend_days,
            on_silence=terms.on_silence,
            remind_at=remind.at,
            due_at=due.at,
            suspend_at=suspend.at,
            predicted=suspend.predicted,
        )
        try:
            async with unit.session.begin_nested():
                await self._rows.add_review(unit.session, review, watched=-1, next_at=now)
        except IntegrityError as error:
            raise SlotTaken from error
        told = {"campaign": str(review.id), "kind": kind.value, "on_silence": terms.on_silence.value}
        await add_intent(unit.session, written(author, "campaign.start", now, query=told))
        return review

    async def cancel(self, unit: UnitOfWork, author: Author, identity: UUID) -> None:
        """End a campaign without consequences for what nobody answered. Raises ``NotFound`` and ``CampaignOver``."""
        review = await self._rows.locked_review(unit.session, identity)
        if review is None:
            raise NotFound
        if not review.is_live:
            raise CampaignOver
        now = self._clock.now()
        after = replace(review, stage=Stage.CANCELLED, closed_at=now)
        await self._rows.move(unit.session, after, watched=0, next_at=None)
        await add_intent(unit.session, written(author, "campaign.cancel", now, query={"campaign": str(identity)}))

    async def locked(self, unit: UnitOfWork, identities: Sequence[UUID]) -> dict[UUID, Item]:
        """Lock items until the transaction ends, always in one order."""
        return await self._rows.locked(unit.session, identities)

    async def answer(
        self, unit: UnitOfWork, author: Author, person: UUID, review: Review, item: Item, answer: Answer
    ) -> Item:
        """Answer for an item that was locked in this transaction; give it as it then is: ``moot`` when its right was gone already.

        Raises ``NotFound`` for who is not asked, ``OwnRight``, ``ItemAnswered``, ``UnfitVerdict``, ``UnfitEnd``, ``ItemUnopened``; then
        nothing was changed.
        """
        if item.campaign_id != review.id or item.reviewer != person:
            raise NotFound
        if item.kind not in OF_ACCURACY and item.holder_id is not None:
            persons = await self._persons.of(unit.session, [item.holder_id, person])
            if persons[item.holder_id] == persons[person]:
                raise OwnRight
        if not item.is_answerable or review.stage is Stage.CANCELLED:
            raise ItemAnswered
        verdict, session = answer.verdict, unit.session
        if not fits(verdict, item):
            raise UnfitVerdict
        there = await self._effects.is_there(session, item)
        shortens = verdict is Verdict.SHORTEN
        if (answer.until is not None) != shortens or (
            there and answer.until is not None and not await self._effects.may_end(session, item, answer.until)
        ):
            raise UnfitEnd
        if keeps(verdict) and item.must_be_opened and not await self._rows.opened(session, [item.id], person):
            raise ItemUnopened
        if not there:
            return await self._settled(unit, author, item, State.MOOT, "moot", person)
        after = await self._settled(
            unit, author, replace(item, ends_at=answer.until), state_of(verdict), verdict, person
        )
        await self._apply(unit, author, item, answer)
        return after

    async def confirm_own(self, unit: UnitOfWork, author: Author, person: UUID) -> int:
        """Say that one's own card is right: answers whatever campaigns ask of it, and takes the mark off; give how many they were."""
        items = [each for each in await self._rows.of_holder(unit.session, person, CARD) if each.reviewer == person]
        asked = [each for each in items if each.is_answerable or each.state is State.DISPUTED]
        for item in asked:
            await self._settled(unit, author, item, State.CONFIRMED, Verdict.CONFIRM, person)
        await self._effects.confirm(unit, person)
        if not asked:
            now = self._clock.now()
            await add_intent(unit.session, written(author, "contact.confirm", now, contacts=[person]))
        return len(asked)

    async def _apply(self, unit: UnitOfWork, author: Author, item: Item, answer: Answer) -> None:
        match answer.verdict:
            case Verdict.SHORTEN if answer.until is not None:
                await self._effects.shorten(unit, author, item, answer.until)
            case Verdict.REVOKE:
                await self._effects.end(unit, author, item, why="review")
            case Verdict.CONFIRM if item.kind == CARD and item.holder_id is not None:
                await self._effects.confirm(unit, item.holder_id)
            case _:
                pass
        if item.state is State.SUSPENDED and item.kind in MARKED and await self._is_last_suspended(unit, item):
            await self._effects.restore(unit, author, item)

    async def _is_last_suspended(self, unit: UnitOfWork, item: Item) -> bool:
        """Tell whether nothing else that somebody holds is still unanswered and suspended for it."""
        if item.holder_id is None:
            return False
        for kind in sorted(MARKED):
            for each in await self._rows.of_holder(unit.session, item.holder_id, kind):
                if each.id != item.id and each.state is State.SUSPENDED:
                    return False
        return True

    async def _settled(
        self, unit: UnitOfWork, author: Author, item: Item, state: State, verdict: str, person: UUID
    ) -> Item:
        now = self._clock.now()
        settled = replace(item, state=state, decided_by=person, decided_at=now)
        after = await self._rows.change(unit.session, settled)
        await self._rows.decide(unit.session, after, str(verdict), person, now)
        contacts = [] if item.holder_id is None else [item.holder_id]
        told = {"campaign": str(item.campaign_id), "item": str(item.id), "kind": item.kind, "verdict": str(verdict)}
        await add_intent(unit.session, written(author, "campaign.decide", now, contacts=contacts, query=told))
        await self._teller.tell(
            unit,
            notice_about(
                id=new_id(),
                type="campaign.item_decided",
                occurred_at=now,
                body={"campaign": {"id": item.campaign_id}, "item": item.id, "verdict": str(verdict)},
            ),
        )
        return after
