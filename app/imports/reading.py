"""Imports as those are shown them who may do them: how far each is, and what became of its rows. Every answer is a look, on record.

What is shown are numbers, codes and counts; whose a number is nobody is told here.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.imports.kinds import Import, ImportKind, RowResult
from app.imports.repository import ImportRepository, Progress
from app.imports.schemas import ImportPage, ImportQuery, ImportRowPage, ImportRowsQuery, ImportView
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE = Purpose.WORK_CONTACT
_SHAPE = "imports"


class ImportReader:
    """Shows imports."""

    def __init__(self, showing: Showing, *, rows: ImportRepository, kinds: Mapping[str, ImportKind]) -> None:
        """Take what desks share, the rows, and the kinds by name."""
        self._rows, self._kinds = rows, kinds
        self._gate, self._reader, self._cursors = showing.gate, showing.reader, showing.cursors
        self._rights = CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: ImportQuery) -> Disclosed[ImportPage]:
        """List imports of the kinds that ``viewer`` may do, newest first. Raises ``NotPermitted`` and ``BadCursor``."""
        seek("import.list", _PURPOSE)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, _SHAPE, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ImportPage]:
            found, ends = await self._rows.page(self._reader, self._admitted(viewer), before=before, limit=query.limit)
            progress = await self._rows.progress(self._reader, [each.id for each in found]) if found else {}
            items = [self._item(each, progress[each.id], viewer) for each in found]
            following = None if ends is None else self._cursors.seal(viewer.caller, _SHAPE, str(ends))
            body = {"items": items, "next": following}
            return Disclosed(await self._noted(viewer, "import.list", body, count=len(items)))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[ImportView]:
        """Show one. Raises ``NotFound``."""
        seek("import.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ImportView]:
            found = await self._found(viewer, identity)
            progress = await self._rows.progress(self._reader, [identity])
            body = self._item(found, progress[identity], viewer)
            return Disclosed(await self._noted(viewer, "import.read", body, count=1, identity=identity))

        return await self._rights.of(viewer, attempt)

    async def rows(self, viewer: Viewer, identity: UUID, query: ImportRowsQuery) -> Disclosed[ImportRowPage]:
        """List what became of rows. Raises ``NotFound`` and ``BadCursor``."""
        seek("import.rows", _PURPOSE)
        shape = {"import": str(identity), **query.shape()}
        after = -1 if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ImportRowPage]:
            kind = self._kinds[(await self._found(viewer, identity)).kind]
            rows = await self._rows.results(
                self._reader, identity, outcome=query.outcome, after=after, limit=query.limit + 1
            )
            page = rows[: query.limit]
            following = None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, page[-1][0])
            body = {"items": [_row(number, each, kind) for number, each in page], "next": following}
            return Disclosed(await self._noted(viewer, "import.rows", body, count=len(page), identity=identity))

        return await self._rights.of(viewer, attempt)

    def _admitted(self, viewer: Viewer) -> list[str]:
        """Name the kinds that ``viewer`` may do; raise ``NotPermitted`` where there is none."""
        found = [name for name, kind in self._kinds.items() if _admits(kind, viewer)]
        if not found:
            raise NotPermitted
        return found

    async def _found(self, viewer: Viewer, identity: UUID) -> Import:
        admitted = self._admitted(viewer)
        found = await self._rows.one(self._reader, identity)
        if found is None or found.kind not in admitted:
            raise NotFound
        return found

    def _item(self, found: Import, progress: Progress, viewer: Viewer) -> dict[str, Any]:
        return {
            "id": found.id,
            "kind": found.kind,
            "format": found.format,
            "domain": None,
            "profile": None,
            self._kinds[found.kind].placed: found.place,
            "dry_run": found.dry_run,
            "overrule": found.overrules,
            "size": found.size,
            "state": progress.state.value,
            "progress": {"done": progress.done, "total": progress.total},
            "counts": progress.counts,
            "proposals": progress.proposals,
            "problem": progress.problem,
            "job_id": found.job_id,
            "mine": found.caller == viewer.caller,
            "created_at": found.created_at,
            "finished_at": progress.finished_at,
        }

    async def _noted(
        self, viewer: Viewer, action: str, body: dict[str, Any], *, count: int, identity: UUID | None = None
    ) -> bytes:
        query = None if identity is None else {"import": str(identity)}
        note = await self._gate.disclose_plain(viewer, Look(action=action, purpose=_PURPOSE, query=query), count=count)
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z)


def _admits(kind: ImportKind, viewer: Viewer) -> bool:
    try:
        kind.admit(viewer)
    except NotPermitted:
        return False
    return True


def _row(number: int, row: RowResult, kind: ImportKind) -> dict[str, Any]:
    english, chinese = kind.explain(row.code)
    return {
        "number": number,
        "line": row.line,
        "column": row.column,
        "item": row.item,
        "outcome": row.outcome.value,
        "code": row.code,
        "message": english,
        "message_zh": chinese,
        "notes": [
            {"code": each, **dict(zip(("message", "message_zh"), kind.explain(each), strict=True))}
            for each in row.notes
        ],
    }
