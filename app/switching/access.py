"""Named guards of checks, drift and exports, what routes call, and the problems that each look can meet."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.exchanges.line import MOST_BYTES
from app.kit.edge import Uploads
from app.kit.errors import BodyTooLarge, InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer
from app.switching.checking import NumberChecks
from app.switching.errors import ExportTooLarge
from app.switching.export_schemas import WRITINGS, ExportFormat
from app.switching.exporting import PlanExports
from app.switching.reconciling import Reconciliations

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    LogUnavailable,
    Unavailable,
    EpochMoved,
)

DUMPS: Final = Uploads(re.compile(r"/v1/number-reconciliations"), MOST_BYTES)
"""How long a dump may be."""

_TEXT: Final = {"schema": {"type": "string"}}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
DUMP: Final[dict[str, Any]] = {
    "required": True,
    "content": dict.fromkeys(("application/octet-stream", "text/plain", "application/xml", "text/csv"), _BINARY),
}
DRIFT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A difference a line, each in `difference`; the last line holds `summary`, or the problem that cut it off",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"summary":{"domain":"main","lines":120,"numbers":120,"withheld":0,"drift":{}}}\n',
            }
        },
    }
}
EXPORT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file, to be saved; the same plan gives the same bytes",
        "content": dict.fromkeys(sorted({writing.media_type for writing in WRITINGS.values()}), _TEXT),
        "headers": dict.fromkeys(("Content-Disposition", "ETag"), _TEXT),
    },
    304: {"description": "The caller has it already"},
}
DUMP_PROBLEMS: Final = (*LOOK_PROBLEMS, BodyTooLarge)
EXPORT_PROBLEMS: Final = (*LOOK_PROBLEMS, ExportTooLarge)

PlanExported = Annotated[Viewer, Depends(LookGuard(Scope.NUMBERS_EXPORT))]
PlanChecked = Annotated[Viewer, Depends(LookGuard(Scope.NUMBERS_ADMIN))]


async def _checks(request: Request) -> NumberChecks:
    checks: NumberChecks = request.app.state.application.switching.checks
    return checks


async def _reconciliations(request: Request) -> Reconciliations:
    reconciliations: Reconciliations = request.app.state.application.switching.reconciliations
    return reconciliations


async def _exports(request: Request) -> PlanExports:
    exports: PlanExports = request.app.state.application.switching.exports
    return exports


Checks = Annotated[NumberChecks, Depends(_checks)]
Drifts = Annotated[Reconciliations, Depends(_reconciliations)]
Exports = Annotated[PlanExports, Depends(_exports)]
Format = Annotated[ExportFormat, Path(description="What is written, and for whom.", examples=["asterisk"])]
