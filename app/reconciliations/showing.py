"""Reconciliations as they are shown: to the source that sent them, and to the people of HR and security who decide on a blown fuse.

Every answer is a look, on record, and names whom it is about. What is shown are numbers, names of members and codes, and no value.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.departments.tree import Tree
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer
from app.reconciliations.allowing import Fuse
from app.reconciliations.kinds import Reconciliation, ReconciliationState, Row
from app.reconciliations.repository import Progress, ReconciliationRepository
from app.reconciliations.rights import looks, oversees
from app.reconciliations.schemas import (
    DifferencePage,
    DifferencesQuery,
    ReconciliationPage,
    ReconciliationQuery,
    ReconciliationView,
)
from app.reconciliations.wording import words_of

_PURPOSE: Final = Purpose.WORK_CONTACT
_SHAPE: Final = "reconciliations"
_LIST, _READ, _ROWS = "hr.reconcile.list", "hr.reconcile.read", "hr.reconcile.rows"


class ReconciliationReader:
    """Shows reconciliations."""

    def __init__(self, showing: Showing, *, rows: ReconciliationRepository, fuse: Fuse) -> None:
        """Take what desks share, the rows and the fuse."""
        self._rows, self._fuse = rows, fuse
        self._gate, self._reader, self._cursors = showing.gate, showing.reader, showing.cursors
        self._rights = CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: ReconciliationQuery) -> Disclosed[ReconciliationPage]:
        """List the caller's own, or everybody's for who oversees, newest first. Raises ``NotPermitted`` and ``BadCursor``."""
        seek(_LIST, _PURPOSE)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, _SHAPE, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ReconciliationPage]:
            looks(viewer)
            whose = None if oversees(viewer) else viewer.caller
            found, ends = await self._rows.page(self._reader, whose, before=before, limit=query.limit)
            progress = await self._rows.progress(self._reader, [each.id for each in found]) if found else {}
            items = [_item(each, progress[each.id], viewer) for each in found]
            following = None if ends is None else self._cursors.seal(viewer.caller, _SHAPE, str(ends))
            body = {"items": items, "next": following}
            return Disclosed(await self._noted(viewer, _LIST, body, count=len(items)))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[ReconciliationView]:
        """Show one, with the fuse's verdict as things are now. Raises ``NotFound``."""
        seek(_READ, _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ReconciliationView]:
            found = await self._found(viewer, identity)
            progress = (await self._rows.progress(self._reader, [identity]))[identity]
            body = {
                **_item(found, progress, viewer),
                "unknown_departments": progress.notes.get("unknown_departments", {}),
                "ignored_columns": progress.notes.get("ignored_columns", []),
                "fuse": await self._verdict(viewer, found, progress.state),
            }
            return Disclosed(await self._noted(viewer, _READ, body, count=1, identity=identity))

        return await self._rights.of(viewer, attempt)

    async def rows(self, viewer: Viewer, identity: UUID, query: DifferencesQuery) -> Disclosed[DifferencePage]:
        """List differences. Raises ``NotFound`` and ``BadCursor``."""
        seek(_ROWS, _PURPOSE)
        shape = {"reconciliation": str(identity), **query.shape()}
        after = -1 if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[DifferencePage]:
            await self._found(viewer, identity)
            rows = await self._rows.rows(
                self._reader, identity, after=after, limit=query.limit + 1, kind=query.kind, outcome=query.outcome
            )
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, page[-1].number)
            body = {"items": [_row(each) for each in page], "next": following}
            about = sorted({each.contact_id for each in page if each.contact_id is not None})
            told = await self._noted(viewer, _ROWS, body, count=len(page), identity=identity, contacts=about)
            return Disclosed(told)

        return await self._rights.of(viewer, attempt)

    async def _found(self, viewer: Viewer, identity: UUID) -> Reconciliation:
        looks(viewer)
        found = await self._rows.one(self._reader, identity)
        if found is None or not (found.caller == viewer.caller or oversees(viewer)):
            raise NotFound
        return found

    async def _verdict(
        self, viewer: Viewer, found: Reconciliation, state: ReconciliationState
    ) -> Mapping[str, Any] | None:
        if state is not ReconciliationState.COMPARED:
            return None
        verdict = await self._fuse.verdict(self._reader, viewer.tree, found)
        release = await self._rows.release_of(self._reader, found)
        return {
            "blown": verdict.blown,
            "reason": verdict.reason.value,
            "extent": verdict.tally.extent.value,
            "leavers": verdict.tally.leavers,
            "people": verdict.tally.people,
            "released_by": None if release is None else release.request_id,
        }

    async def _noted(
        self,
        viewer: Viewer,
        action: str,
        body: dict[str, Any],
        *,
        count: int,
        identity: UUID | None = None,
        contacts: Sequence[UUID] = (),
    ) -> bytes:
        query = None if identity is None else {"reconciliation": str(identity)}
        look = Look(action=action, purpose=_PURPOSE, query=query)
        note = await self._gate.disclose_plain(viewer, look, count=count, contacts=contacts)
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z)


def _item(found: Reconciliation, progress: Progress, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": found.id,
        "source": found.source,
        "format": found.format,
        "department": _code(viewer.tree, found.department_id),
        "as_of": found.as_of,
        "size": found.size,
        "state": progress.state.value,
        "progress": {"done": progress.done, "total": progress.total},
        "counts": progress.counts,
        "outcomes": progress.outcomes,
        "people": found.people,
        "nameless": found.nameless,
        "digest": None if found.digest is None else found.digest.hex(),
        "problem": progress.problem,
        "job_id": found.job_id,
        "apply_job_id": found.apply_job_id,
        "mine": found.caller == viewer.caller,
        "created_at": found.created_at,
        "compared_at": found.compared_at,
        "begun_at": found.begun_at,
        "finished_at": progress.finished_at,
    }


def _code(tree: Tree, department: UUID | None) -> str | None:
    if department is None:
        return None
    node = tree.nodes.get(department)
    return str(department) if node is None else node.code


def _row(row: Row) -> dict[str, Any]:
    english, chinese = words_of(row.result or row.code)
    return {
        "number": row.number,
        "kind": row.kind.value,
        "line": row.line,
        "employee_no": row.employee_no,
        "contact_id": row.contact_id,
        "members": row.members,
        "column": row.column,
        "code": row.code,
        "message": english,
        "message_zh": chinese,
        "outcome": None if row.outcome is None else row.outcome.value,
        "result": row.result,
    }
