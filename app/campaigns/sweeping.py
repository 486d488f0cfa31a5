"""What campaigns do by themselves: begin by quarter, remind at half, pass on at the deadline, suspend five working days later, close.

Everything that is due stands in a row, so a process that dies loses nothing, and each piece is a transaction of its own that holds the
campaign's row. Dates are worked out again whenever the calendar changes, and what is due is looked at again then: nobody is suspended on a
day that turned out to be a holiday. Who is asked is looked at again whenever the tree changes, and every hour.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import epochs
from app.campaigns.errors import SlotTaken
from app.campaigns.gathering import Gatherer
from app.campaigns.joints import Calendar, notice_about
from app.campaigns.preparing import Preparer
from app.campaigns.repository import CampaignRepository, Wanted
from app.campaigns.rules import Item, Kind, Review, Stage, State, next_quarter, quarter_of
from app.campaigns.service import CampaignService, Terms
from app.campaigns.silence import Silencer
from app.campaigns.staff import SELF, Staff
from app.departments.tree import DEPARTMENTS
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.notices.teller import Teller
from app.permissions.standing import Standings

AUTHOR: Final = Author(type="system", id="campaigns")
LOOK_AGAIN: Final = timedelta(hours=1)
_PEOPLE: Final = 100
_ITEMS: Final = 500


class Sweeper:
    """Moves campaigns on."""

    def __init__(
        self,
        *,
        database: Database,
        rows: CampaignRepository,
        service: CampaignService,
        gatherer: Gatherer,
        preparer: Preparer,
        silencer: Silencer,
        standings: Standings,
        calendar: Calendar,
        teller: Teller,
        clock: Clock,
        clock_here: timedelta,
        quarterly: dict[Kind, Terms],
    ) -> None:
        """Take the store and the rows, who does what, and which kinds begin by quarter, on which terms."""
        self._database, self._rows, self._service = database, rows, service
        self._gatherer, self._preparer, self._silencer = gatherer, preparer, silencer
        self._standings, self._calendar, self._teller = standings, calendar, teller
        self._clock, self._clock_here, self._quarterly = clock, clock_here, quarterly

    async def sweep(self) -> int:
        """Do what is due; give how many pieces that were. Each is a transaction of its own; one that fails is found again."""
        done = await self._schedule()
        reader, now = self._database.reader, self._clock.now()
        for identity in await self._rows.due(reader, now, await self._watched()):
            done += await self._step(identity)
        return done + await self._silencer.end_shortened(AUTHOR)

    async def _schedule(self) -> int:
        """Begin the campaigns of a quarter when it has come; the first quarter begins after the one of the first start."""
        planned, now, begun = await self._rows.planned(self._database.reader), self._clock.now(), 0
        for kind, terms in self._quarterly.items():
            at = planned.get(kind.value)
            if at is not None and at > now:
                continue
            async with self._database.unit_of_work() as unit:
                held = await self._rows.plan(unit.session, kind)
                if (held is None) != (at is None) or (held is not None and held > now):
                    continue
                await self._rows.put_plan(unit.session, kind, next_quarter(now, self._clock_here))
                if held is not None:
                    slot = f"{kind.value}:{quarter_of(now, self._clock_here)}"
                    try:
                        await self._service.start(unit, AUTHOR, kind, terms, slot=slot)
                        begun += 1
                    except SlotTaken:
                        continue
        return begun

    async def _watched(self) -> int:
        reader = self._database.reader
        return await epochs.value(reader, DEPARTMENTS) + await self._calendar.epoch(reader)

    async def _step(self, identity: UUID) -> int:
        """Do one piece of a campaign."""
        reader, now = self._database.reader, self._clock.now()
        review = await self._rows.review(reader, identity)
        if review is None:
            return 0
        watched = await self._watched()
        staff = await self._gatherer.staff(await self._standings.tree())
        if review.stage is Stage.PREPARING:
            items, whole = await self._preparer.piece(review, staff, now)
            return await self._prepared(review, items, whole=whole, watched=watched)
        async with self._database.unit_of_work() as unit:
            held = await self._rows.locked_review(unit.session, identity, waiting=False)
            if held is None or not held.is_live or held.row_version != review.row_version:
                return 0
            held = await self._dated(unit, held)
            acts_at = held.acts_at
            if acts_at is None or acts_at > now:
                await self._passed_on(unit, held, staff)
                await self._moved(unit, held, watched)
                return 1
            return await self._acted(unit, held, staff, watched)

    async def _prepared(self, review: Review, items: Sequence[Item], *, whole: bool, watched: int) -> int:
        async with self._database.unit_of_work() as unit:
            held = await self._rows.locked_review(unit.session, review.id, waiting=False)
            if held is None or held.row_version != review.row_version:
                return 0
            await self._rows.add(unit.session, items)
            now = self._clock.now()
            if whole:
                held = replace(held, stage=Stage.ASKED)
                reviewers = await self._rows.reviewers(unit.session, held.id)
                if not reviewers and not (await self._rows.counts(unit.session, held.id, None)):
                    held = replace(held, stage=Stage.CLOSED, closed_at=now)
                told = {"campaign": str(held.id), "reviewers": len(reviewers), "stage": held.stage.value}
                await add_intent(unit.session, written(AUTHOR, "campaign.ask", now, query=told))
                await self.tell(unit, held, "campaign.opened", reviewers)
            await self._moved(unit, held, watched, at=None if whole else now)
        return 1

    async def _acted(self, unit: UnitOfWork, review: Review, staff: Staff, watched: int) -> int:
        match review.stage:
            case Stage.ASKED:
                after = replace(review, stage=Stage.REMINDED)
                people = await self._rows.reviewers(unit.session, review.id)
                await self._passed_on(unit, review, staff)
                await self.tell(unit, review, "campaign.reminder", people)
            case Stage.REMINDED if review.kind is Kind.ACCURACY:
                return await self._closed(unit, review, await self._silencer.unconfirmed(unit, AUTHOR, review), watched)
            case Stage.REMINDED:
                after = replace(review, stage=Stage.ESCALATED)
                await self._passed_on(unit, review, staff, everybody=True)
            case _:
                return await self._closed(unit, review, await self._silencer.silence(unit, AUTHOR, review), watched)
        told = {"campaign": str(review.id), "stage": after.stage.value}
        await add_intent(unit.session, written(AUTHOR, "campaign.move", self._clock.now(), query=told))
        await self._moved(unit, after, watched)
        return 1

    async def _closed(self, unit: UnitOfWork, review: Review, rest: bool, watched: int) -> int:  # noqa: FBT001 — an outcome
        """Close a campaign unless items were left for another piece."""
        now = self._clock.now()
        if rest:
            await self._moved(unit, review, watched, at=now)
            return 1
        after = replace(review, stage=Stage.CLOSED, closed_at=now)
        counts = await self._rows.counts(unit.session, review.id, None)
        told = {f"{state}_{risk}": count for (state, risk), count in sorted(counts.items())}
        await add_intent(
            unit.session, written(AUTHOR, "campaign.close", now, query={"campaign": str(review.id), **told})
        )
        await self.tell(unit, review, "campaign.closed", ())
        await self._moved(unit, after, watched)
        return 1

    async def _dated(self, unit: UnitOfWork, review: Review) -> Review:
        """Work the dates out as the calendar of now has them; what was told first stays in the log."""
        days = await self._calendar.current(unit.session)
        since, answer, silent = review.started_at, review.answer_days, review.answer_days + review.suspend_days
        remind, due, suspend = (days.due(since, count) for count in (answer // 2, answer, silent))
        after = replace(review, remind_at=remind.at, due_at=due.at, suspend_at=suspend.at, predicted=suspend.predicted)
        if (after.due_at, after.suspend_at) != (review.due_at, review.suspend_at):
            told = {
                "campaign": str(review.id),
                "before": [review.due_at.isoformat(), review.suspend_at.isoformat()],
                "after": [after.due_at.isoformat(), after.suspend_at.isoformat()],
            }
            await add_intent(unit.session, written(AUTHOR, "campaign.reschedule", self._clock.now(), query=told))
        return after

    async def _moved(self, unit: UnitOfWork, review: Review, watched: int, *, at: datetime | None = None) -> None:
        """Write a campaign, and when it is looked at again: when its stage ends, or in an hour."""
        acts_at, now = review.acts_at, self._clock.now()
        following = at if at is not None else None if acts_at is None else min(acts_at, now + LOOK_AGAIN)
        await self._rows.move(unit.session, review, watched=watched, next_at=following)

    async def _passed_on(self, unit: UnitOfWork, review: Review, staff: Staff, *, everybody: bool = False) -> None:
        """Give items whose reviewer is not in post any more, or those of ``everybody``, to the next one above; each once."""
        wanted: Wanted | None = Wanted(campaign_id=review.id, anybody=True, state=State.OPEN)
        told = set[UUID]()
        while wanted is not None:
            page, last = await self._rows.page(unit.session, wanted, limit=_ITEMS)
            moving = [each.id for each in page if everybody or not _in_post(staff, each)]
            for item in (await self._rows.locked(unit.session, moving)).values():
                posts = await self._preparer.posts(item, staff)
                stays = _in_post(staff, item)
                following = staff.after(posts, item.reviewer) if stays else next(iter(posts), None)
                if item.state is not State.OPEN or following == item.post or (following is None and stays):
                    continue
                await self._given(unit, item, replace(item, post=following))
                told.update(() if following is None else (following.person,))
            wanted = None if last is None else replace(wanted, after=last)
        await self.tell(unit, review, "campaign.escalated", sorted(told))

    async def _given(self, unit: UnitOfWork, item: Item, after: Item) -> None:
        await self._rows.change(unit.session, after)
        told = {
            "campaign": str(item.campaign_id),
            "item": str(item.id),
            "from": None if item.reviewer is None else str(item.reviewer),
            "to": None if after.reviewer is None else str(after.reviewer),
        }
        await add_intent(unit.session, written(AUTHOR, "campaign.pass_on", self._clock.now(), query=told))

    async def tell(self, unit: UnitOfWork, review: Review, what: str, people: Sequence[UUID]) -> None:
        """Tell people, so many at a time; without people, whoever listens to everything."""
        body = {"campaign": {"id": review.id, "version": review.row_version}, "kind": review.kind.value}
        now, several = self._clock.now(), [people[at : at + _PEOPLE] for at in range(0, len(people), _PEOPLE)]
        for each in several or ([()] if what == "campaign.closed" else []):
            notice = notice_about(
                id=new_id(), type=what, occurred_at=now, body={**body, "due_at": review.due_at}, people=tuple(each)
            )
            await self._teller.tell(unit, notice)


def _in_post(staff: Staff, item: Item) -> bool:
    """Tell whether who is asked can answer; about their own cards, people are asked as themselves."""
    return item.post is not None and (item.post.kind == SELF or staff.holds(item.post))
