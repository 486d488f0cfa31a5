"""HTTP face of the nightly emergency sheets."""

from typing import Final
from uuid import UUID

import orjson
from fastapi import Response

from app.disclosure.view import Disclosed, disclosed_response
from app.emergency.access import LOOK_PROBLEMS, WRITE_PROBLEMS, Desk, EmergencyRead, EmergencyWrite
from app.emergency.errors import UnknownRecord
from app.emergency.schemas import OpeningReceipt, OpeningUpload, SheetList
from app.emergency.sheet_desk import DISCLOSURE, MEDIA_TYPE, SealedSheet
from app.kit.dependencies import Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/emergency-sheets", tags=["emergencies"])
_HEADERS: Final = {name: {"schema": {"type": "string"}} for name in ("Content-Disposition", DISCLOSURE)}


@router.get(
    "",
    summary="List emergency sheets",
    response_model=None,
    responses={**disclosed_response(SheetList, "The newest sheets"), **responses(*LOOK_PROBLEMS)},
)
async def list_sheets(viewer: EmergencyRead, desk: Desk) -> Disclosed[SheetList]:
    """List the newest sheets: a custodian's own; for security, HR and audit everybody's. What is in them is listed nowhere."""
    return await desk.sheets.listed(viewer)


@router.get(
    "/{id}/content",
    summary="Fetch an emergency sheet",
    response_model=None,
    response_class=SealedSheet,
    responses={
        200: {
            "description": f"The sheet, sealed to its custodian's key; `{DISCLOSURE}` holds the note of the disclosure",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
            "headers": _HEADERS,
        },
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def fetch_sheet(viewer: EmergencyRead, desk: Desk, id: UUID) -> SealedSheet:
    """Fetch one's own sheet, to be kept away from the service and opened with `duanhao emergency open`. The next night's replaces it."""
    return await desk.sheets.content(viewer, id)


@router.post(
    "/{id}/openings",
    summary="Upload opening records",
    response_model=None,
    responses={
        200: {"model": OpeningReceipt, "description": "What became of them"},
        **responses(*WRITE_PROBLEMS, NotFound, UnknownRecord),
    },
)
async def upload_openings(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID, body: OpeningUpload) -> Response:
    """Put on record when and why one opened a sheet away from the service, as `duanhao emergency open` signed it, each once."""
    told = orjson.dumps(await desk.sheets.take(viewer, unit, id, body))
    return Response(told, media_type="application/json", headers={"Cache-Control": "no-store"})
