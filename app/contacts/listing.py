"""Pages of contacts in the order that a query asks for: by how well they match, as the ids stand in the query, or by a column.

What a cursor holds depends on the order, and the order on the query alone, to which the cursor is bound.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.contacts.criteria import Criteria, Order
from app.contacts.finding import ContactFinder
from app.contacts.query_schemas import ContactQuery, ListQuery
from app.contacts.record import listed_under
from app.contacts.repository import ContactRepository
from app.contacts.search import wanted
from app.contacts.tiers import Position
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.permissions.outcomes import Power
from app.permissions.pack import Relation
from app.permissions.plan import Plan

DEFAULT_STATUSES: Final = ("prehire", "active", "frozen", "leaving")


@dataclass(frozen=True, slots=True)
class Page:
    """Closed records, and where the page ends (any JSON) when more follows."""

    records: Sequence[Record]
    ends: list[Any] | None


def criteria_of(query: ContactQuery, plan: Plan, tree: Tree, powers: Iterable[Power] = ()) -> Criteria:
    """Read what a query asks for; a department that is not there holds nobody, and a caller without assignments has none.

    ``powers`` are those over C1 that what is done with the answer takes, beside those that the question takes.
    """
    departments = None
    if query.department is not None:
        node = tree.find(query.department)
        departments = (
            frozenset() if node is None else tree.subtree(node.id) if query.recursive else frozenset({node.id})
        )
    return Criteria(
        wanted=None if query.q is None else wanted(query.q, tree),
        kinds=(query.kind,) if query.kind else (),
        departments=departments,
        statuses=(query.status,) if query.status else DEFAULT_STATUSES,
        tag=query.tag,
        ids=tuple(dict.fromkeys(query.ids)),
        powers=frozenset([*_powers(query), *powers]),
        assigned=tuple(sorted(plan.engaged[Relation.ASSIGNED])) if query.assigned else None,
        unconfirmed=query.unconfirmed,
    )


def _powers(query: ContactQuery) -> Iterator[Power]:
    """Name the powers over C1 that a question takes; a list as it stands, or of ids that the asker already has, takes none."""
    if any((query.q, query.kind, query.department, query.status, query.tag, query.unconfirmed)):
        yield Power.MATCH
    if query.sort is not None:
        yield Power.ORDER


class ContactLists:
    """Reads pages."""

    def __init__(self, repository: ContactRepository, finder: ContactFinder) -> None:
        """Take the rows, and who ranks them."""
        self._repository, self._finder = repository, finder

    async def page(
        self, query: ContactQuery, plan: Plan, *, after: list[Any] | None, tree: Tree, powers: Iterable[Power] = ()
    ) -> Page:
        """Read the page that begins ``after`` where the one before ended, of those over whose C1 the viewer has ``powers``."""
        criteria = criteria_of(query, plan, tree, powers)
        if query.sort is None and query.q is not None:
            return await self._ranked(criteria, plan, after=after, limit=query.limit, tree=tree)
        if query.sort is None and query.ids:
            return await self._as_asked(criteria, plan, after=after, limit=query.limit, tree=tree)
        sort = query.sort or "name"
        order = Order(sort.removeprefix("-"), descending=sort.startswith("-"))
        return await self._ordered(criteria, plan, order, after=after, limit=query.limit, tree=tree)

    async def count(self, query: ListQuery, plan: Plan, *, tree: Tree) -> int:
        """Count what all pages together hold."""
        return await self._repository.count(criteria_of(query, plan, tree), plan)

    async def _ranked(self, criteria: Criteria, plan: Plan, *, after: list[Any] | None, limit: int, tree: Tree) -> Page:
        place = None if after is None else Position(after[0], after[1], after[2], UUID(after[3]))
        hits = await self._finder.search(criteria, plan, after=place, limit=limit + 1, tree=tree)
        ends = None
        if len(hits) > limit:
            last = hits[limit - 1].position
            ends = [last.tier, last.term, last.name, str(last.id)]
        return Page([hit.record for hit in hits[:limit]], ends)

    async def _as_asked(
        self, criteria: Criteria, plan: Plan, *, after: list[Any] | None, limit: int, tree: Tree
    ) -> Page:
        places = {identity: at for at, identity in enumerate(criteria.ids)}
        found = await self._repository.search(criteria, plan, order=Order(), after=None, limit=len(places), tree=tree)
        begin = 0 if after is None else after[0] + 1
        told = {place: each for each in found if (place := places[each.subject]) >= begin}
        page = sorted(told)[: limit + 1]
        return Page([told[place] for place in page[:limit]], [page[limit - 1]] if len(page) > limit else None)

    async def _ordered(
        self, criteria: Criteria, plan: Plan, order: Order, *, after: list[Any] | None, limit: int, tree: Tree
    ) -> Page:
        place = None if after is None else (after[0], UUID(after[1]))
        found = await self._repository.search(criteria, plan, order=order, after=place, limit=limit + 1, tree=tree)
        ends = None
        if len(found) > limit:
            last = found[limit - 1]
            stands = listed_under(last.public) if order.by == "name" else last.public[order.by] or ""
            ends = [stands, str(last.subject)]
        return Page(found[:limit], ends)
