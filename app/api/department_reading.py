"""Departments as a caller is shown them. Every answer is a look: on record before it leaves, decided with the tree and the rights of now.

The log tells when a remembered tree is out of date, but only of a look; that something is not there is therefore never said before the
tree has been read afresh.

Who holds a position is named only to those who may know of that contact, by the same verdict that the contact's card would get.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

import orjson

from app.api.department_views import DepartmentListQuery, DepartmentPage, DepartmentView, public
from app.audit.errors import EpochMoved
from app.audit.terms import Terms
from app.departments.tree import Node, Tree
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.dependencies import names_version
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")


class ClosedContacts(Protocol):
    """Where the contacts who hold positions are found, closed."""

    async def by_id(self, identity: UUID, tree: Tree) -> Record | None:
        """Load one; calls made together become one statement."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One department as it was just shown: the row, its rendering, the version of that, and the note of the look."""

    node: Node
    card: bytes
    version: str
    note: bytes


class DepartmentReader:
    """Shows departments to a viewer."""

    def __init__(
        self, *, contacts: ClosedContacts, gate: Gate, standings: Standings, cursors: Cursors, terms: Terms
    ) -> None:
        """Take the contacts, the gate, who viewers are, and the keys of cursors and of terms in the log."""
        self._contacts, self._gate, self._standings = contacts, gate, standings
        self._cursors, self._terms = cursors, terms

    async def read(
        self, viewer: Viewer, named: str, purpose: Purpose, *, known: str | None = None
    ) -> Disclosed[DepartmentView]:
        """Show the department of an id or code; 304 when ``known`` (``If-None-Match``) names what would be shown.

        Raises ``NotFound``, also for a department whose row was edited past us.
        """
        seen = await self.look(viewer, named, purpose)
        if known is not None and names_version(known, seen.version):
            return Disclosed(b"", etag=seen.version, status_code=304)
        body = b'%b,"version":"%b","disclosure":%b}' % (seen.card[:-1], seen.version.encode(), seen.note)
        return Disclosed(body, etag=seen.version)

    async def look(self, viewer: Viewer, named: str, purpose: Purpose = Purpose.WORK_CONTACT) -> Seen:
        """Show one department to ``viewer``, for an answer or for a write that builds on what was seen; raise ``NotFound``."""

        async def attempt(viewer: Viewer) -> Seen:
            node = viewer.tree.find(named)
            if node is None:
                raise NotFound
            known = await self.known(viewer, node.holders, purpose)
            card = orjson.dumps(public(node, viewer.tree, known))
            look = Look(action="department.read", purpose=purpose, query={"department": str(node.id)})
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=sorted(known))
            return Seen(node, card, self._gate.version(card), note)

        return await self._with_current_rights("department.read", viewer, attempt)

    async def page(self, viewer: Viewer, query: DepartmentListQuery) -> Disclosed[DepartmentPage]:
        """List departments by code, a page at a time, or the tree in display order, nested and whole."""
        selection = query.selection()
        shape = selection.shape()
        after = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
        logged = {**shape, "view": query.view, **({"q": self._terms.masked(query.q)} if query.q else {})}
        look = Look(action="department.list", purpose=query.purpose, query=logged)

        async def attempt(viewer: Viewer) -> Disclosed[DepartmentPage]:
            tree, following = viewer.tree, None
            if query.view == "tree":
                top = selection.roots(tree)
                nodes = [tree.nodes[each] for root in top for each in tree.subtree(root.id)]
            else:
                found = [node for node in selection.of(tree) if after is None or node.code > after]
                nodes = found[: query.limit]
                if len(found) > query.limit:
                    following = self._cursors.seal(viewer.caller, shape, nodes[-1].code)
                top = tuple(nodes)
            known = await self.known(viewer, (each for node in nodes for each in node.holders), query.purpose)
            nested = query.view == "tree"
            items = [self._item(node, tree, known, nested=nested) for node in top]
            note = await self._gate.disclose_plain(viewer, look, count=len(nodes), contacts=sorted(known))
            return Disclosed(orjson.dumps({"items": items, "next": following, "disclosure": orjson.Fragment(note)}))

        return await self._with_current_rights("department.list", viewer, attempt)

    async def known(self, viewer: Viewer, contacts: Iterable[UUID], purpose: Purpose) -> frozenset[UUID]:
        """Tell of which of these contacts ``viewer`` may know."""
        wanted = list(dict.fromkeys(contacts))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(purpose)
        verdicts = [None if record is None else self._gate.verdict(plan, record) for record in records]
        return frozenset(each for each, verdict in zip(wanted, verdicts, strict=True) if verdict is not None)

    async def rendered(self, viewer: Viewer, node: Node, tree: Tree) -> dict[str, Any]:
        """Write a department as ``viewer`` would be shown it, with its version, for the receipt of a write."""
        known = await self.known(viewer, node.holders, Purpose.WORK_CONTACT)
        return self._item(node, tree, known, nested=False)

    def _item(self, node: Node, tree: Tree, known: frozenset[UUID], *, nested: bool) -> dict[str, Any]:
        shown = public(node, tree, known)
        shown["version"] = self._gate.version(orjson.dumps(shown))
        if nested:
            shown["children"] = [
                self._item(child, tree, known, nested=True) for child in tree.children.get(node.id, ())
            ]
        return shown

    async def _with_current_rights(self, action: str, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        context = current_request()
        if context is not None:
            context.action = action
        try:
            return await attempt(viewer)
        except (EpochMoved, NotFound):
            return await attempt(await self._standings.of(viewer.subject, fresh=True))
