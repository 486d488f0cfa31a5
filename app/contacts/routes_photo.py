"""HTTP face of photos."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.datastructures import UploadFile

from app.contacts.access import LOOK_PROBLEMS, ContactsRead, ContactsWrite
from app.contacts.access_own import PHOTO_PROBLEMS, Front
from app.contacts.own_schemas import PhotoReceipt
from app.contacts.photos import DISCLOSURE, MEDIA_TYPE, Photo
from app.contacts.query_schemas import ReadQuery
from app.kit.dependencies import IfMatch, IfNoneMatch, Unit
from app.kit.errors import BodyTooLarge, FieldError, Invalid, NotFound, UnsupportedMediaType
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

MOST_BYTES: Final = 1_048_576

_FORM: Final = "multipart/form-data"
_BINARY: Final = {"type": "string", "format": "binary"}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": {"photo": _BINARY},
                "required": ["photo"],
                "additionalProperties": False,
            }
        },
        **{kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "image/webp")},
    },
}

router = GuardedRouter(prefix="/v1/contacts/{id}/photo", tags=["contacts"])


async def picture(request: Request) -> bytes:
    """Read a picture from a body: the body itself (``image/*``), or the part ``photo`` of a form.

    The body is held in memory and nowhere else, at most a megabyte of it. Raises ``BodyTooLarge``, ``UnsupportedMediaType``, ``Invalid``.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM and not kind.startswith("image/"):
        raise UnsupportedMediaType
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise BodyTooLarge
    if kind != _FORM:
        return body
    async with request.form(max_files=1, max_fields=0) as form:
        part = form.get("photo")
        if not isinstance(part, UploadFile):
            raise Invalid(
                errors=[FieldError("/photo", "missing", "The form has no file named `photo`.", "表单缺少文件 photo。")]
            )
        return await part.read()


@router.get(
    "",
    summary="Read a photo",
    response_model=None,
    response_class=Photo,
    responses={
        200: {
            "description": f"A JPEG of at most 512 by 512; `{DISCLOSURE}` holds the note of the disclosure",
            "content": {MEDIA_TYPE: {"schema": _BINARY}},
            "headers": {name: {"schema": {"type": "string"}} for name in ("ETag", DISCLOSURE)},
        },
        304: {"description": "Unchanged"},
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_photo(
    viewer: ContactsRead,
    front: Front,
    id: UUID,
    query: Annotated[ReadQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Photo:
    """Show a photo to whom policy shows it clear. No photo, one that is withheld, and nobody there are the same 404."""
    return await front.photos.read(viewer, id, query.purpose, known=if_none_match)


@router.post(
    "",
    summary="Give a contact a photo",
    response_model=None,
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {"model": PhotoReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, *PHOTO_PROBLEMS),
    },
)
async def replace_photo(
    viewer: ContactsWrite, front: Front, unit: Unit, id: UUID, version: IfMatch, request: Request
) -> Response:
    """Keep a picture as the photo, in place of any other; `If-Match` names the card that the caller saw.

    JPEG, PNG or WebP, told by content, at most 1 MiB and 4096 by 4096 pixels. It is turned upright, shrunk to 512 by 512 at most and drawn
    anew as a JPEG without metadata: no place, no time, no camera.
    """
    receipt = await front.photos.replace(viewer, unit, id, version, await picture(request))
    answer = receipt_response(receipt, "/v1/contacts")
    answer.headers["Location"] += "/photo"
    return answer


@router.delete(
    "",
    summary="Remove a photo",
    status_code=204,
    response_model=None,
    responses={
        204: {"description": "There is no photo now"},
        **responses(*LOOK_PROBLEMS, *PHOTO_PROBLEMS[:4], Invalid),
    },
)
async def remove_photo(viewer: ContactsWrite, front: Front, unit: Unit, id: UUID, version: IfMatch) -> Response:
    """Remove the photo, if there is one; `If-Match` names the card that the caller saw."""
    await front.photos.remove(viewer, unit, id, version)
    return Response(status_code=204)
