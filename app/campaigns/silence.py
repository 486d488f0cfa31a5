"""What silence does: rights are suspended, or kept where the campaign says so, and cards are marked; in pieces, each in its transaction.

An item whose row was edited past the service counts as one that nobody answered: taking an item away by hand must not keep its right.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.campaigns.effects import Effects
from app.campaigns.joints import notice_about
from app.campaigns.repository import CampaignRepository, Wanted
from app.campaigns.rules import CARD, Item, Review, Silence, State
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.notices.teller import Teller

AT_ONCE: Final = 50
_CARDS: Final = 500


class Silencer:
    """Ends what nobody answered for."""

    def __init__(
        self,
        *,
        database: Database,
        rows: CampaignRepository,
        effects: Effects,
        teller: Teller,
        clock: Clock,
        clock_here: timedelta,
    ) -> None:
        """Take the store, the rows, what is done to rights, what tells people, the clock and how far those here are ahead of it."""
        self._database, self._rows, self._effects = database, rows, effects
        self._teller, self._clock, self._clock_here = teller, clock, clock_here

    async def silence(self, unit: UnitOfWork, author: Author, review: Review) -> bool:
        """Do what a review of rights does to open items; tell whether some are left for another piece."""
        wanted = Wanted(campaign_id=review.id, anybody=True, state=State.OPEN)
        items = await self._rows.unanswered(unit.session, wanted, limit=AT_ONCE)
        for item in items:
            await self._silenced(unit, author, review, item)
        if items:
            return True
        beyond = int(self._clock.now().timestamp())
        for item in await self._rows.disbelieved(unit.session, review.id):
            taken = replace(item, row_version=beyond)
            await self._silenced(unit, author, replace(review, on_silence=Silence.SUSPEND), taken, verdict="unverified")
        return False

    async def unconfirmed(self, unit: UnitOfWork, author: Author, review: Review) -> bool:
        """Mark the cards that nobody said to be right; tell whether some are left for another piece."""
        wanted = Wanted(campaign_id=review.id, anybody=True, state=State.OPEN)
        items = await self._rows.unanswered(unit.session, wanted, limit=_CARDS)
        cards = [each.holder_id for each in items if each.kind == CARD and each.holder_id is not None]
        await self._effects.mark_cards(unit, cards, (review.due_at + self._clock_here).date())
        for item in items:
            await self._settled(unit, item, State.UNCONFIRMED, "unconfirmed")
        if items:
            told = {"campaign": str(review.id), "cards": len(cards)}
            event = written(author, "campaign.unconfirmed", self._clock.now(), contacts=cards, query=told)
            await add_intent(unit.session, event)
            await self._tell(unit, "campaign.unconfirmed", items)
        return bool(items)

    async def end_shortened(self, author: Author) -> int:
        """End what was kept for a while that is over; give how many."""
        async with self._database.unit_of_work() as unit:
            items = await self._rows.ending(unit.session, self._clock.now(), limit=AT_ONCE)
            for item in items:
                await self._settled(unit, item, State.ENDED, "end")
                await self._effects.end(unit, author, item, why="end")
        return len(items)

    async def _silenced(
        self, unit: UnitOfWork, author: Author, review: Review, item: Item, *, verdict: str | None = None
    ) -> None:
        there = await self._effects.is_there(unit.session, item)
        keep = review.on_silence is Silence.KEEP or item.outlives_silence
        state = State.MOOT if not there else State.RETAINED if keep else State.SUSPENDED
        words = {State.MOOT: "moot", State.RETAINED: "retain", State.SUSPENDED: "suspend"}
        await self._settled(unit, item, state, verdict or words[state])
        contacts = [] if item.holder_id is None else [item.holder_id]
        told = {"campaign": str(item.campaign_id), "item": str(item.id), "kind": item.kind, "state": state.value}
        await add_intent(
            unit.session, written(author, "campaign.silence", self._clock.now(), contacts=contacts, query=told)
        )
        if state is State.SUSPENDED:
            await self._effects.suspend(unit, author, item)
            await self._tell(unit, "campaign.suspended", [item])

    async def _settled(self, unit: UnitOfWork, item: Item, state: State, verdict: str) -> None:
        now = self._clock.now()
        after = await self._rows.change(unit.session, replace(item, state=state, decided_by=None, decided_at=now))
        await self._rows.decide(unit.session, after, verdict, None, now)

    async def _tell(self, unit: UnitOfWork, what: str, items: Sequence[Item]) -> None:
        """Tell holders and those who were asked."""
        people = sorted({each for item in items for each in (item.holder_id, item.reviewer) if each is not None})
        body = {"campaign": {"id": items[0].campaign_id}}
        for at in range(0, len(people), 100):
            await self._teller.tell(
                unit,
                notice_about(
                    id=new_id(),
                    type=what,
                    occurred_at=self._clock.now(),
                    body=body,
                    people=tuple(people[at : at + 100]),
                ),
            )
