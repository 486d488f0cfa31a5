"""Contacts to take along as a sheet, for people who work with sheets: CSV and XLSX, a page of a search at a time.

As with vCards, it takes the power to export, over C1 for a contact to be in the file and over a field's class for the field, which must be
shown clear as well. Only columns that are asked for are opened; the look is on record before, with everybody who is in it; each row carries
the watermark; and no cell is read as a formula by whatever opens the file.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

import orjson

from app.audit.terms import Terms
from app.contacts.columns import SEALED, Column, chosen, head, row
from app.contacts.listing import ContactLists
from app.contacts.photos import DISCLOSURE
from app.contacts.query_schemas import ExportQuery
from app.contacts.rights import CurrentRights, seek
from app.contacts.vcards import NEXT
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.opened import Opened
from app.disclosure.view import Disclosed
from app.exchanges import sheet_writing, workbook_writing
from app.kit.pagination import Cursors
from app.permissions.outcomes import Power
from app.permissions.standing import Viewer

ACTION: Final = "contact.export"
Format = Literal["csv", "xlsx"]
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"csv": "text/csv; charset=utf-8", "xlsx": workbook_writing.MEDIA_TYPE}
)


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    return ("\ufeff" + "".join(map(sheet_writing.row, rows))).encode()


def _xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    return workbook_writing.book([sheet_writing.cell(each) for each in cells] for cells in rows)


_WRITERS: Final[Mapping[str, Callable[[Iterable[Sequence[str]]], bytes]]] = MappingProxyType(
    {"csv": _csv, "xlsx": _xlsx}
)


def written(
    format: Format,  # noqa: A002 — as the path calls it
    columns: Sequence[Column],
    cards: Iterable[Mapping[str, Any]],
    *,
    watermark: str,
    query: ExportQuery,
) -> bytes:
    """Write cards, as the gate rendered them, as a file."""
    return _WRITERS[format]([head(columns, query.labels), *(row(card, columns, watermark) for card in cards)])


class ContactSheet(Disclosed[bytes]):
    """A file of contacts."""

    media_type = MEDIA_TYPES["csv"]

    def __init__(
        self,
        content: bytes,
        note: bytes,
        *,
        format: Format,  # noqa: A002 — as the path calls it
        following: str | None,
        status_code: int = 200,
    ) -> None:
        """Send ``content`` as a file to keep, with the note that other answers carry in their body."""
        headers = {
            "Content-Type": MEDIA_TYPES[format],
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="contacts.{format}"',
            DISCLOSURE: json.dumps(orjson.loads(note)),
            **({} if following is None else {NEXT: following}),
        }
        super().__init__(content, status_code=status_code, headers=headers)


class ContactSheets:
    """Writes sheets of contacts for a viewer."""

    def __init__(
        self, *, lists: ContactLists, gate: Gate, rights: CurrentRights, cursors: Cursors, terms: Terms
    ) -> None:
        """Take pages of contacts, the gate, the rights of now, and the keys of cursors and of terms."""
        self._lists, self._gate, self._rights = lists, gate, rights
        self._cursors, self._terms = cursors, terms

    async def page(self, viewer: Viewer, format: Format, query: ExportQuery) -> ContactSheet:  # noqa: A002 — as the path calls it
        """Write a page of a search: those of its contacts whom the viewer may take along, in the order of the search."""
        shape = {**query.shape(), "format": format}
        after = self._cursors.open(viewer.caller, shape, query.cursor) if query.cursor is not None else None
        logged = {**shape, **({"q": self._terms.masked(query.q)} if query.q else {})}
        look = Look(action=ACTION, purpose=query.purpose, query=logged)
        seek(look.action, look.purpose)
        columns = chosen(query.columns, query.kind)
        taken = SEALED & {each.name for each in columns}

        async def attempt(viewer: Viewer) -> ContactSheet:
            plan = viewer.plan(query.purpose)
            page = await self._lists.page(query, plan, after=after, tree=viewer.tree, powers=(Power.EXPORT,))
            opened = await self._gate.disclose(viewer, page.records, look, taken=taken)
            following = None if page.ends is None else self._cursors.seal(viewer.caller, shape, page.ends)
            content = self._written(opened, format, columns, query)
            return ContactSheet(content, opened.note, format=format, following=following)

        return await self._rights.of(viewer, attempt)

    def _written(self, opened: Opened, format: Format, columns: Sequence[Column], query: ExportQuery) -> bytes:  # noqa: A002 — as the path calls it
        note: Mapping[str, Any] = orjson.loads(opened.note)
        cards = (orjson.loads(card) for _, card, _ in opened.cards)
        return written(format, columns, cards, watermark=note["watermark"], query=query)
