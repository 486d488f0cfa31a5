"""Phonebooks for a viewer, which is a device: collected, on record with everybody whom they name, and then rendered.

A look is a look although its answer is ``304``: the telephone still has what it was shown, and shows it on. A phonebook that has not
changed has the same tag for the same device.
"""

import json
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from app.audit.terms import Terms
from app.contacts.photos import DISCLOSURE
from app.contacts.rights import CurrentRights, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, Invalid
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer
from app.phonebooks.collecting import BookReader, Wish
from app.phonebooks.entry import Book
from app.phonebooks.schemas import PhonebookQuery
from app.phonebooks.vendors import VENDORS, VendorName

ACTION: Final = "phonebook.read"
PURPOSE: Final = Purpose.WORK_CONTACT
MEDIA_TYPE: Final = "text/xml"
_TITLES: Final = {"zh": "公司电话簿", "en": "Company phonebook"}


class Phonebook(Disclosed[bytes]):
    """A phonebook as one make of telephone reads it."""

    media_type = MEDIA_TYPE

    def __init__(
        self, body: bytes, *, version: str, note: bytes, following: str | None, status_code: int = 200
    ) -> None:
        """Send ``body`` as what it is; ``following`` is where the next stretch is."""
        headers = {"X-Content-Type-Options": "nosniff", DISCLOSURE: json.dumps(orjson.loads(note))}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        super().__init__(body, etag=version, status_code=status_code, headers=headers)


class PhonebookService:
    """Gives phonebooks."""

    def __init__(self, *, books: BookReader, gate: Gate, rights: CurrentRights, terms: Terms) -> None:
        """Take who collects, the gate, who viewers are now, and the key of terms in the log."""
        self._books, self._gate, self._rights, self._terms = books, gate, rights, terms

    async def read(
        self, viewer: Viewer, vendor: VendorName, query: PhonebookQuery, *, path: str, known: str | None = None
    ) -> Phonebook:
        """Give one stretch of the phonebook; 304 when ``known`` (``If-None-Match``) names what would be shown.

        Raises ``Invalid`` for groups that the make does not have, and ``LogUnavailable`` when the look cannot be recorded.
        """
        seek(ACTION, PURPOSE)
        make = VENDORS[vendor]
        if query.grouped and not make.grouped:
            raise Invalid(errors=[FieldError("?grouped", "not_offered", "Not for this make.", "此品牌不支持分组。")])
        wish = Wish(query.q, query.department, (query.page - 1) * make.limits.entries, make.limits.entries)
        look = Look(action=ACTION, purpose=PURPOSE, query=self._logged(vendor, query))

        async def attempt(viewer: Viewer) -> Phonebook:
            plan = viewer.plan(PURPOSE)
            found = await self._books.collect(viewer, plan, wish)
            book = Book(
                title=_TITLES[query.language],
                entries=found.entries,
                today=plan.today,
                language=query.language,
                grouped=query.grouped,
            )
            note = await self._gate.disclose_plain(viewer, look, count=len(found.entries), contacts=found.contacts)
            body = make.render(book)
            version, following = self._gate.version(body), _following(path, query) if found.more else None
            if known is not None and names_version(known, version):
                return Phonebook(b"", version=version, note=note, following=following, status_code=304)
            return Phonebook(body, version=version, note=note, following=following)

        return await self._rights.of(viewer, attempt)

    def _logged(self, vendor: VendorName, query: PhonebookQuery) -> dict[str, Any]:
        asked = query.model_dump(mode="json", exclude_defaults=True, exclude={"q"})
        return {"vendor": vendor, **asked, **({"q": self._terms.masked(query.q)} if query.q else {})}


def _following(path: str, query: PhonebookQuery) -> str:
    asked = query.model_dump(mode="json", exclude_defaults=True)
    return f"{path}?{urlencode({**asked, 'page': query.page + 1})}"
