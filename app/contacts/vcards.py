"""Cards to take along: what the viewer may export of one contact, or of a page of a search, as vCards.

A file outlives the sight it was made from, so it takes the power to export (design/policy.md), over C1 for a contact to be in it at all and
over a field's class for the field, which must be shown clear as well. Only what goes in is opened. The look is on record as any other,
and each card carries the watermark.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from app.audit.terms import Terms
from app.contacts.listing import ContactLists
from app.contacts.photos import DISCLOSURE
from app.contacts.query_schemas import VCardPageQuery, VCardQuery
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.vcard import CARRIED, Edition, Setting, vcard
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.opened import Opened
from app.disclosure.view import Disclosed
from app.kit.dependencies import names_version
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Power
from app.permissions.standing import Viewer

MEDIA_TYPE: Final = "text/vcard"
NEXT: Final = "Duanhao-Next"
"""Header with the cursor of the page that follows, where one does: a file has no place for it."""


class VCards(Disclosed[bytes]):
    """A file of vCards."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        content: bytes,
        note: bytes,
        *,
        etag: str | None = None,
        following: str | None = None,
        status_code: int = 200,
    ) -> None:
        """Send ``content`` as a file to keep, with the note that other answers carry in their body."""
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": 'attachment; filename="contacts.vcf"',
            DISCLOSURE: json.dumps(orjson.loads(note)),
            **({} if following is None else {NEXT: following}),
        }
        super().__init__(content, etag=etag, status_code=status_code, headers=headers)


class CardFiles:
    """Writes vCards for a viewer."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        lists: ContactLists,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        terms: Terms,
        issuer: str,
    ) -> None:
        """Take the rows, pages of them, the gate, the rights of now, the keys of cursors and of terms, and the address of the service."""
        self._repository, self._lists, self._gate, self._rights = repository, lists, gate, rights
        self._cursors, self._terms, self._dialled_in = cursors, terms, dialling_domain(issuer)

    async def one(self, viewer: Viewer, identity: UUID, query: VCardQuery, *, known: str | None) -> VCards:
        """Write one contact; 304 when ``known`` names what would be written.

        Raises ``NotFound`` for whom the viewer may not know of, and ``NotPermitted`` for whom they may see and not take along.
        """
        look = Look(action="contact.vcard", purpose=query.purpose)
        seek(look.action, look.purpose, identity)

        async def attempt(viewer: Viewer) -> VCards:
            record = await self._repository.by_id(identity, viewer.tree)
            cohort = None if record is None else self._gate.verdict(viewer.plan(query.purpose), record)
            if record is None or cohort is None:
                raise NotFound
            if FieldClass.C1 not in cohort.powers[Power.EXPORT]:
                raise NotPermitted
            opened = await self._gate.disclose(viewer, [record], look, taken=CARRIED)
            ((_, _, version),) = opened.cards
            tag = f"{version}-{query.format}"
            if known is not None and names_version(known, tag):
                return VCards(b"", opened.note, etag=tag, status_code=304)
            return VCards(self._written(opened, query.format), opened.note, etag=tag)

        return await self._rights.of(viewer, attempt)

    async def page(self, viewer: Viewer, query: VCardPageQuery) -> VCards:
        """Write a page of a search: those of its contacts whom the viewer may take along, in the order of the search."""
        shape = query.shape()
        after = self._cursors.open(viewer.caller, shape, query.cursor) if query.cursor is not None else None
        logged = {**shape, **({"q": self._terms.masked(query.q)} if query.q else {})}
        look = Look(action="contact.vcard", purpose=query.purpose, query=logged)
        seek(look.action, look.purpose)

        async def attempt(viewer: Viewer) -> VCards:
            plan = viewer.plan(query.purpose)
            page = await self._lists.page(query, plan, after=after, tree=viewer.tree, powers=(Power.EXPORT,))
            opened = await self._gate.disclose(viewer, page.records, look, taken=CARRIED)
            following = None if page.ends is None else self._cursors.seal(viewer.caller, shape, page.ends)
            return VCards(self._written(opened, query.format), opened.note, following=following)

        return await self._rights.of(viewer, attempt)

    def _written(self, opened: Opened, edition: Edition) -> bytes:
        note: Mapping[str, Any] = orjson.loads(opened.note)
        setting = Setting(self._dialled_in, note["watermark"], note["event_id"])
        cards: Iterable[Mapping[str, Any]] = (orjson.loads(card) for _, card, _ in opened.cards)
        return b"".join(vcard(card, setting, edition) for card in cards)


def dialling_domain(issuer: str) -> str | None:
    """Give the domain under which short numbers are meant (``phone-context`` of RFC 3966): the issuer's host, unless it is an address."""
    host = urlsplit(issuer).hostname
    last = "" if host is None else host.rpartition(".")[2]
    return host if last[:1].isalpha() and last.isascii() else None
