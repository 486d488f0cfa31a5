"""Type-ahead: a few people who may be meant, by C1 members alone. Nothing is opened for it, and it is a look like any other.

Rows are believed on the same terms as for cards: one whose MAC does not hold, or that the plan calls invisible, is dropped and reported.
The log gets one event per answer, with everybody who was named.
"""

from typing import Any

import orjson
import structlog

from app.audit.errors import EpochMoved
from app.audit.terms import Terms
from app.contacts.listing import ContactLists
from app.contacts.query_schemas import ListQuery
from app.contacts.suggestion_schemas import SuggestionList, SuggestionQuery
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.permissions.standing import Standings, Viewer

_ACTION = "suggestion.list"
_log = structlog.get_logger("duanhao.security")


class SuggestionService:
    """Suggests contacts to a viewer."""

    def __init__(self, *, lists: ContactLists, gate: Gate, standings: Standings, terms: Terms) -> None:
        """Take the pages, the gate, who viewers are, and the key of terms in the log."""
        self._lists, self._gate, self._standings, self._terms = lists, gate, standings, terms

    async def suggest(self, viewer: Viewer, query: SuggestionQuery) -> Disclosed[SuggestionList]:
        """List whom the text may mean, the best first.

        Raises ``LogUnavailable`` when the look cannot be recorded, and ``EpochMoved`` when the viewer's rights move twice meanwhile.
        """
        try:
            return await self._suggest(viewer, query)
        except EpochMoved:
            return await self._suggest(await self._standings.of(viewer.subject, fresh=True), query)

    async def _suggest(self, viewer: Viewer, query: SuggestionQuery) -> Disclosed[SuggestionList]:
        plan = viewer.plan(query.purpose)
        asked = ListQuery(q=query.q, limit=query.limit, purpose=query.purpose)
        page = await self._lists.page(asked, plan, after=None, tree=viewer.tree)
        shown: list[Record] = []
        for record in page.records:
            if self._gate.verdict(plan, record) is None:
                _log.error("row_not_disclosed", subject=str(record.subject), action=_ACTION)
                continue
            shown.append(record)
        look = Look(action=_ACTION, purpose=query.purpose, query={"q": self._terms.masked(query.q)})
        note = await self._gate.disclose_plain(
            viewer, look, count=len(shown), contacts=[each.subject for each in shown]
        )
        items = [_suggestion(each, viewer.tree) for each in shown]
        return Disclosed(orjson.dumps({"items": items, "disclosure": orjson.Fragment(note)}))


def _suggestion(record: Record, tree: Tree) -> dict[str, Any]:
    public = record.public
    main = record.cohort.departments[0] if public["department"] is not None else None
    node = None if main is None else tree.nodes.get(main)
    return {
        "id": public["id"],
        "name": public.get("name"),
        "kind": public["kind"],
        "organisation": public["organisation"],
        "department": None if node is None else node.name,
        "title": public["title"],
        "short_numbers": public["short_numbers"],
        "away_until": public["away_until"],
        "backup_contact": public["backup_contact"],
    }
