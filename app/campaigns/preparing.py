"""Working out the items of a campaign: what it asks about, who answers, and what our own data hints at. Outside of any transaction.

It is done in pieces, each of which commits, because the log is read for every holder; a campaign that was interrupted goes on with what it
does not ask about yet. Whoever is asked is asked once all of it is there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.approvals.resolving import Persons
from app.campaigns.gathering import Gatherer
from app.campaigns.hints import Usage, flagged, hints_of, last_used, risk_of
from app.campaigns.joints import Calendar, WorkDays
from app.campaigns.repository import CampaignRepository
from app.campaigns.rules import CARD, GRANT, OF_ACCURACY, UNLOGGED, Candidate, Item, Post, Review
from app.campaigns.staff import SELF, Staff
from app.campaigns.usage import LogUse
from app.kit.db import Reader
from app.kit.models import new_id

AT_ONCE: Final = 200


class Preparer:
    """Makes items."""

    def __init__(
        self,
        *,
        gatherer: Gatherer,
        usage: LogUse,
        rows: CampaignRepository,
        persons: Persons,
        calendar: Calendar,
        reader: Reader,
    ) -> None:
        """Take what goes through everything, what reads the log, the rows, who is who, working days and the store."""
        self._gatherer, self._usage, self._rows, self._persons = gatherer, usage, rows, persons
        self._calendar, self._reader = calendar, reader

    async def piece(self, review: Review, staff: Staff, now: datetime) -> tuple[list[Item], bool]:
        """Make at most ``AT_ONCE`` items that a campaign does not have yet; tell whether that is all of them."""
        known = await self._rows.keys(self._reader, review.id)
        every = await self._gatherer.candidates(review.kind, staff.tree, now)
        missing = [each for each in every if each.key not in known]
        days = await self._calendar.current(self._reader)
        wanted = missing[:AT_ONCE]
        used = await self._used(wanted, staff, now, days)
        items = [
            await self._item(review, each, None if each.kind in UNLOGGED else used.get(each.holder_id), staff, now)
            for each in wanted
        ]
        return items, len(missing) <= AT_ONCE

    async def posts(self, item: Item | Candidate, staff: Staff) -> list[Post]:
        """List who can answer for something, as things are now, the first asked first."""
        department = item.department if isinstance(item, Candidate) else await self._department(item)
        posts = staff.posts(item.kind, item.holder_id, department)
        if item.holder_id is not None:
            persons = await self._persons.of(self._reader, [item.holder_id, *(each.person for each in posts)])
            posts = [each for each in posts if persons[each.person] != persons[item.holder_id]]
        if item.kind == CARD and item.holder_id is not None and await self._gatherer.is_able(item.holder_id):
            return [Post(item.holder_id, SELF), *posts]
        return posts

    async def _department(self, item: Item) -> UUID | None:
        if item.holder_id is None:
            return UUID(item.reference)
        facts = await self._gatherer.facts(item.holder_id)
        return None if facts is None else facts.department_id

    async def _item(
        self, review: Review, candidate: Candidate, usage: Usage | None, staff: Staff, now: datetime
    ) -> Item:
        posts = await self.posts(candidate, staff)
        hints = flagged(candidate) if usage is None else hints_of(candidate, usage, now)
        return Item(
            id=new_id(),
            campaign_id=review.id,
            kind=candidate.kind,
            reference=candidate.reference,
            holder_id=candidate.holder_id,
            account_id=candidate.account_id,
            detail=dict(candidate.detail),
            post=next(iter(posts), None),
            risk=risk_of(hints),
            hints=hints,
            held_since=candidate.held_since,
            last_used_at=None if usage is None else last_used(candidate, usage),
        )

    async def _used(
        self, candidates: Sequence[Candidate], staff: Staff, now: datetime, days: WorkDays
    ) -> dict[UUID | None, Usage]:
        """Read the log once for every holder of these rights."""
        unread = OF_ACCURACY | UNLOGGED
        rights = [each for each in candidates if each.kind not in unread and each.holder_id is not None]
        found: dict[UUID | None, Usage] = {}
        for holder in sorted({each.holder_id for each in rights if each.holder_id is not None}):
            theirs = [each for each in rights if each.holder_id == holder]
            places = {each.department for each in theirs if each.department is not None}
            found[holder] = await self._usage.of(
                holder,
                now=now,
                since=min((each.held_since for each in theirs if each.held_since is not None), default=None),
                targets={
                    UUID(each.detail["scope"]["value"])
                    for each in theirs
                    if each.kind == GRANT and each.detail["scope"]["kind"] == "contact"
                },
                own=frozenset().union(*(staff.tree.subtree(each) for each in places)),
                days=days,
            )
        return found
