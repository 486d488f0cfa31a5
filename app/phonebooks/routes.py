"""HTTP face of phonebooks and of callers' names."""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request

from app.contacts.photos import DISCLOSURE
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfNoneMatch
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.phonebooks.access import (
    CALLER_PROBLEMS,
    PHONEBOOK_PROBLEMS,
    Callers,
    DeviceReads,
    NamesCallers,
    Phonebooks,
)
from app.phonebooks.schemas import CallerName, CallerQuery, Digits, PhonebookQuery
from app.phonebooks.service import MEDIA_TYPE, Phonebook
from app.phonebooks.vendors import VendorName

_EXAMPLE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<YealinkIPPhoneDirectory>\n<Title>公司电话簿</Title>\n'
    "<DirectoryEntry><Name>曾若砚 · 研发部 (离岗至 11-30 → 61236)</Name><Telephone>61234</Telephone></DirectoryEntry>\n"
    "</YealinkIPPhoneDirectory>\n"
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": f"The phonebook as the make reads it; `{DISCLOSURE}` holds the note of the disclosure",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
        "headers": {name: {"schema": {"type": "string"}} for name in ("ETag", "Link", DISCLOSURE)},
    },
    304: {"description": "Unchanged"},
    **responses(*PHONEBOOK_PROBLEMS),
}

router = GuardedRouter(prefix="/v1", tags=["phonebooks"])


@router.get(
    "/phonebooks/{vendor}",
    summary="Read the phonebook of a desk phone",
    response_model=None,
    response_class=Phonebook,
    responses=_ANSWERS,
)
async def read_phonebook(
    viewer: DeviceReads,
    phonebooks: Phonebooks,
    request: Request,
    vendor: VendorName,
    query: Annotated[PhonebookQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Phonebook:
    """List whom the device may name, in the XML of its make: names, departments, extensions and short numbers, nothing else.

    Called by the device itself, with Basic: its id and its own secret. Hotlines and the lines of departments and rooms are in, and of
    telephones that no person has, by their label or room; people whose card is guarded, who are suspended, have left or are not yet here
    are not. Who is away has it said behind the name, with the number that answers instead. One event of the log names everybody, also
    behind a 304.
    """
    return await phonebooks.read(viewer, vendor, query, path=request.url.path, known=if_none_match)


@router.get(
    "/phonebooks/{vendor}/phonebook.xml",
    summary="Read the phonebook under the name that some phones ask for",
    response_model=None,
    response_class=Phonebook,
    responses=_ANSWERS,
)
async def read_phonebook_file(
    viewer: DeviceReads,
    phonebooks: Phonebooks,
    request: Request,
    vendor: VendorName,
    query: Annotated[PhonebookQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Phonebook:
    """Answer as `GET /v1/phonebooks/{vendor}` does: Grandstream's phones put `phonebook.xml` behind the path that they are given."""
    return await phonebooks.read(viewer, vendor, query, path=request.url.path, known=if_none_match)


@router.get(
    "/caller-names/{digits}",
    summary="Name who calls",
    response_model=None,
    responses={
        **disclosed_response(CallerName, "Whose number it is"),
        **responses(*CALLER_PROBLEMS, NotFound),
    },
)
async def read_caller_name(
    viewer: NamesCallers,
    callers: Callers,
    digits: Annotated[Digits, Path(description="A short number or an extension.", examples=["61234"])],
    query: Annotated[CallerQuery, Query()],
) -> Disclosed[CallerName]:
    """Name who holds a short number or an extension, for the display of a telephone that rings.

    Called by a device with Basic, or by an exchange with a token of scope `caller-names:read`. Never finds by a mobile. 404 alike for a
    number that nobody holds, one that is not there, and one whose holder may not be named. Costs no quota; has a rate of its own.
    """
    return await callers.of(viewer, digits, query.domain)
