"""HTTP face of sheets of contacts."""

from typing import Annotated, Any, Final

from fastapi import Path, Query

from app.contacts.access import LOOK_PROBLEMS, ContactsRead
from app.contacts.access_own import Front
from app.contacts.exporting import MEDIA_TYPES, ContactSheet, Format
from app.contacts.photos import DISCLOSURE
from app.contacts.query_schemas import ExportQuery
from app.contacts.vcards import NEXT
from app.kit.errors import Invalid
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["contacts"])
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": (
            f"A page as a file; `{NEXT}` holds the cursor of the next one, `{DISCLOSURE}` the note of the disclosure"
        ),
        "content": {
            MEDIA_TYPES["csv"]: {
                "schema": {"type": "string"},
                "example": "工号,姓名,手机,水印\r\nE1001,欧阳明,'+8613800000001,\r\n",
            },
            MEDIA_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {name: {"schema": {"type": "string"}} for name in (NEXT, DISCLOSURE)},
    }
}


@router.get(
    "/contact-exports/{format}",
    summary="Take a search along as a sheet",
    response_model=None,
    response_class=ContactSheet,
    responses={**_FILES, **responses(*LOOK_PROBLEMS, Invalid, BadCursor)},
)
async def export_contacts(
    viewer: ContactsRead,
    front: Front,
    format: Annotated[Format, Path(description="`csv` (UTF-8, with a byte order mark) or `xlsx`.")],
    query: Annotated[ExportQuery, Query()],
) -> ContactSheet:
    """Write a page of a search as a sheet: those whom the caller may export, and of each what they may; masks are left out.

    Asked as `GET /v1/contacts` is. A cell that a program could take for a formula begins with `'`; `POST /v1/imports` with the profile
    `generic` reads the file back as it was, and takes an empty cell for nothing said.
    """
    return await front.sheets.page(viewer, format, query)
