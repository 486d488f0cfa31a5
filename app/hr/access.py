"""The named guard of personnel events, and the service that its routes call."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.scopes import Scope
from app.hr.service import HrService
from app.permissions.guard import WriteGuard
from app.permissions.standing import Viewer

HrWrite = Annotated[Viewer, Depends(WriteGuard(Scope.HR_WRITE))]
"""Not a look: what a source is told of its own events is a state, an id and a code."""


async def _service(request: Request) -> HrService:
    service: HrService = request.app.state.application.hr
    return service


Personnel = Annotated[HrService, Depends(_service)]
