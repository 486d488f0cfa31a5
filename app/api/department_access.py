"""Named guards of departments, and what routes call."""

from typing import Annotated

from fastapi import Depends, Request

from app.api.department_keeping import DepartmentKeeper
from app.api.department_reading import DepartmentReader
from app.auth.scopes import Scope
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

DepartmentsRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
DepartmentsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.DEPARTMENTS_WRITE))]


async def _reader(request: Request) -> DepartmentReader:
    reader: DepartmentReader = request.app.state.application.department_reader
    return reader


async def _keeper(request: Request) -> DepartmentKeeper:
    keeper: DepartmentKeeper = request.app.state.application.department_keeper
    return keeper


Reader = Annotated[DepartmentReader, Depends(_reader)]
Keeper = Annotated[DepartmentKeeper, Depends(_keeper)]
