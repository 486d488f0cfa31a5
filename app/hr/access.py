"""The named guards of personnel events, and the services that its routes call."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.scopes import Scope
from app.hr.batching import HrBatches
from app.hr.deciding import LedgerKeeper
from app.hr.reading import LedgerReader
from app.hr.signed import IntakeGuard
from app.hr.taking import HrTaking
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

HrWrite = Annotated[Viewer, Depends(IntakeGuard(Scope.HR_WRITE))]
"""Not a look: what a source is told of the event that it sends is a state, an id, a code and what it was given."""

HrSettle = Annotated[Viewer, Depends(IntakeGuard(Scope.HR_WRITE, Scope.HR_SETTLE))]
"""People of HR decide about events and send none: with ``hr:write`` one of them could let people go without anybody's approval."""

HrRead = Annotated[Viewer, Depends(LookGuard(Scope.HR_WRITE, Scope.HR_SETTLE))]
"""The same scopes: a source reads back what became of what it sent, and people of HR what they decide about."""


async def _taking(request: Request) -> HrTaking:
    taking: HrTaking = request.app.state.application.hr.taking
    return taking


async def _batches(request: Request) -> HrBatches:
    batches: HrBatches = request.app.state.application.hr.batches
    return batches


async def _keeper(request: Request) -> LedgerKeeper:
    keeper: LedgerKeeper = request.app.state.application.hr.keeper
    return keeper


async def _ledger(request: Request) -> LedgerReader:
    reader: LedgerReader = request.app.state.application.hr.ledger
    return reader


Batches = Annotated[HrBatches, Depends(_batches)]
Keeper = Annotated[LedgerKeeper, Depends(_keeper)]
Personnel = Annotated[HrTaking, Depends(_taking)]
Ledger = Annotated[LedgerReader, Depends(_ledger)]
