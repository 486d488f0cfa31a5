"""``purge.history``: erasing for good the values that history keeps of quarters long past, by four eyes.

The steward files it, which is a signature, and security decides. What is approved is the set of keys, by the root over all of them: when
anything of it has gone since, somebody decides anew. It cannot be taken back, by nobody: until it is decided it can be withdrawn.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.repository import ContactRepository
from app.departments.tree import Tree
from app.history.errors import NothingToPurge, UnfitPurge
from app.history.service import HistoryPurger, Order, Reach
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Standings, Viewer

COMPANY: Final = "company"
_NEEDS: Final[Mapping[str, str | None]] = {"all": None, "department": "department", "contacts": "contacts"}
_TOLD: Final = ("keys", "subjects", "changes", "left", "held", "quarters", "root")


class PurgeHistory:
    """Purges."""

    def __init__(self, purger: HistoryPurger, contacts: ContactRepository, standings: Standings) -> None:
        """Take what purges, the contacts, and where the departments of now are known."""
        self._purger, self._contacts, self._standings = purger, contacts, standings

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell what would go. Raises ``NotFound``, ``UnfitPurge`` and ``NothingToPurge``."""
        if asked.subject.id != COMPANY:
            raise NotFound
        form = {name: value for name, value in asked.form.items() if name != "found"}
        reach = await self._reach(form)
        tally = await self._purger.tallied(source, reach)
        if not tally.tree.size:
            raise NothingToPurge
        if viewer is None:
            form["found"] = asked.form["found"]
        else:
            form["found"] = await self._purger.foretold(source, reach, tally)
        facts = {
            "before": form["before"],
            "scope": form["scope"],
            "keys": str(tally.tree.size),
            "subjects": str(len(tally.subjects)),
            "root": tally.root,
        }
        return Examined(form=form, facts=facts)

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Destroy the keys and certify it. Raises ``HistoryMoved``."""
        form, asked = approved.asked.form, approved.asked
        scope = {name: form[name] for name in ("scope", "department", "contacts", "keep") if name in form}
        order = Order(
            request=approved.id,
            root=approved.facts["root"],
            filed_by=asked.requester,
            decided_by=approved.decided_by,
            scope=scope,
        )
        done = await self._purger.purge(unit, author, await self._reach(form), order)
        where = f"/v1/history-purges/{approved.id}"
        return Applied(result={"certificate": where, **{name: done[name] for name in _TOLD}})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: what is destroyed stays so."""
        del unit, author, approved, result, cause

    async def _reach(self, form: Mapping[str, Any]) -> Reach:
        before = _day(form["before"])
        quarter, newest = self._purger.quarter(before), self._purger.newest()
        if quarter is None:
            raise UnfitPurge(
                "/form/before",
                "no_quarter",
                "History goes by whole quarters: name the first day of one.",
                "历史值按季度清除：请填写某一季度的首日。",
            )
        if before > newest:
            raise UnfitPurge(
                "/form/before",
                "kept",
                f"History since {newest.isoformat()} is kept.",
                f"{newest.isoformat()} 起的历史值须保留。",
            )
        for name in _NEEDS.values():
            if name is not None and (name in form) != (name == _NEEDS[form["scope"]]):
                pointer = f"/form/{name}"
                raise UnfitPurge(
                    pointer,
                    "unfit_scope",
                    "This scope needs exactly the member that says whose.",
                    "该范围须且仅须填写对应对象。",
                )
        tree = await self._standings.tree()
        return Reach(
            before=before,
            quarter=quarter,
            departments=_departments(tree, form.get("department")),
            contacts=await self._known(tree, form, "contacts"),
            keep=await self._known(tree, form, "keep") or frozenset(),
        )

    async def _known(self, tree: Tree, form: Mapping[str, Any], member: str) -> frozenset[UUID] | None:
        """Read ids of contacts, archived ones too; raise ``UnfitPurge`` for the first that is nobody."""
        if member not in form:
            return None
        wanted = [UUID(each) for each in form[member]]
        found = await self._contacts.by_ids(wanted, tree)
        for at, each in enumerate(wanted):
            if each not in found:
                pointer = f"/form/{member}/{at}"
                raise UnfitPurge(pointer, "unknown_contact", "There is no such contact.", "联系人不存在。")
        return frozenset(wanted)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnfitPurge("/form/before", "no_day", "This is no day.", "日期无效。") from None


def _departments(tree: Tree, named: str | None) -> frozenset[UUID] | None:
    """Give a department and everything below it."""
    if named is None:
        return None
    node = tree.find(named)
    if node is None:
        raise UnfitPurge("/form/department", "unknown_department", "There is no such department.", "部门不存在。")
    return tree.subtree(node.id)
