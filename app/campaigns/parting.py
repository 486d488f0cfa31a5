"""Open questions of reviews when somebody leaves, in the transaction of that.

What they were asked, the next one above is asked; what was asked about themselves has nothing left to be answered.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.campaigns.gathering import Gatherer
from app.campaigns.joints import notice_about
from app.campaigns.preparing import Preparer
from app.campaigns.repository import CampaignRepository, Wanted
from app.campaigns.rules import CARD, Item, Review, State
from app.campaigns.staff import Staff
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.teller import Teller
from app.permissions.standing import Standings

_NEWEST: Final = 20
"""How far back campaigns are looked at; of a kind one runs at a time."""
_PEOPLE: Final = 100
_MOST: Final = 500
"""How many questions are passed on at once; what is more, the campaign's own round passes on within the hour."""


class CampaignParting:
    """Passes questions on."""

    def __init__(
        self,
        *,
        rows: CampaignRepository,
        gatherer: Gatherer,
        preparer: Preparer,
        standings: Standings,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the rows, who answers for what, where the tree is had, who tells people, and the clock."""
        self._rows, self._gatherer, self._preparer = rows, gatherer, preparer
        self._standings, self._teller, self._clock = standings, teller, clock

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """Pass on, or close, what somebody was asked; give how much that was."""
        reviews, _ = await self._rows.reviews(unit.session, before=None, limit=_NEWEST)
        running = [each for each in reviews if each.is_live]
        if not running:
            return 0
        staff, done = await self._without(contact_id), 0
        for review in sorted(running, key=lambda each: each.id):
            if await self._rows.locked_review(unit.session, review.id) is None:
                continue
            wanted = Wanted(campaign_id=review.id, reviewer_id=contact_id, state=State.OPEN)
            page, _ = await self._rows.page(unit.session, wanted, limit=_MOST)
            asked = set[UUID]()
            for item in (await self._rows.locked(unit.session, [each.id for each in page])).values():
                if item.state is State.OPEN:
                    asked |= await self._passed_on(unit, author, item, staff, contact_id)
                    done += 1
            await self._tell(unit, review, sorted(asked))
        return done

    async def _tell(self, unit: UnitOfWork, review: Review, people: Sequence[UUID]) -> None:
        body = {"campaign": {"id": review.id, "version": review.row_version}, "kind": review.kind.value}
        now = self._clock.now()
        for at in range(0, len(people), _PEOPLE):
            notice = notice_about(
                id=new_id(),
                type="campaign.escalated",
                occurred_at=now,
                body={**body, "due_at": review.due_at},
                people=tuple(people[at : at + _PEOPLE]),
            )
            await self._teller.tell(unit, notice)

    async def _without(self, person: UUID) -> Staff:
        staff = await self._gatherer.staff(await self._standings.tree())
        return replace(staff, able=staff.able - {person})

    async def _passed_on(self, unit: UnitOfWork, author: Author, item: Item, staff: Staff, gone: UUID) -> set[UUID]:
        """Ask the next one, or close the question; give who is asked now."""
        about = {"campaign": str(item.campaign_id), "item": str(item.id)}
        now = self._clock.now()
        if item.kind == CARD and item.holder_id == gone:
            after = await self._rows.change(unit.session, replace(item, state=State.MOOT, decided_at=now))
            await self._rows.decide(unit.session, after, "moot", None, now)
            await add_intent(unit.session, written(author, "campaign.moot", now, contacts=[gone], query=about))
            return set()
        posts = [each for each in await self._preparer.posts(item, staff) if each.person != gone]
        following = next(iter(posts), None)
        await self._rows.change(unit.session, replace(item, post=following))
        told = {**about, "from": str(gone), "to": None if following is None else str(following.person)}
        await add_intent(unit.session, written(author, "campaign.pass_on", now, query=told))
        return set() if following is None else {following.person}
